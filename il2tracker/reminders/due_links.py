"""Where a row of the list of reminders leads to: only pages that its reader may open now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cycles.models import PlannedDose
from il2tracker.accounts.models import Patient, User
from il2tracker.alerts.models import Alert
from il2tracker.reminders import kinds, of_alerts, of_doses
from il2tracker.reminders.models import Reminder, State
from il2tracker.reminders.wishes import SHOWN_ALL_THE_SAME

ONE_DAY = timedelta(days=1)
BLOOD_TEST = ("today:blood_test", _("Blood test"))
BEFORE = ("today:ready", _("My list"))
# Pages that need no name of a row; each is open as long as the reminder is of use.
PAGES: Mapping[str, tuple[str, str | Promise]] = {
    **dict.fromkeys((kinds.BLOODWORK_BOOK, kinds.BLOODWORK_DUE, kinds.BLOODWORK_OVERDUE), BLOOD_TEST),
    **dict.fromkeys((kinds.CYCLE_WEEK, kinds.CYCLE_DAY), BEFORE),
    kinds.RESULTS_MISSING: ("labs:add", _("Add results")),
    kinds.PLAN_CHANGED: ("cycles:plan_update", _("Read what changes")),
    kinds.CHECK_IN: ("sideeffects:check_in", _("Check in")),
    kinds.PAUSED: ("today:home", _("Today")),
    **dict.fromkeys((kinds.DIGEST, kinds.TO_CALL), ("clinic:panel", _("The clinic’s list"))),
}


class Link(NamedTuple):
    """An address and the words for it."""

    url: str
    words: str | Promise


@dataclass(frozen=True)
class Links:
    """`doses`: slot → ref of one that can be recorded. `reports`: ref of an alert → code of its patient."""

    now: datetime
    doses: Mapping[tuple[int, int, str], str]
    reports: Mapping[str, str]

    def of(self, row: Reminder) -> Link | None:
        """Where the row leads to, if anywhere."""
        if row.kind in kinds.DOSE_KINDS:
            ref = self.doses.get(of_doses.slot_of(row.occurrence))
            return Link(reverse("cycles:log", args=[ref]), _("Record it")) if ref else None
        if row.kind == kinds.RED_FLAG:
            code = self.reports.get(_alert_of(row))
            return Link(reverse("clinic:patient", args=[code]), _("Open the page")) if code else None
        if row.kind not in PAGES or not _is_of_use(row, self.now):
            return None
        name, words = PAGES[row.kind]
        return Link(reverse(name), words)


def find(user: User, now: datetime, rows: Iterable[Reminder]) -> Links:
    """Looked up for all rows at once: a statement for doses, one for reports."""
    rows = list(rows)
    slots = [row for row in rows if row.kind in kinds.DOSE_KINDS]
    reports = [_alert_of(row) for row in rows if row.kind == kinds.RED_FLAG]
    return Links(now, _doses(user, now, slots) if slots else {}, _reports(user, reports) if reports else {})


def _doses(user: User, now: datetime, rows: list[Reminder]) -> dict[tuple[int, int, str], str]:
    """Doses of today and before that wait to be recorded, of people for whom the reader may record."""
    first = min(row.due_at for row in rows) - ONE_DAY
    open_ones = PlannedDose.objects.asked_for().filter(
        patient__in=Patient.objects.recordable_by(user),
        cycle__in={of_doses.slot_of(row.occurrence)[0] for row in rows},
        due_at__gte=first,
        due_at__lte=now + ONE_DAY,
    )
    found = open_ones.values_list("cycle_id", "day", "slot", "ref", "due_on", "zone")
    return {
        (cycle, day, slot): ref
        for cycle, day, slot, ref, due_on, zone in found
        if due_on <= now.astimezone(ZoneInfo(zone)).date()
    }


def _reports(user: User, refs: list[str]) -> dict[str, str]:
    theirs = Alert.objects.filter(ref__in=refs, patient__in=Patient.objects.of_clinics(user))
    return dict(theirs.values_list("ref", "patient__code"))


def _alert_of(row: Reminder) -> str:
    """ "a<ref>", and more behind it where somebody is told again."""
    return of_alerts.report_of(row.occurrence).removeprefix("a")


def _is_of_use(row: Reminder, now: datetime) -> bool:
    is_off = row.state == State.CANCELLED and row.cancel_reason not in SHOWN_ALL_THE_SAME
    return row.expires_at > now and not is_off
