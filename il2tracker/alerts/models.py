"""What a person must look at: raised by any of the three logs, answered by the clinic."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from il2tracker.accounts.models import Patient, Sharing
from il2tracker.records import PatientRecord, PatientRecordQuerySet

HOW = ("what", "at")


class AlertQuerySet(PatientRecordQuerySet):
    """Which alerts still wait for a person."""

    def open(self) -> AlertQuerySet:
        """Nobody has acknowledged it yet. Without a clinic the patient's own answer closes it (A21)."""
        return self.filter(acknowledged_at__isnull=True, closed_at__isnull=True)

    def in_hand(self) -> AlertQuerySet:
        """Acknowledged by a clinic member, and not closed yet."""
        return self.filter(acknowledged_at__isnull=False, closed_at__isnull=True)

    def not_closed(self) -> AlertQuerySet:
        """Open ones and those in hand, each with the last thing that the clinic did, and whether it holds."""
        return self.filter(closed_at__isnull=True).with_hold().select_related("acknowledged_by")

    def waiting(self) -> AlertQuerySet:
        """For whom a person is needed now: open ones, and those in hand of which the patient wrote since that nobody
        can be reached."""
        return self.with_last_step().filter(_IS_OPEN | _IS_LIFTED)

    def with_last_step(self) -> AlertQuerySet:
        """What the clinic did last after acknowledging, its last call, when it last spoke with the patient or closed
        it, and the newest urgent report after it: what `is_lifted` and `read_mark` read."""
        steps = Step.objects.filter(alert=models.OuterRef("pk")).order_by("-at", "-pk")
        calls, settled = steps.filter(what__in=Step.CALLS), steps.filter(what__in=Step.SETTLES)
        newest = {"last_step": steps, "last_call": calls}
        found = {f"{of}_{name}": models.Subquery(rows.values(name)[:1]) for of, rows in newest.items() for name in HOW}
        reports = Alert.objects.urgent_after(models.OuterRef("patient"), models.OuterRef("raised_at")).values("ref")
        settled_at, later_report = models.Subquery(settled.values("at")[:1]), models.Subquery(reports[:1])
        return self.annotate(**found, settled_at=settled_at, later_report=later_report)

    def with_hold(self) -> AlertQuerySet:
        """`with_last_step`, and whether reminders to inject wait for it now, by the rule of `holding`."""
        holds_now = models.Case(models.When(_holds_now(), then=True), default=False)
        return self.with_last_step().annotate(holds_now=holds_now)

    def urgent_after(self, patient: Patient | models.OuterRef, at: datetime | models.OuterRef) -> AlertQuerySet:
        """Urgent reports of this patient that came in after `at`, the newest first."""
        return self.urgent().filter(patient=patient, raised_at__gt=at).order_by("-raised_at", "-pk")

    def with_steps(self) -> AlertQuerySet:
        """With everything that the clinic did about it, and who, and whether it holds: two statements."""
        steps = models.Prefetch("steps", Step.objects.select_related("by"))
        return self.with_hold().select_related("patient", "acknowledged_by").prefetch_related(steps)

    def holding(self) -> AlertQuerySet:
        """Those that hold back every reminder to inject ("hold wins", R1): until they are closed, or the clinic has
        spoken with the patient after the patient wrote last that nobody can be reached."""
        return self.filter(_holds_now())

    def on_today(self, since: datetime) -> AlertQuerySet:
        """What bears on the patient's first page, the most urgent first: what holds, urgent reports since then that a
        person has seen, of both of which the page speaks (`is_shown`), and whatever urgent is not closed."""
        seen = Q(acknowledged_at__isnull=False, raised_at__gt=since, tier__in=Alert.URGENT)
        shown = models.Case(models.When(_holds_now() | seen, then=True), default=False)
        rows = self.with_last_step().annotate(is_shown=shown)
        return rows.filter(Q(is_shown=True) | Q(closed_at=None, tier__in=Alert.URGENT)).most_urgent_first()

    def urgent(self) -> AlertQuerySet:
        """Emergency and red."""
        return self.filter(tier__in=Alert.URGENT)

    def most_urgent_first(self) -> AlertQuerySet:
        """Emergency, red, amber; the oldest of each first."""
        order = models.Case(
            *[models.When(tier=tier, then=rank) for rank, tier in enumerate(Alert.Tier.values)],
            output_field=models.IntegerField(),
        )
        return self.order_by(order, "raised_at", "pk")


