"""Addresses of the patient's home and course pages; the course also for others, with the patient's code."""

from django.urls import path

from il2tracker.today import views

app_name = "today"
urlpatterns = [
    path("", views.home, name="home"),
    path("course/", views.course, name="course"),
    path("people/<str:code>/course/", views.course, name="course"),
    path("appointment/", views.blood_test, name="blood_test"),
    path("people/<str:code>/appointment/", views.blood_test, name="blood_test"),
]
