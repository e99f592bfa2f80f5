"""What the mails to patients, and to the people who help them, have to say: read from the diary, nothing is written.

Every function takes the row and the moment and gives the words for the kind's templates. Level: how much a mail may
say (ux 3.1). Only patients choose one, and only for what is said to themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import dateformat
from django.utils.translation import gettext as _

from cycles import asking, confirming, versions
from cycles.models import Cycle, Plan, PlannedDose, PlanVersion
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.reminders import kinds, of_check_ins, of_courses, of_doses, of_plans
from il2tracker.reminders.models import Reminder
from labs import course_tests
from labs.facts import CD4, VIRAL_LOAD

DISCREET, PLAIN, FULL = "discreet", "plain", "full"
LATE = timedelta(minutes=15)
DAY, DAY_OF_MONTH, WITH_YEAR = "l j F", "j F", "j F Y"
Facts = dict[str, Any]


def level(row: Reminder) -> str:
    """What the patient chose, in mails to him or her about the own diary; discreet for anything and anybody else."""
    is_own = row.patient is not None and row.patient.user_id == row.recipient_id
    is_chosen = is_own and kinds.POLICIES[row.kind].preference in kinds.SWITCHES
    return row.patient.privacy if is_chosen and row.patient is not None else DISCREET


def dose(row: Reminder, now: datetime) -> Facts:
    """The hour that a dose is planned for, and where it is recorded."""
    cycle, day, slot = of_doses.slot_of(row.occurrence)
    ref = PlannedDose.objects.filter(cycle=cycle, day=day, slot=slot).values_list("ref", flat=True).get()
    return {
        **hour(row, now),
        "amount": ui.miu(row.says_amount),
        "record_url": settings.BASE_URL + reverse("cycles:log", args=[ref]),
        "problem_url": settings.BASE_URL + reverse("cycles:skip", args=[ref]),
        **numbers(row),
    }


def carer(row: Reminder, now: datetime) -> Facts:
    """The hour alone: whose it is and what it is for, only the diary says, after sign-in."""
    return hour(row, now)


def hour(row: Reminder, now: datetime) -> Facts:
    """The slot on the reader's kind of clock, with the place whose time it is where that is another one (H09)."""
    local, (patient, user) = row.local_slot, _people(row)
    assert local is not None
    clock = ui.clock(local, user)
    place = ui.whose_time(row) if patient.user_id == user.pk else _("their time")
    slot = f"{clock} ({place})" if place else clock
    return {"slot": slot, "slot_day": _said(local.date()), "is_late": now > row.due_at + LATE}


def paused(row: Reminder, now: datetime) -> Facts:
    """Whom to call, and why nothing comes (R1)."""
    return {"cause": _cause(row.occurrence), **numbers(row)}


def _cause(occurrence: str) -> str:
    if occurrence.startswith("alert/"):
        return _("Something urgent was reported, and nobody has answered it yet.")
    if occurrence.endswith("/unconfirmed"):
        return _("Your clinic has not confirmed the start of your course yet.")
    return _("Your course is on hold.")


def bloodwork(row: Reminder, now: datetime) -> Facts:
    """The days between which blood should be taken, and whom to call about it."""
    return {**start(row, now), **days(row, now), **numbers(row)}


def days(row: Reminder, now: datetime) -> Facts:
    """The first and the last day for the blood test."""
    first, last = row.says_from, row.says_to
    assert first is not None
    assert last is not None
    return {
        "first_weekday": _said(first),
        "last_weekday": "" if first == last else _said(last),
        "days": _span(first, last),
        "last_day": dateformat.format(last, DAY_OF_MONTH),
        "is_late": _today(row, now) > last,
    }


def _span(first: date, last: date) -> str:
    """ "17 to 20 February", "27 February to 2 March", "17 February"."""
    if first == last:
        return dateformat.format(last, DAY_OF_MONTH)
    start = dateformat.format(first, "j" if first.month == last.month else DAY_OF_MONTH)
    return _("%(first)s to %(last)s") % {"first": start, "last": dateformat.format(last, DAY_OF_MONTH)}


def results(row: Reminder, now: datetime) -> Facts:
    """Which results are still missing, for those who want it named (R11)."""
    return {**bloodwork(row, now), "tests": _lacking(row, now) if level(row) == FULL else ""}


def _lacking(row: Reminder, now: datetime) -> str:
    course = Cycle.objects.annotate(**course_tests.facts(_today(row, now))).select_related("version")
    cycle = course.get(pk=of_courses.cycle_of(row.occurrence))
    return names_of(course_tests.lacking(cycle, _people(row)[0]))


def names_of(tests: Iterable[str]) -> str:
    """Tests by their code, as patients call them."""
    names = {CD4: _("CD4+ count"), VIRAL_LOAD: _("viral load")}
    return _(" and ").join(names[code] for code in tests)


def week_before(row: Reminder, now: datetime) -> Facts:
    """The first day and the list of things to get ready."""
    return {**start(row, now), **_list_of(_course(row)), **(numbers(row) if level(row) == FULL else {})}


