"""What must hold of the outbox at any moment (reliability.md 2f), each as one question to the database.

I3, no dose mail twice, only the receiving mail server can say. What was true when a mail was marked may have changed
since by right: a question about the past therefore excuses whatever the access log shows to have been written later.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from cycles.models import Cycle, Hold, Injection, PlannedDose
from il2tracker.accounts.models import Membership, Patient, Sharing
from il2tracker.alerts.models import Alert, Step, Transition
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import claiming, kinds, sources
from il2tracker.reminders.models import Heartbeat, Preference, Reminder, State

SETTLED_AFTER = timedelta(minutes=5)
ONE_DAY = timedelta(days=1)
REQUEST = timedelta(seconds=30)  # between reading the clock in a request and the commit of what it records
FIRST_MARK_AFTER = F("handing_over_at") - REQUEST
TO_CLINICS = (kinds.RED_FLAG, kinds.DIGEST, kinds.TO_CALL)
ABOUT_COURSES = tuple(kind.name for kind in kinds.DAY_KINDS)


def broken(now: datetime) -> list[str]:
    """One sentence per invariant that does not hold at `now` (the database's clock); [] when all is well."""
    counted = ((sentence, question(now)) for sentence, question in QUESTIONS.items())
    return [f"{sentence}: {count}" for sentence, count in counted if count]


# I1, I2


def _twice(field: str) -> Callable[[datetime], int]:
    def count(now: datetime) -> int:
        return Reminder.objects.values(field).annotate(rows=Count("pk")).filter(rows__gt=1).count()

    return count


def _silent(now: datetime) -> int:
    late = now - SETTLED_AFTER - claiming.lease()
    return Reminder.objects.filter(state__in=[State.PLANNED, State.SENDING], expires_at__lt=late).count()


def _slots_never_planned(now: datetime) -> int:
    """Slots of the last day that somebody should have been told about and that have no row at all."""
    due = PlannedDose.objects.filter(due_at__gt=now - ONE_DAY, due_at__lt=now - SETTLED_AFTER)
    untouched = due.exclude(Exists(Injection.objects.filter(planned_dose=OuterRef("pk"))))  # nor undone (R9)
    told = untouched.filter(
        patient__user__is_active=True,
        was_held=False,
        cycle__state=Cycle.State.PLANNED,
        cycle__plan__ended_on=None,
        cycle__version__inpatient=False,
        created_at__lt=F("due_at") - SETTLED_AFTER,
    )
    told = told.annotate(key=_key(kinds.INJECTION_DUE, ""))
    return told.exclude(Exists(Reminder.objects.filter(key=OuterRef("key")))).count()


def _key(kind: str, dose: str) -> Concat:
    """The key of a dose's reminder, put together by the database; `dose` leads from the row to its planned dose."""
    owner, cycle, day = (Cast(f"{dose}{name}", CharField()) for name in ("patient__user_id", "cycle_id", "day"))
    return Concat(Value(f"{kind}:"), owner, Value(":c"), cycle, Value("/d"), day, Value("/"), F(f"{dose}slot"))


def _dates_never_planned(now: datetime) -> int:
    """What is due some days before a course and has no row although the planner has worked since, of people in whose
    record nothing was written just now. That the planner works at all, /healthz says."""
    planned_at = Heartbeat.read().planned_at
    if planned_at is None:
        return 0
    since = min(now, planned_at) - SETTLED_AFTER
    every = sources.SOURCE_OF[ABOUT_COURSES[0]].every(sources.Round(now, now))
    due = {wish.key: wish.patient_id for wish in every if wish.due_at < since < wish.expires_at and not wish.unwanted}
    known = set(Reminder.objects.filter(kind__in=ABOUT_COURSES, expires_at__gt=since).values_list("key", flat=True))
    return len([key for key, patient in due.items() if key not in known and patient not in _busy(now)])


def _busy(now: datetime) -> set[int]:
    written = AuditEvent.objects.filter(at__gt=now - SETTLED_AFTER).exclude(patient_ref="")
    return set(Patient.objects.filter(ref__in=written.values("patient_ref")).values_list("pk", flat=True))


# I4, I5


def _too_late(now: datetime) -> int:
    return Reminder.objects.filter(accepted_at__gt=F("expires_at") + claiming.smtp_timeout()).count()


def _marked(*of: str) -> QuerySet[Reminder]:
    return Reminder.objects.filter(handing_over_at__isnull=False, **({"kind__in": of} if of else {}))


def _after_the_record(now: datetime) -> int:
    """Records that had been made when a mail about their slot was marked, undone ones too (R9)."""
    names = (kinds.INJECTION_DUE, kinds.INJECTION_MISSING)
    records = Injection.objects.filter(planned_dose__isnull=False).annotate(
        since=F("recorded_at") + REQUEST, **{name: _key(name, "planned_dose__") for name in names}
    )
    marked = Reminder.objects.filter(key__in=[OuterRef(name) for name in names], handing_over_at__gt=OuterRef("since"))
    return records.filter(Exists(marked)).count()


def _against_a_hold(now: datetime) -> int:
    """ "Hold wins": of the hold's own course, or of a report that nobody had closed and after which nobody had spoken
    with the patient. After "I cannot reach them" whoever had spoken before does not count."""
    doses = _marked(*kinds.DOSE_KINDS).annotate(marked_for=FIRST_MARK_AFTER)
    before, still = Q(raised_at__lt=OuterRef("marked_for")), Q(patient=OuterRef("patient"))
    held = Hold.objects.filter(before, still, Q(lifted_at=None) | Q(lifted_at__gt=OuterRef("handing_over_at")))
    not_closed = Q(closed_at=None) | Q(closed_at__gt=OuterRef("handing_over_at"))
    reported = Alert.objects.filter(before, still, not_closed, ~Exists(_let_go()), holds=True)
    return doses.filter(Exists(held) | Exists(reported)).count()


def _let_go() -> QuerySet[Transition]:
    """What let the mails of an alert leave before one was marked, as long as the patient wrote nothing to end that."""
    marked, marked_for = (OuterRef(OuterRef(name)) for name in ("handing_over_at", "marked_for"))
    said = Transition.objects.filter(alert_ref=OuterRef("ref"))
    cannot_reach = Transition.objects.filter(
        alert_ref=OuterRef("alert_ref"),
        what=f"answered_{Alert.Answer.NOT_REACHED}",
        at__gt=OuterRef("at"),
        at__lt=OuterRef(marked_for),
    )
    return said.filter(~Exists(cannot_reach), what__in=Step.SETTLES, at__lte=marked)


def _against_a_switch(now: datetime) -> int:
    """Kinds that are off now, were not touched since, and were marked after that."""
    switch = Case(*[When(kind=name, then=Value(policy.preference)) for name, policy in kinds.POLICIES.items()])
    marked = _marked().annotate(switch=switch, user_ref=F("recipient__ref"))
    off = Preference.objects.filter(user=OuterRef("recipient"), kind=OuterRef("switch"), is_on=False)
    chosen = AuditEvent.objects.filter(actor_ref=OuterRef("user_ref"), action__startswith="reminders.preference")
    last = Subquery(chosen.order_by("-at").values("at")[:1])
    return marked.filter(Exists(off)).annotate(last=last).filter(handing_over_at__gt=F("last") + REQUEST).count()


def _against_the_plan(now: datetime) -> int:
    """Mails that named another hour or amount than the plan, though nobody touched plan or course since."""
    doses = _marked(*kinds.DOSE_KINDS).annotate(marked_for=FIRST_MARK_AFTER, patient_ref=F("patient__ref"))
    as_named = PlannedDose.objects.filter(patient=OuterRef("patient"), due_at=OuterRef("says_at"))
    written = AuditEvent.objects.filter(patient_ref=OuterRef("patient_ref"), at__gt=OuterRef("marked_for"))
    changed = written.filter(action__regex=r"^cycles\.(plan|cycle|hold)\.")
    found = doses.exclude(Exists(as_named.filter(amount=OuterRef("says_amount"))))
    return found.filter(says_at__isnull=False).exclude(Exists(changed)).count()


# I6, I7, I8


def _forgotten(now: datetime) -> int:
    two_sweeps = timedelta(seconds=2 * settings.SWEEP_EVERY_SECONDS)
    return Reminder.objects.filter(state=State.SENDING, lease_until__lt=now - two_sweeps).count()


def _to_nobody(now: datetime) -> int:
    return _marked().filter(Q(recipient=None) | Q(recipient__email="")).count()


def _to_a_stranger(now: datetime) -> int:
    """About a patient, and to somebody who is neither the patient, nor helps, nor works where the patient is cared for.
    Whoever was one of these when the mail left may have ceased to be since: the log says so."""
    rows = (
        _marked().filter(patient__isnull=False, recipient__isnull=False).annotate(user=Coalesce("patient__user_id", 0))
    )
    others = rows.exclude(recipient=F("user")).annotate(marked_for=FIRST_MARK_AFTER, patient_ref=F("patient__ref"))
    shared = Sharing.objects.filter(patient=OuterRef("patient"))
    shared = shared.filter(Q(revoked_at=None) | Q(revoked_at__gt=OuterRef("handing_over_at")))
    team = Membership.objects.filter(user=OuterRef(OuterRef("recipient")), clinic=OuterRef("clinic"))
    since = AuditEvent.objects.filter(action__startswith="accounts.", at__gt=OuterRef("marked_for"))
    untold = since.filter(patient_ref=OuterRef("patient_ref"))
    told = Q(Exists(shared.filter(person=OuterRef("recipient"), told_if_not_recorded=True))) | Q(Exists(untold))
    works = Q(Exists(shared.filter(Exists(team)))) | Q(Exists(since))
    allowed = Q(told, kind=kinds.CARER_MISSING) | Q(works, kind__in=TO_CLINICS)
    return others.exclude(allowed).count()


def _nowhere(now: datetime) -> int:
    """The states add up to all rows."""
    return Reminder.objects.count() - Reminder.objects.filter(state__in=State.values).count()


def _kept_address(now: datetime) -> int:
    return Reminder.objects.exclude(address="").exclude(state__in=[State.PLANNED, State.SENDING]).count()


QUESTIONS: dict[str, Callable[[datetime], int]] = {
    "I1 the same reminder exists twice": _twice("key"),
    "I1 two reminders have one Message-ID": _twice("message_uuid"),
    "I2 a reminder is neither sent nor visibly ended although its time is over": _silent,
    "I2 a slot came and nobody planned its reminder": _slots_never_planned,
    "I2 a day before a course came and nobody planned its reminder": _dates_never_planned,
    "I4 a mail was accepted after its time was over": _too_late,
    "I5 a mail was marked although its injection was recorded": _after_the_record,
    "I5 a mail asked for an injection although a hold was on": _against_a_hold,
    "I5 a mail was marked although its reader had switched it off": _against_a_switch,
    "I5 a mail was marked although the plan said something else": _against_the_plan,
    "I6 a reminder is being sent for longer than its lease": _forgotten,
    "I7 a mail went to nobody": _to_nobody,
    "I7 a mail about a patient went to somebody who has nothing to do with it": _to_a_stranger,
    "I8 a reminder is in no known state": _nowhere,
    "I8 an address that somebody typed outlived its reminder": _kept_address,
}
