"""What the database knows about urgent reports, the people of a clinic, and what became of their mails: a few
statements, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from django.db.models import Max, Min, Q, QuerySet

from il2tracker.accounts.models import Membership, Sharing, User
from il2tracker.alerts.models import Alert, Transition
from il2tracker.reminders import kinds
from il2tracker.reminders.clocks import from_now
from il2tracker.reminders.models import Reminder, State
from il2tracker.reminders.of_alerts import Member, Report, Team, report_of
from il2tracker.reminders.of_calls import ToCall
from il2tracker.reminders.of_clinics import MemberFact
from il2tracker.reminders.wishes import Reason

FOUND_OUT_FOR = timedelta(days=1)  # app's own: so long after its mails expired it is still noted what became of them


def is_report_open() -> bool:
    """Whether any clinic may still have to be told of anything."""
    rows = Alert.objects.waiting().filter(tier__in=Alert.URGENT)
    return rows.filter(_since(from_now(-kinds.RED_FLAG_EXPIRES))).exists()


def _since(moment: Any) -> Q:
    """Raised since then, or with an alert of the same moment of which the patient wrote since then that nobody can be
    reached: a report is read whole, because it is named after its first alert."""
    called = Alert.objects.filter(patient_answer=Alert.Answer.NOT_REACHED, patient_answered_at__gt=moment)
    return Q(raised_at__gt=moment) | Q(patient__in=called.values("patient"), raised_at__in=called.values("raised_at"))


def reports(since: datetime, **whose: Any) -> list[Report]:
    """Urgent reports of which somebody may still be told at `since`, answered ones too, oldest first."""
    return _reports(_since(since - kinds.RED_FLAG_EXPIRES), **whose)


def report(patient_id: int, raised_at: datetime, occurrence: str) -> Report | None:
    """One report as it stands now."""
    found = _reports(patient=patient_id, raised_at=raised_at)
    return next((each for each in found if each.occurrence == report_of(occurrence)), None)


def _reports(*which: Q, **whose: Any) -> list[Report]:
    rows = list(_alert_question().filter(*which, **whose))
    teams = _teams({row["patient_id"] for row in rows}) if rows else {}
    calls = _calls([row["ref"] for row in rows if row["patient_answer"] == Alert.Answer.NOT_REACHED])
    groups = [list(group) for _entry, group in groupby(rows, key=lambda row: [row[name] for name in ENTRY])]
    return [_report(group, teams, calls) for group in groups]


def _calls(refs: Collection[str]) -> dict[str, list[datetime]]:
    """Alert → when the patient wrote that nobody can be reached, as long as that is the last answer."""
    calls: dict[str, list[datetime]] = {}
    if refs:
        said = Transition.objects.filter(alert_ref__in=refs, what=f"answered_{Alert.Answer.NOT_REACHED}")
        for ref, at in said.order_by("at").values_list("alert_ref", "at"):
            calls.setdefault(ref, []).append(at)
    return calls


ENTRY = ("raised_at", "patient_id", "source", "source_ref")


@cache
def _alert_question() -> QuerySet[Alert, dict[str, Any]]:
    rows = Alert.objects.with_last_step().filter(tier__in=Alert.URGENT).order_by(*ENTRY, "pk")
    names = ("ref", "tier", "patient_answer", "patient_answered_at", "acknowledged_at", "closed_at", "settled_at")
    return rows.values(*names, *ENTRY, "patient__time_zone")


def _report(alerts: list[dict[str, Any]], teams: dict[int, list[Team]], calls: dict[str, list[datetime]]) -> Report:
    first = alerts[0]
    did = [_did(alert) for alert in alerts]
    return Report(
        refs=tuple(alert["ref"] for alert in alerts),
        patient_id=first["patient_id"],
        zone=first["patient__time_zone"],
        raised_at=first["raised_at"],
        is_open=any(_is_waiting(alert) for alert in alerts),
        is_emergency=any(alert["tier"] == Alert.Tier.EMERGENCY for alert in alerts),
        answer=next((alert["patient_answer"] for alert in alerts if alert["patient_answer"]), ""),
        teams=tuple(teams.get(first["patient_id"], ())),
        calls=tuple(sorted({call for alert in alerts for call in calls.get(alert["ref"], ())})),
        stopped_at=None if None in did else max(filter(None, did)),
    )


def _did(alert: dict[str, Any]) -> datetime | None:
    """When somebody of the clinic took it in hand, spoke with the patient or closed it last."""
    seen, settled = alert["acknowledged_at"], alert["settled_at"]
    return max(seen, settled) if seen and settled else seen


def _is_waiting(alert: dict[str, Any]) -> bool:
    if alert["closed_at"] is not None:
        return False
    did = _did(alert)
    cannot_reach = alert["patient_answer"] == Alert.Answer.NOT_REACHED
    return did is None or (cannot_reach and alert["patient_answered_at"] > did)


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


# What has to be called about today


def calls_waiting(**which: Any) -> dict[str, list[ToCall]]:
    """Clinic → the reports to call about of patients that share with it now, that nobody has acknowledged."""
    found: dict[str, list[ToCall]] = {}
    for alert in _to_call_question().filter(**which):
        found.setdefault(alert["patient__sharings__clinic__ref"], []).append(
            ToCall(alert["raised_at"], alert["patient__user_id"])
        )
    return found


@cache
def _to_call_question() -> QuerySet[Alert, dict[str, Any]]:
    shared = Sharing.objects.open().with_clinics()
    rows = Alert.objects.waiting().filter(tier=Alert.Tier.AMBER, patient__sharings__in=shared)
    return rows.order_by("raised_at", "pk").values("patient__sharings__clinic__ref", "raised_at", "patient__user_id")


def to_call(user: User, clinic_ref: str) -> list[tuple[str, datetime]]:
    """Codes of these patients and since when they wait, the oldest first; nobody is his own clinician."""
    shared = Sharing.objects.open().filter(clinic__ref=clinic_ref, clinic__memberships__user=user).values("patient")
    rows = Alert.objects.waiting().filter(tier=Alert.Tier.AMBER, patient__in=shared).exclude(patient__user=user)
    found: dict[str, datetime] = {}
    for code, raised_at in rows.order_by("raised_at", "pk").values_list("patient__code", "raised_at"):
        found.setdefault(code, raised_at)
    return list(found.items())
