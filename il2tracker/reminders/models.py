"""The outbox of reminders, what people chose about them, and when the machine last worked."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Max, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from cycles.models import Cycle
from il2tracker.accounts.models import Patient
from il2tracker.records import PatientRecord
from il2tracker.reminders import kinds


class Kind(models.TextChoices):
    """What a reminder is about, as the signed-in person reads it."""

    INJECTION_DUE = kinds.INJECTION_DUE, _("Injection due")
    INJECTION_AGAIN = kinds.INJECTION_AGAIN, _("Injection, put off")
    INJECTION_MISSING = kinds.INJECTION_MISSING, _("Injection not recorded")
    CARER_MISSING = kinds.CARER_MISSING, _("Not recorded, of somebody I help")
    CYCLE_WEEK = kinds.CYCLE_WEEK, _("One week before a course")
    CYCLE_DAY = kinds.CYCLE_DAY, _("The day before a course")
    BLOODWORK_BOOK = kinds.BLOODWORK_BOOK, _("Blood test to book")
    BLOODWORK_DUE = kinds.BLOODWORK_DUE, _("Blood test due")
    BLOODWORK_OVERDUE = kinds.BLOODWORK_OVERDUE, _("Blood test overdue")
    RESULTS_MISSING = kinds.RESULTS_MISSING, _("Blood results missing")
    PLAN_CHANGED = kinds.PLAN_CHANGED, _("A change of my plan")
    CHECK_IN = kinds.CHECK_IN, _("A check-in")
    PAUSED = kinds.PAUSED, _("Reminders paused")
    RED_FLAG = kinds.RED_FLAG, _("Urgent report")
    DIGEST = kinds.DIGEST, _("Weekly summary")
    TO_CALL = kinds.TO_CALL, _("Reports to call about, each morning")
    PASSWORD_RESET = kinds.PASSWORD_RESET, _("A new password")
    PASSWORD_CHANGED = kinds.PASSWORD_CHANGED, _("Password changed")
    TEST = kinds.TEST, _("Test mail")


class State(models.TextChoices):
    """Where a reminder stands. `sending` with `handing_over_at` set is "marked": the mail server may have it."""

    PLANNED = "planned", _("planned")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    CANCELLED = "cancelled", _("not needed")
    EXPIRED = "expired", _("too late")
    DEAD = "dead", _("given up")
    UNCERTAIN = "uncertain", _("perhaps sent")


class WaitsFor(models.TextChoices):
    """Why a planned reminder has not left although it was due."""

    QUIET = "quiet", _("the end of the quiet hours")
    CAP = "cap", _("the next day: enough mails today")


_ABOUT_DOSES = tuple(name for name, policy in kinds.POLICIES.items() if policy.urgency == kinds.Urgency.DOSE)
# What its reader's own choice ended: it could only have left when its time was over.
_BY_THE_CAP = Q(waits_for=WaitsFor.CAP, next_attempt_at__gte=F("expires_at"))
_BY_QUIET_HOURS = Q(waits_for=WaitsFor.QUIET, next_attempt_at__gte=F("expires_at"))


def _by_a_restore() -> Q:
    """The restore ended what was due before it and would have lived longer."""
    never = Value(datetime(1970, 1, 1, tzinfo=UTC), models.DateTimeField())
    restored = Coalesce(Subquery(Heartbeat.objects.values("restored_at")[:1]), never)
    return Q(due_at__lte=restored, expires_at__gte=restored)


class ReminderQuerySet(models.QuerySet["Reminder"]):
    """Rows of the outbox."""

    def visible_to(self, user: Any) -> ReminderQuerySet:
        """The person's own reminders."""
        return self.filter(recipient=user) if user.is_authenticated else self.none()

    def too_late(self, since: datetime) -> ReminderQuerySet:
        """Wanted, but their time was over before anybody sent them, by the machine's fault: staff must see these."""
        return self._over(since).exclude(_BY_THE_CAP).exclude(_BY_QUIET_HOURS).exclude(_by_a_restore())

    def too_many(self, since: datetime) -> ReminderQuerySet:
        """Their time was over before the day came on which their reader had a place for them."""
        return self._over(since).filter(_BY_THE_CAP)

    def doses_too_many(self, since: datetime) -> ReminderQuerySet:
        """Those of them that were about injections."""
        return self.too_many(since).filter(kind__in=_ABOUT_DOSES)

    def ended_by_restore(self, since: datetime) -> ReminderQuerySet:
        """Due before a backup was put back: they may have left after it was made, so none of them leaves."""
        return self._over(since).exclude(_BY_THE_CAP).filter(_by_a_restore())

    def _over(self, since: datetime) -> ReminderQuerySet:
        return self.filter(state=State.EXPIRED, expires_at__gte=since)

    def health(self, now: datetime) -> dict[str, Any]:
        """Counts per state, what waits for another try, what is overdue, the newest failure and success."""
        overdue = Q(state__in=[State.PLANNED, State.SENDING], due_at__lt=now - timedelta(minutes=5))
        counts = {f"{state}_count": Count("pk", filter=Q(state=state)) for state in State.values}
        row: dict[str, Any] = self.aggregate(
            **counts,
            retrying_count=Count("pk", filter=Q(state=State.PLANNED, attempts__gt=0)),
            overdue_count=Count("pk", filter=overdue),
            last_accepted_at=Max("accepted_at"),
        )
        failing = self.exclude(last_error_class="").order_by("-failed_at")
        row["last_error_class"] = failing.values_list("last_error_class", flat=True).first() or ""
        return row


