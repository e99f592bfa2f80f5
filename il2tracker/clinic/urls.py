"""Addresses of the clinician's pages."""

from django.urls import path

from il2tracker.clinic import alert_views, seen_views, suggestion_views, views, visit_views

app_name = "clinic"
urlpatterns = [
    path("alerts/<str:ref>/", alert_views.alert, name="alert"),
    path("people/", views.panel, name="panel"),
    path("people/add/", views.add_patient, name="add_patient"),
    path("people/answer-times/", alert_views.times, name="answer_times"),
    path("people/advice/", suggestion_views.inbox, name="advice"),
    path("visit/", visit_views.visit, name="visit"),
    path("visit.pdf", visit_views.visit_pdf, name="visit_pdf"),
    path("people/<str:code>/visit/", visit_views.visit, name="visit"),
    path("people/<str:code>/visit.pdf", visit_views.visit_pdf, name="visit_pdf"),
    path("people/<str:code>/results/seen/", seen_views.see, name="see"),
    path("people/<str:code>/results/seen/<str:ref>/undo/", seen_views.unsee, name="unsee"),
    path("people/<str:code>/", views.patient, name="patient"),
    path("people/<str:code>/advice/<str:rule>/", suggestion_views.advise, name="advise"),
]
