"""Addresses where an alert is acknowledged and answered."""

from django.urls import path

from il2tracker.alerts import views

app_name = "alerts"
urlpatterns = [
    path("alerts/<str:ref>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("alerts/<str:ref>/answer/", views.answer, name="answer"),
]
