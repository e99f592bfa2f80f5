"""Addresses of the check-in. Neutral words: they show in browser histories."""

from django.urls import path

from sideeffects import views

app_name = "sideeffects"
urlpatterns = [
    path("check-in/", views.check_in, name="check_in"),
    path("people/<str:code>/check-in/", views.check_in, name="check_in"),
    path("check-in/earlier/", views.earlier, name="earlier"),
    path("people/<str:code>/check-in/earlier/", views.earlier, name="earlier"),
    path("check-in/<str:ref>/", views.entry, name="entry"),
    path("check-in/<str:ref>/now/", views.urgent, name="urgent"),
    path("check-in/<str:ref>/finish/", views.finish, name="finish"),
]
