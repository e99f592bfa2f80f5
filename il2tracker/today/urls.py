"""Addresses of the patient's home, course and calendar; what others may see too also stands with the patient's code."""

from django.urls import path

from il2tracker.today import calendar_views, feed_views, medicine_views, ready_views, views, zone_views

app_name = "today"
urlpatterns = [
    path("", views.home, name="home"),
    path("course/", views.course, name="course"),
    path("people/<str:code>/course/", views.course, name="course"),
    path("appointment/", views.blood_test, name="blood_test"),
    path("people/<str:code>/appointment/", views.blood_test, name="blood_test"),
    path("calendar/", calendar_views.calendar, name="calendar"),
    path("people/<str:code>/calendar/", calendar_views.calendar, name="calendar"),
    path("c/<str:token>.ics", feed_views.feed, name="feed"),
    path("medicines/", medicine_views.medicines, name="medicines"),
    path("medicines/add/", medicine_views.medicine_add, name="medicine_add"),
    path("medicines/<str:ref>/", medicine_views.medicine, name="medicine"),
    path("medicines/<str:ref>/remove/", medicine_views.medicine_remove, name="medicine_remove"),
    path("people/<str:code>/medicines/", medicine_views.medicines, name="medicines"),
    path("people/<str:code>/medicines/add/", medicine_views.medicine_add, name="medicine_add"),
    path("settings/calendar/", feed_views.feed_settings, name="feed_settings"),
    path("settings/calendar/renew/", feed_views.feed_renew, name="feed_renew"),
    path("settings/calendar/stop/", feed_views.feed_stop, name="feed_stop"),
    path("settings/time-zone/", zone_views.time_zone, name="time_zone"),
    path("before/", ready_views.ready, name="ready"),
    path("people/<str:code>/before/", ready_views.ready, name="ready"),
]
