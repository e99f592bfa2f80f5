from django.urls import path

from il2tracker.reminders import due_views, one_tap_views, privacy_views, snooze_views, views

app_name = "reminders"
urlpatterns = [
    path("reminders/", due_views.due, name="due"),
    path("reminders/test/", due_views.test, name="test"),
    path("reminders/<str:ref>/later/", snooze_views.later, name="later"),
    path("n/<str:token>", one_tap_views.one_tap_page, name="one_tap"),
    path("settings/privacy/", privacy_views.privacy, name="privacy"),
    path("settings/privacy/mail/<str:kind>/<str:level>/", privacy_views.preview, name="preview"),
    path("settings/reminders/", views.preferences, name="preferences"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
]
