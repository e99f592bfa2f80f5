from django.urls import path

from il2tracker.system import views

app_name = "system"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("system/", views.page, name="page"),
    path("system/mail/", views.mail, name="mail"),
    path("system/mail/<slug:name>/", views.one_mail, name="one_mail"),
]
