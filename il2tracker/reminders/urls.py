from django.urls import path

from il2tracker.reminders import views

app_name = "reminders"
urlpatterns = [
    path("settings/reminders/", views.preferences, name="preferences"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
]
