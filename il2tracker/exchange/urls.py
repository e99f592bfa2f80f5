"""Addresses for taking a record along."""

from django.urls import path

from il2tracker.exchange import views

app_name = "exchange"
urlpatterns = [
    path("settings/export/", views.export, name="export"),
    path("people/<str:code>/export/", views.export, name="export"),
]