class Alert(PatientRecord):
    """One reason to act. `source` and `source_ref` name the entry that raised it; no foreign key upwards (A17)."""

    class Tier(models.TextChoices):
        EMERGENCY = "EMERGENCY", _("Emergency")
        RED = "RED", _("Call now")
        AMBER = "AMBER", _("Call today")

    class Answer(models.TextChoices):
        CALLED = "called", _("I have called")
        NOT_REACHED = "not_reached", _("I cannot reach them")
        MISTAKE = "mistake", _("I ticked this by mistake")

    URGENT = (Tier.EMERGENCY, Tier.RED)

    rule = models.CharField(max_length=12)
    tier = models.CharField(max_length=9, choices=Tier.choices)
    title = models.CharField(max_length=200)
    evidence = models.TextField(blank=True)
    holds = models.BooleanField(help_text=_("whether reminders to inject wait until a person has dealt with it"))
    source = models.CharField(max_length=40)
    source_ref = models.CharField(max_length=20)
    raised_at = models.DateTimeField()
    notified_at = models.DateTimeField(null=True, blank=True)
    nobody_reached_at = models.DateTimeField(null=True, blank=True)
    patient_answer = models.CharField(max_length=11, choices=Answer.choices, blank=True)
    patient_answered_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    last_step_what: str | None = None  # these are known of rows `with_last_step`
    last_step_at: datetime | None = None
    last_call_what: str | None = None
    last_call_at: datetime | None = None
    settled_at: datetime | None = None
    later_report: str | None = None
    is_shown: bool = False  # of rows `on_today`
    holds_now: bool = False  # of rows `with_hold`

    objects = AlertQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-raised_at"], name="alerts_of_patient"),
            models.Index(
                fields=["patient"],
                condition=Q(acknowledged_at__isnull=True, closed_at__isnull=True),
                name="alerts_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.rule}: {self.title}"

    @property
    def is_urgent(self) -> bool:
        """Whether it interrupts: emergency or red."""
        return self.tier in self.URGENT

    @property
    def is_open(self) -> bool:
        """Whether nobody has acknowledged it yet."""
        return self.acknowledged_at is None and self.closed_at is None

    @property
    def is_in_hand(self) -> bool:
        """Whether a clinic member takes care of it and has not closed it."""
        return self.acknowledged_at is not None and self.closed_at is None

    @property
    def is_lifted(self) -> bool:
        """Whether the patient wrote that nobody can be reached, and the two have not spoken since. A note and a call
        that reached nobody change nothing about that. Read `with_last_step`."""
        if not self.is_in_hand or self.patient_answer != self.Answer.NOT_REACHED or self.patient_answered_at is None:
            return False
        return self.patient_answered_at > max(filter(None, [self.acknowledged_at, self.settled_at]))

    @property
    def is_waiting(self) -> bool:
        """Whether a person is needed now: it is open, or lifted to the top again."""
        return self.is_open or self.is_lifted

    @property
    def read_mark(self) -> str:
        """What the patient wrote after it was raised, the newest answer and the newest urgent report, as a mark for a
        page to send back: nothing is dealt with unread. Empty = nothing. Read `with_last_step`."""
        answered = self.patient_answered_at.isoformat() if self.patient_answered_at else ""
        return f"{answered} {self.later_report or ''}".strip()

    def later_reports(self) -> AlertQuerySet:
        """Urgent reports of the patient that came in after it and are not closed, the newest first."""
        return Alert.objects.urgent_after(self.patient, self.raised_at).filter(closed_at__isnull=True)

    def needs_clinic(self) -> bool:
        """Whether a clinic is there to acknowledge it."""
        return Sharing.objects.open().with_clinics().filter(patient=self.patient_id).exists()


class StepQuerySet(PatientRecordQuerySet):
    """What was done about alerts."""


class Step(PatientRecord):
    """What the clinic did about an alert after it was raised, by whom and when. Rows are added, never changed."""

    class What(models.TextChoices):
        NOTE = "note", _("Note")
        REACHED = "reached", _("Called, and spoke with the patient")
        NOT_REACHED = "not_reached", _("Called, and reached nobody")
        CLOSED = "closed", _("Closed")

    CALLS = (What.REACHED, What.NOT_REACHED)
    SETTLES = (What.REACHED, What.CLOSED)

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="steps")
    what = models.CharField(max_length=11, choices=What.choices)
    note = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    objects = StepQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.what} {self.at:%Y-%m-%d %H:%M}"


# The two states for which a person is needed now; the second is of rows `with_last_step`.
_IS_OPEN = Q(acknowledged_at__isnull=True, closed_at__isnull=True)
_IS_LIFTED = Q(
    Q(settled_at__isnull=True) | Q(settled_at__lt=models.F("patient_answered_at")),
    acknowledged_at__lt=models.F("patient_answered_at"),
    closed_at__isnull=True,
    patient_answer=Alert.Answer.NOT_REACHED,
)


def _holds_now() -> Q:
    cannot_reach = Transition.objects.filter(
        alert_ref=models.OuterRef("alert__ref"),
        what=f"answered_{Alert.Answer.NOT_REACHED}",
        at__gte=models.OuterRef("at"),
    )
    spoke = Step.objects.filter(~models.Exists(cannot_reach), alert=models.OuterRef("pk"), what=Step.What.REACHED)
    return Q(~models.Exists(spoke), closed_at__isnull=True, holds=True)


class Transition(models.Model):
    """What happened to an alert. Append-only, without a foreign key, so that erasing a patient never edits it."""

    alert_ref = models.CharField(max_length=10, db_index=True)
    what = models.CharField(max_length=20)
    by_ref = models.CharField(max_length=10, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.alert_ref} {self.what} {self.at:%Y-%m-%d %H:%M}"


def happened(alert: Alert, what: str, by_ref: str, at: datetime) -> Transition:
    """An unsaved transition row of `alert`."""
    return Transition(alert_ref=alert.ref, what=what, by_ref=by_ref, at=at)