class Reminder(models.Model):
    """One thing to tell one person once. The row is the truth; the broker only wakes somebody up to look at it."""

    key = models.CharField(max_length=200, unique=True)
    urgency = models.PositiveSmallIntegerField(default=kinds.Urgency.DAY)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    occurrence = models.CharField(max_length=60)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    address = models.EmailField(
        max_length=254, blank=True, help_text=_("as typed by somebody who asks for a new password; empty afterwards")
    )
    slot_local = models.CharField(max_length=16, blank=True)
    zone = models.CharField(max_length=60)
    says_at = models.DateTimeField(null=True, blank=True)
    says_amount = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    says_on = models.DateField(null=True, blank=True)
    says_from = models.DateField(null=True, blank=True)
    says_to = models.DateField(null=True, blank=True)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PLANNED)
    cancel_reason = models.CharField(max_length=20, blank=True)
    waits_for = models.CharField(max_length=5, choices=WaitsFor.choices, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    handing_over_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    message_uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    last_error_class = models.CharField(max_length=60, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    seen_by_staff_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReminderQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["urgency", "next_attempt_at"], condition=Q(state="planned"), name="reminders_waiting"),
            models.Index(fields=["expires_at"], condition=Q(state="planned"), name="reminders_expiring"),
            models.Index(fields=["expires_at"], condition=Q(state="expired"), name="reminders_too_late"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="reminders_leased"),
            models.Index(fields=["next_attempt_at"], condition=Q(state="uncertain"), name="reminders_uncertain"),
            models.Index(fields=["lease_token"], condition=Q(lease_token__isnull=False), name="reminders_by_lease"),
            models.Index(fields=["patient", "due_at"], name="reminders_of_patient"),
            models.Index(fields=["recipient", "due_at"], name="reminders_of_recipient"),
            models.Index(fields=["due_at"], name="reminders_by_age"),
            models.Index(fields=["-failed_at"], condition=~Q(last_error_class=""), name="reminders_failing"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="reminder_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state__in=["planned", "cancelled"]) | Q(handing_over_at__isnull=True),
                name="planned_or_cancelled_is_unmarked",
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="sending_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", accepted_at__isnull=False, handing_over_at__isnull=False)
                | (~Q(state="sent") & Q(accepted_at__isnull=True)),
                name="sent_is_marked_and_accepted",
            ),
            models.CheckConstraint(
                condition=~Q(state="uncertain") | Q(handing_over_at__isnull=False), name="uncertain_is_marked"
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled") & ~Q(cancel_reason="") | ~Q(state="cancelled") & Q(cancel_reason=""),
                name="cancelled_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurrence} {self.state}"

    @property
    def local_slot(self) -> datetime | None:
        """The slot it is about, on that clock; None for kinds that belong to a day."""
        if not self.slot_local:
            return None
        return datetime.fromisoformat(self.slot_local).replace(tzinfo=ZoneInfo(self.zone))


SWITCHES = [
    *(pair for pair in Kind.choices if pair[0] in kinds.ALL_SWITCHES),
    (kinds.DIGEST_EMPTY, _("The summary also when there is nothing to do")),
]


class PreferenceQuerySet(models.QuerySet["Preference"]):
    """What people chose."""

    def visible_to(self, user: Any) -> PreferenceQuerySet:
        """The person's own choices."""
        return self.filter(user=user) if user.is_authenticated else self.none()


class Preference(models.Model):
    """What one person chose for one switch. No row = on, 15 minutes before, "not recorded" after an hour."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, choices=SWITCHES)
    is_on = models.BooleanField(default=True)
    lead_minutes = models.PositiveSmallIntegerField(default=kinds.DEFAULT_LEAD)
    after_minutes = models.PositiveSmallIntegerField(default=kinds.DEFAULT_AFTER)

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="one_preference_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {'on' if self.is_on else 'off'}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """How mail reaches people."""

    def visible_to(self, user: Any) -> DeliveryQuerySet:
        """The person's own row."""
        return self.filter(user=user) if user.is_authenticated else self.none()


class Delivery(models.Model):
    """How mail reaches one person: quiet hours, how many a day, and an address that a server refused for good.

    No row = quiet from 22:00 to 07:00, reminders of injections come all the same, at most 8 a day. Equal hours = never
    quiet. `refused_address` counts only while it is still the person's address.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    quiet_from = models.TimeField(default=kinds.QUIET_FROM)
    quiet_to = models.TimeField(default=kinds.QUIET_TO)
    doses_pass = models.BooleanField(default=True)
    most_per_day = models.PositiveSmallIntegerField(default=kinds.MOST_PER_DAY)
    refused_address = models.EmailField(max_length=254, blank=True)
    refused_cause = models.CharField(max_length=60, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    def __str__(self) -> str:
        return f"quiet {self.quiet_from:%H:%M} to {self.quiet_to:%H:%M}, {self.most_per_day} a day"


class Snooze(PatientRecord):
    """The patient wants to be reminded of a slot once more at `again_at`. The newest one of a slot counts."""

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="+")
    day = models.PositiveSmallIntegerField()
    slot = models.CharField(max_length=20)
    again_at = models.DateTimeField()
    asked_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["cycle", "day", "slot", "-again_at"], name="snoozes_of_slot")]

    def __str__(self) -> str:
        return f"{self.slot} of day {self.day} again at {self.again_at:%Y-%m-%d %H:%M}"


class Heartbeat(models.Model):
    """One row: when the machine last planned and swept, and what the computer's own clock said at the sweep.

    `restored_at`: nothing that was due before it may leave, because it may have left before the backup was put back.
    """

    restored_at = models.DateTimeField(null=True, blank=True)
    planned_at = models.DateTimeField(null=True, blank=True)
    swept_at = models.DateTimeField(null=True, blank=True)
    boot = models.CharField(max_length=40, blank=True)
    running_seconds = models.FloatField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="only_one_heartbeat")]

    def __str__(self) -> str:
        return f"planned {self.planned_at}, swept {self.swept_at}"

    @classmethod
    def read(cls) -> Heartbeat:
        """The one row; unsaved and empty before the first tick."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
