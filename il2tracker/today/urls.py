"""Addresses of the patient's home and course pages."""

from django.urls import path

from il2tracker.today import views

app_name = "today"
urlpatterns = [
    path("", views.home, name="home"),
]