def day_before(row: Reminder, now: datetime) -> Facts:
    """The same, with whether the clinic confirmed this start (R12)."""
    course = _course(row)
    return {**start(row, now), **_list_of(course), **_confirmed(row, course), **numbers(row)}


def _course(row: Reminder) -> Cycle:
    return Cycle.objects.select_related("version", "readiness").get(pk=of_courses.cycle_of(row.occurrence))


def start(row: Reminder, now: datetime) -> Facts:
    """The first day of the course."""
    assert row.says_on is not None
    return {"start_day": _said(row.says_on), "days_left": (row.says_on - _today(row, now)).days}


def _list_of(course: Cycle) -> Facts:
    lines = [(str(_(item.words)), ticked is not None) for item, ticked in asking.to_do(course).lines]
    return things([words for words, ticked in lines if not ticked], [words for words, ticked in lines if ticked])


def things(still: list[str], ready: list[str]) -> Facts:
    """The list of things to get ready: what is still to do and what is ticked."""
    counts = {"count": len(still) + len(ready), "done": len(ready), "still_count": len(still)}
    return {**counts, "still": still, "ready": ready, "list_url": settings.BASE_URL + reverse("cycles:prepare")}


def _confirmed(row: Reminder, course: Cycle) -> Facts:
    """On which day the clinic confirmed this start; a clinic that leaves starts to its patients has signed the plan at
    most. Empty where nobody did."""
    readiness, version = getattr(course, "readiness", None), course.version
    start = readiness.confirmed_at if readiness and readiness.confirmed_for == row.says_on else None
    plan = version.signed_at if version.is_confirmed and not confirming.is_asked_of(_people(row)[0]) else None
    return {"confirmed_on": _long_day(start, row), "plan_signed_on": "" if start else _long_day(plan, row)}


def plan_changed(row: Reminder, now: datetime) -> Facts:
    """When the plan was changed, from when it counts and where it is read (R13)."""
    plan, number = of_plans.version_of(row.occurrence)
    version = PlanVersion.objects.get(plan=plan, number=number)
    assert row.says_on is not None
    return {
        "by_clinic": version.is_confirmed,
        "changed_on": _long_day(version.signed_at, row),
        "start_day": _said(row.says_on),
        "read_url": settings.BASE_URL + reverse("cycles:plan_update"),
        "changes": _changes(row, version) if level(row) == FULL else [],
        **numbers(row),
    }


def _changes(row: Reminder, version: PlanVersion) -> list[str]:
    """What the page says that the link opens; beside a course on hold nobody at home is told (R29)."""
    if versions.on_hold(Cycle.objects.filter(plan=version.plan_id)):
        return []
    plan = Plan.objects.with_versions().get(pk=version.plan_id)
    return [str(change) for change in versions.to_read(plan, _people(row)[1].clock).changes]


def numbers(row: Reminder) -> Facts:
    """Whom the patient calls."""
    patient, _user = _people(row)
    clinic = access.open_clinic(patient)
    phone = _clinic_numbers(clinic) if clinic else patient.team_phone
    return {
        "phone": phone or _("the number you were given"),
        "has_clinic": clinic is not None,
        "clinic_name": clinic.name if clinic else "",
    }


def _clinic_numbers(clinic: Clinic) -> str:
    """Both where they differ: nobody knows at what hour a mail is read."""
    if clinic.day_phone == clinic.night_phone or clinic.opens_at is None or clinic.closes_at is None:
        return clinic.night_phone
    return _("%(day)s, out of hours %(night)s") % {"day": clinic.day_phone, "night": clinic.night_phone}


def _people(row: Reminder) -> tuple[Patient, User]:
    assert row.patient is not None
    assert row.recipient is not None
    return row.patient, row.recipient


def _today(row: Reminder, now: datetime) -> date:
    return now.astimezone(ZoneInfo(row.zone)).date()


def _said(day: date) -> str:
    return dateformat.format(day, DAY)


def _long_day(moment: datetime | None, row: Reminder) -> str:
    return dateformat.format(moment.astimezone(ZoneInfo(row.zone)), WITH_YEAR) if moment else ""


def check_in(row: Reminder, now: datetime) -> Facts:
    """Where it is written, and whether a reading over the limit is asked about again."""
    url = settings.BASE_URL + reverse("sideeffects:check_in")
    return {"is_fever": of_check_ins.is_about_fever(row.occurrence), "check_in_url": url, **numbers(row)}


FACTS: dict[str, Callable[[Reminder, datetime], Facts]] = {
    kinds.INJECTION_DUE: dose,
    kinds.INJECTION_AGAIN: dose,
    kinds.INJECTION_MISSING: dose,
    kinds.CARER_MISSING: carer,
    kinds.PAUSED: paused,
    kinds.BLOODWORK_BOOK: bloodwork,
    kinds.BLOODWORK_DUE: bloodwork,
    kinds.BLOODWORK_OVERDUE: bloodwork,
    kinds.RESULTS_MISSING: results,
    kinds.CYCLE_WEEK: week_before,
    kinds.CYCLE_DAY: day_before,
    kinds.PLAN_CHANGED: plan_changed,
    kinds.CHECK_IN: check_in,
}
