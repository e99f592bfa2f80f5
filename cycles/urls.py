"""Paths are neutral words: they show in browser histories and mails."""

from django.urls import path

from cycles import change_views, course_views, earlier_views, hold_views, plan_views, ready_views, site_views, views

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
    path("plan/", plan_views.plan, name="plan"),
    path("plan/new/", plan_views.plan_choose, name="plan_choose"),
    path("plan/new/<slug:slug>/", plan_views.plan_new, name="plan_new"),
    path("plan/change/", change_views.plan_change, name="plan_change"),
    path("plan/earlier/", earlier_views.plan_earlier, name="plan_earlier"),
    path("plan/update/", change_views.plan_update, name="plan_update"),
    path("plan/course/<str:ref>/change/", course_views.change, name="course_change"),
    path("plan/course/<str:ref>/stop/", course_views.stop, name="course_stop"),
    path("plan/<str:ref>/end/", course_views.end, name="plan_end"),
    path("people/<str:code>/plan/", plan_views.plan, name="plan"),
    path("people/<str:code>/plan/change/", change_views.plan_change, name="plan_change"),
    path("people/<str:code>/plan/earlier/", earlier_views.plan_earlier, name="plan_earlier"),
    path("people/<str:code>/plan/update/", change_views.plan_update, name="plan_update"),
    path("people/<str:code>/plan/new/", plan_views.plan_choose, name="plan_choose"),
    path("people/<str:code>/plan/new/<slug:slug>/", plan_views.plan_new, name="plan_new"),
    path("before/<int:question>/", ready_views.question, name="question"),
    path("prepare/", ready_views.prepare, name="prepare"),
    path("changed/", hold_views.changed, name="changed"),
    path("waits/", hold_views.waits, name="waits"),
    path("plan/hold/<str:ref>/lift/", hold_views.lift, name="hold_lift"),
    path("people/<str:code>/before/<int:question>/", ready_views.question, name="question"),
    path("people/<str:code>/prepare/", ready_views.prepare, name="prepare"),
    path("people/<str:code>/changed/", hold_views.changed, name="changed"),
    path("people/<str:code>/waits/", hold_views.waits, name="waits"),
]
