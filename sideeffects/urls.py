"""Addresses of the check-in. Neutral words: they show in browser histories."""

from django.urls import URLPattern

app_name = "sideeffects"
urlpatterns: list[URLPattern] = []
