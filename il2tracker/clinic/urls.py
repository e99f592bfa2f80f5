"""Addresses of the clinician's pages."""

from django.urls import path

from il2tracker.clinic import views

app_name = "clinic"
urlpatterns = [
    path("people/", views.panel, name="panel"),
    path("people/add/", views.add_patient, name="add_patient"),
    path("people/<str:code>/", views.patient, name="patient"),
]
