"""Paths are neutral words: they show in browser histories and mails."""

from django.urls import path

from cycles import course_views, site_views, views

app_name = "cycles"
urlpatterns = [
    path("diary/add/", views.record, name="record"),
    path("diary/add/other/", views.record_unplanned, name="record_unplanned"),
    path("diary/add/<str:ref>/", views.log, name="log"),
    path("diary/add/<str:ref>/not-taken/", views.skip, name="skip"),
    path("diary/entry/<str:ref>/", views.entry, name="entry"),
    path("diary/entry/<str:ref>/change/", views.correct, name="correct"),
    path("diary/entry/<str:ref>/undo/", views.undo, name="undo"),
    path("diary/entry/<str:ref>/call/", views.call, name="call"),
    path("places/", site_views.overview, name="places"),
    path("places/add/", site_views.report, name="place_report"),
    path("places/<str:ref>/", site_views.reaction, name="place"),
    path("places/<str:ref>/clear/", site_views.clear, name="place_clear"),
    path("people/<str:code>/places/", site_views.overview, name="places"),
    path("people/<str:code>/places/add/", site_views.report, name="place_report"),
    path("plan/", views.plan, name="plan"),
    path("plan/new/", views.plan_choose, name="plan_choose"),
    path("plan/new/<slug:slug>/", views.plan_new, name="plan_new"),
    path("plan/course/<str:ref>/change/", course_views.change, name="course_change"),
    path("plan/course/<str:ref>/stop/", course_views.stop, name="course_stop"),
    path("plan/<str:ref>/end/", course_views.end, name="plan_end"),
    path("people/<str:code>/plan/", views.plan, name="plan"),
    path("people/<str:code>/plan/new/", views.plan_choose, name="plan_choose"),
    path("people/<str:code>/plan/new/<slug:slug>/", views.plan_new, name="plan_new"),
]
