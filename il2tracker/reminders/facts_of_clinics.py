"""What the database knows about urgent reports, the people of a clinic, and what became of their mails: a few
statements, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from django.db.models import Max, Min, QuerySet

from il2tracker.accounts.models import Membership, Sharing
from il2tracker.alerts.models import Alert
from il2tracker.reminders import kinds
from il2tracker.reminders.clocks import from_now
from il2tracker.reminders.models import Reminder, State
from il2tracker.reminders.of_alerts import Member, Report, Team
from il2tracker.reminders.of_clinics import MemberFact
from il2tracker.reminders.wishes import Reason

FOUND_OUT_FOR = timedelta(days=1)  # app's own: so long after its mails expired it is still noted what became of them


def is_report_open() -> bool:
    """Whether any clinic may still have to be told of anything."""
    rows = Alert.objects.open().filter(tier__in=Alert.URGENT)
    return rows.filter(raised_at__gt=from_now(-kinds.RED_FLAG_EXPIRES)).exists()


def reports(since: datetime, **whose: Any) -> list[Report]:
    """Urgent reports of which somebody may still be told at `since`, answered ones too, oldest first."""
    return _reports(raised_at__gt=since - kinds.RED_FLAG_EXPIRES, **whose)


def report(patient_id: int, raised_at: datetime, occurrence: str) -> Report | None:
    """One report as it stands now."""
    found = _reports(patient=patient_id, raised_at=raised_at)
    return next((each for each in found if each.occurrence == occurrence), None)


def _reports(**which: Any) -> list[Report]:
    rows = list(_alert_question().filter(**which))
    teams = _teams({row["patient_id"] for row in rows}) if rows else {}
    groups = [list(group) for _entry, group in groupby(rows, key=lambda row: [row[name] for name in ENTRY])]
    return [_report(group, teams) for group in groups]


ENTRY = ("raised_at", "patient_id", "source", "source_ref")


@cache
def _alert_question() -> QuerySet[Alert, dict[str, Any]]:
    rows = Alert.objects.filter(tier__in=Alert.URGENT).order_by(*ENTRY, "pk")
    return rows.values("ref", "tier", "patient_answer", *ENTRY, "patient__time_zone", "acknowledged_at", "closed_at")


def _report(alerts: list[dict[str, Any]], teams: dict[int, list[Team]]) -> Report:
    first = alerts[0]
    return Report(
        refs=tuple(alert["ref"] for alert in alerts),
        patient_id=first["patient_id"],
        zone=first["patient__time_zone"],
        raised_at=first["raised_at"],
        is_open=any(alert["acknowledged_at"] is None and alert["closed_at"] is None for alert in alerts),
        is_emergency=any(alert["tier"] == Alert.Tier.EMERGENCY for alert in alerts),
        answer=next((alert["patient_answer"] for alert in alerts if alert["patient_answer"]), ""),
        teams=tuple(teams.get(first["patient_id"], ())),
    )


def _teams(patients: Collection[int]) -> dict[int, list[Team]]:
    """Patient → the clinics that he shares with now, with their people; he himself is nobody's clinician."""
    found: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in _team_question().filter(patient__in=patients):
        found.setdefault((row["patient_id"], row["clinic_id"]), []).append(row)
    teams: dict[int, list[Team]] = {}
    for (patient_id, _clinic), rows in found.items():
        teams.setdefault(patient_id, []).append(_team(rows))
    return teams


@cache
def _team_question() -> QuerySet[Sharing, dict[str, Any]]:
    member = "clinic__memberships__"
    rows = Sharing.objects.open().with_clinics().order_by("pk", f"{member}on_call_rank", f"{member}pk")
    names = (f"{member}user_id", f"{member}user__is_active", f"{member}on_call_rank")
    return rows.values("patient_id", "patient__user_id", "clinic_id", "clinic__name", "clinic__escalate_after", *names)


def _team(rows: list[dict[str, Any]]) -> Team:
    member = "clinic__memberships__"
    people = (row for row in rows if row[f"{member}user_id"] not in {None, row["patient__user_id"]})
    return Team(
        clinic_id=rows[0]["clinic_id"],
        name=rows[0]["clinic__name"],
        wait=timedelta(minutes=rows[0]["clinic__escalate_after"]),
        members=tuple(
            Member(row[f"{member}user_id"], row[f"{member}on_call_rank"], row[f"{member}user__is_active"])
            for row in people
        ),
    )


def unsettled(now: datetime) -> list[Alert]:
    """Urgent alerts about which it is not known yet whether a mail left, or whether it reached anybody: also those that
    nobody can be told of any more, as long as there is something to find out."""
    urgent = Alert.objects.filter(tier__in=Alert.URGENT, raised_at__gt=now - FOUND_OUT_FOR - kinds.RED_FLAG_EXPIRES)
    rows = urgent.select_related("patient").order_by("pk")
    return [row for row in rows if row.notified_at is None or (row.is_open and row.nobody_reached_at is None)]


def told(names: Iterable[str]) -> dict[str, tuple[datetime, datetime]]:
    """Name of a report → when the first and the last mail about it was taken by a mail server."""
    sent = Reminder.objects.filter(kind=kinds.RED_FLAG, state=State.SENT, occurrence__in=list(names))
    rows = sent.values_list("occurrence").annotate(first=Min("accepted_at"), last=Max("accepted_at"))
    return {name: (first, last) for name, first, last in rows.order_by("occurrence")}


# The weekly summary


def members(**which: Any) -> list[MemberFact]:
    """Everybody who works in a clinic, or those of them whom the question is about."""
    names = ("user_id", "user__is_active", "user__date_joined", "clinic__ref", "clinic__time_zone")
    return [MemberFact(*row) for row in Membership.objects.filter(**which).order_by("pk").values_list(*names)]


def empty_digests(now: datetime) -> set[str]:
    """Keys of the summaries of these hours that had nothing to say."""
    rows = Reminder.objects.filter(kind=kinds.DIGEST, cancel_reason=Reason.EMPTY, expires_at__gt=now)
    return set(rows.values_list("key", flat=True))
