"""Which alerts a check-in raises: the same sign again on one day is one alert, anything new or worse is told anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from il2tracker.accounts.models import User
from il2tracker.alerts.actions import raise_alert
from il2tracker.alerts.models import Alert
from sideeffects import triage
from sideeffects.answers import LOW
from sideeffects.models import CheckIn

RECORDED, FINISHED, CHANGED = "sideeffects.checkin", "sideeffects.finished", "sideeffects.changed"

Seen = tuple[Alert, Mapping[str, Decimal]]


def raise_alerts(
    *,
    by: User,
    check_in: CheckIn,
    findings: Iterable[triage.Finding],
    now: datetime,
    source: str = RECORDED,
    was: Mapping[str, Decimal] | None = None,
) -> None:
    """Join the check-in to an open alert of its day that says as much, or raise a new one.

    `was`: how bad the same check-in was before it was finished or changed; None when it is new.
    """
    told = [finding for finding in findings if finding.tier]
    if not told:
        return
    today, grades = _open_today(check_in, was), check_in.grades
    for finding in told:
        known = today.get((finding.rule, str(finding.tier)))
        same = known is not None and not is_worse(finding, known[1], grades)
        check_in.alerts.add(known[0] if known and same else _new(by, check_in, finding, source, now))


def raise_what_is_new(
    *,
    by: User,
    check_in: CheckIn,
    findings: Iterable[triage.Finding],
    now: datetime,
    was: Mapping[str, Decimal],
) -> bool:
    """After a change: what the check-in has told already stays as it is, open or not; whether anything urgent is new.

    Nothing is dismissed or lowered (2.12). Each change has a source of its own, so that a sign that was taken back and
    reported again is told again.
    """
    told, grades = {(alert.rule, alert.tier) for alert in check_in.alerts.all()}, check_in.grades
    new = [
        finding
        for finding in findings
        if finding.tier and ((finding.rule, finding.tier) not in told or is_worse(finding, was, grades))
    ]
    if new:
        source = f"{CHANGED}.{check_in.history.count()}"
        raise_alerts(by=by, check_in=check_in, findings=new, now=now, source=source, was=was)
    return triage.is_urgent(new)


def _open_today(check_in: CheckIn, was: Mapping[str, Decimal] | None) -> dict[tuple[str, str], Seen]:
    """By rule and tier the open alert of the same day, and how bad things were when it was last reported.

    "I ticked this by mistake" ends it: reported again it is a new one.
    """
    seen: dict[tuple[str, str], Seen] = {}
    day = check_in.felt_on
    for earlier in CheckIn.objects.of(check_in.patient).felt_between(day, day).with_reports().newest_first():
        grades = was or {} if earlier.pk == check_in.pk else earlier.grades
        for alert in earlier.alerts.all():
            if earlier.felt_on == day and alert.is_open and alert.patient_answer != Alert.Answer.MISTAKE:
                seen.setdefault((alert.rule, alert.tier), (alert, grades))
    return seen


def is_worse(finding: triage.Finding, before: Mapping[str, Decimal], grades: Mapping[str, Decimal]) -> bool:
    """Whether a sign of the finding is new or stronger: then it is told again, never grouped (H15)."""
    signs = {LOW if finding.rule == "T9" and sign == "temperature" else sign for sign in finding.signs}
    return any(sign not in before or grades[sign] > before[sign] for sign in signs)


def _new(by: User, check_in: CheckIn, finding: triage.Finding, source: str, now: datetime) -> Alert:
    return raise_alert(
        by=by,
        patient=check_in.patient,
        rule=finding.rule,
        tier=str(finding.tier),
        title=finding.title[:200],
        evidence=finding.evidence,
        source=source,
        source_ref=check_in.ref,
        now=now,
    )
