"""What the patient's pages write; the logs' own actions do it."""

from __future__ import annotations

from datetime import date, datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from cycles.course_actions import follow_patient
from cycles.models import Cycle
from il2tracker.accounts.actions import update_patient
from il2tracker.accounts.models import Patient, User
from labs.actions import book_bloodwork, record_drawn
from labs.models import Bloodwork


@transaction.atomic
def keep_blood_test(
    *, by: User, cycle: Cycle, booked_for: date | None, drawn_on: date | None, now: datetime
) -> Bloodwork:
    """Both days of the test before a course, or neither. Raises PermissionDenied, ValidationError (future draw)."""
    book_bloodwork(by=by, cycle=cycle, booked_for=booked_for)
    return record_drawn(by=by, cycle=cycle, drawn_on=drawn_on, now=now)


@transaction.atomic
def change_zone(*, by: User, patient: Patient, zone: str, now: datetime) -> Patient:
    """The patient lives by another clock: courses that have not started follow at once, begun ones stay (H09).

    Raises PermissionDenied unless it is the patient, ValidationError for what is no zone.
    """
    if patient.user_id != by.pk:
        raise PermissionDenied
    patient = update_patient(by=by, patient=patient, time_zone=zone)
    today = patient.today(now)
    for cycle in Cycle.objects.of(patient).on_an_old_clock(today).select_related("patient", "version"):
        follow_patient(cycle=cycle, now=now)
    return patient
