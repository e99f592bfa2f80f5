from django.urls import path

from il2tracker.system import views

app_name = "system"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("system/", views.page, name="page"),
    path("system/seen/", views.seen, name="seen"),
    path("system/reminders/", views.reminders, name="reminders"),
    path("system/reminders/test/", views.test_mail, name="test_mail"),
    path("system/mail/", views.mail, name="mail"),
    path("system/mail/<slug:name>/", views.one_mail, name="one_mail"),
]
