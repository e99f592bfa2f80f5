"""How long it takes a clinic to acknowledge an alert: the middle and the longest of the last weeks.

What nobody has acknowledged yet has no time of its own; it counts among those that waited too long.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from il2tracker import ui
from il2tracker.accounts.models import Clinic, Patient, Sharing, User
from il2tracker.alerts.models import Alert

WINDOWS = (30, 90)  # days back


@dataclass(frozen=True, slots=True)
class Waited:
    """One alert: when it was raised, when somebody acknowledged it, whether it was urgent."""

    raised_at: datetime
    acknowledged_at: datetime | None
    is_urgent: bool

    def within(self, limit: timedelta, now: datetime) -> bool:
        """Whether it was acknowledged in time, or still can be."""
        return (self.acknowledged_at or now) - self.raised_at <= limit


@dataclass(frozen=True, slots=True)
class Times:
    """Of one tier in one window of days. `middle` and `longest`: of those acknowledged; None when there is none.

    `late`: how many nobody acknowledged in the clinic's minutes, None of those to call about, which have a day;
    `open`: how many nobody has acknowledged yet.
    """

    days: int
    is_urgent: bool
    count: int
    middle: timedelta | None
    longest: timedelta | None
    late: int | None
    open: int

    @property
    def middle_words(self) -> str:
        """ "7 minutes"; empty when there is none."""
        return "" if self.middle is None else ui.length(self.middle)

    @property
    def longest_words(self) -> str:
        """ "3 hours"; empty when there is none."""
        return "" if self.longest is None else ui.length(self.longest)


@dataclass(frozen=True, slots=True)
class Answers:
    """One clinic's times, urgent and amber, in each window."""

    clinic: Clinic
    times: list[Times]


def measure(alerts: Iterable[Waited], days: int, limit: timedelta, now: datetime, *, is_urgent: bool) -> Times:
    """The times of those that were raised in the last `days` days."""
    since = now - timedelta(days=days)
    found = [each for each in alerts if each.is_urgent == is_urgent and since < each.raised_at <= now]
    waits = [each.acknowledged_at - each.raised_at for each in found if each.acknowledged_at]
    return Times(
        days=days,
        is_urgent=is_urgent,
        count=len(found),
        middle=timedelta(seconds=median(wait.total_seconds() for wait in waits)) if waits else None,
        longest=max(waits, default=None),
        late=sum(not each.within(limit, now) for each in found) if is_urgent else None,
        open=sum(each.acknowledged_at is None for each in found),
    )


def read(user: User, now: datetime) -> list[Answers]:
    """The times of each clinic in which the person works, of the patients that share with it now; three statements."""
    clinics = list(Clinic.objects.filter(memberships__user=user).order_by("name"))
    patients = Patient.objects.visible_to(user).of_clinics(user).exclude(user=user)
    shared: dict[int, set[int]] = {}
    sharings = Sharing.objects.open().filter(clinic__in=[clinic.pk for clinic in clinics], patient__in=patients)
    for clinic_id, patient_id in sharings.values_list("clinic_id", "patient_id"):
        shared.setdefault(clinic_id, set()).add(patient_id)
    raised = _raised(set().union(*shared.values()), now)
    return [Answers(clinic, _of_clinic(clinic, shared.get(clinic.pk, set()), raised, now)) for clinic in clinics]


def _raised(patients: Collection[int], now: datetime) -> list[tuple[int, Waited]]:
    """Every alert of the longest window; not those that were closed without a clinic."""
    since = now - timedelta(days=max(WINDOWS))
    rows = Alert.objects.filter(raised_at__gt=since, patient__in=patients)
    rows = rows.exclude(acknowledged_at=None, closed_at__isnull=False)
    found = rows.values_list("patient_id", "raised_at", "acknowledged_at", "tier")
    return [(patient, Waited(raised, seen, tier in Alert.URGENT)) for patient, raised, seen, tier in found]


def _of_clinic(
    clinic: Clinic, patients: Collection[int], raised: Iterable[tuple[int, Waited]], now: datetime
) -> list[Times]:
    theirs = [alert for patient, alert in raised if patient in patients]
    limit = timedelta(minutes=clinic.escalate_after)
    return [measure(theirs, days, limit, now, is_urgent=urgent) for urgent in (True, False) for days in WINDOWS]
