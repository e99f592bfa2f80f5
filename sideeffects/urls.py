"""Addresses of the check-in. Neutral words: they show in browser histories."""

from django.urls import path

from sideeffects import check_in_views, effects_views, pattern_views, report_views, views

app_name = "sideeffects"
urlpatterns = [
    path("check-in/", check_in_views.check_in, name="check_in"),
    path("people/<str:code>/check-in/", check_in_views.check_in, name="check_in"),
    path("check-in/earlier/", views.earlier, name="earlier"),
    path("people/<str:code>/check-in/earlier/", views.earlier, name="earlier"),
    path("check-in/effects/", effects_views.effects, name="effects"),
    path("people/<str:code>/check-in/effects/", effects_views.effects, name="effects"),
    path("people/<str:code>/expected/", effects_views.expected, name="expected"),
    path("expected/<str:ref>/end/", effects_views.end_expected, name="end_expected"),
    path("check-in/<str:ref>/report/", report_views.report, name="report"),
    path("check-in/patterns/", pattern_views.patterns, name="patterns"),
    path("people/<str:code>/effects/", pattern_views.patterns, name="patterns"),
    path("check-in/<str:ref>/", views.entry, name="entry"),
    path("check-in/<str:ref>/now/", views.urgent, name="urgent"),
    path("check-in/<str:ref>/change/", check_in_views.change, name="change"),
    path("check-in/<str:ref>/finish/", check_in_views.finish, name="finish"),
]
