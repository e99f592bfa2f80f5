from django.urls import path

from il2tracker.reminders import due_views, views

app_name = "reminders"
urlpatterns = [
    path("reminders/", due_views.due, name="due"),
    path("reminders/test/", due_views.test, name="test"),
    path("settings/reminders/", views.preferences, name="preferences"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
]
