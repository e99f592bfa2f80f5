"""Addresses for taking a record along."""

from django.urls import path

from il2tracker.exchange import return_views, views

app_name = "exchange"
urlpatterns = [
    path("settings/export/", views.export, name="export"),
    path("people/<str:code>/export/", views.export, name="export"),
    path("check-in/return/", return_views.bring_back, name="bring_back"),
    path("people/<str:code>/check-in/return/", return_views.bring_back, name="bring_back"),
]
