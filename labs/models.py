"""Blood tests, their results, the draw before each course, and what was uploaded."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from cycles.models import Cycle
from il2tracker.accounts.models import Patient
from il2tracker.records import PatientRecord, PatientRecordQuerySet
from il2tracker.refs import new_ref
from labs import units as written

UPLOAD_KEPT = timedelta(hours=24)  # app's own: how long an upload waits to be confirmed


class Analyte(models.Model):
    """One blood test: its own unit, the units people may use, what is refused or asked, whether IL-2 timing matters.

    `units` maps the code of each unit to what turns it into the canonical one ("1", "*1000", "/88.4"). `loinc` is the
    test's own, `loincs` others that mean the same. `group` gathers tests on pages.
    """

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    loinc = models.CharField(max_length=10, blank=True)
    canonical_unit = models.CharField(max_length=20)
    units = models.JSONField()
    hard_low = models.DecimalField(max_digits=20, decimal_places=6)
    hard_high = models.DecimalField(max_digits=20, decimal_places=6)
    soft_low = models.DecimalField(max_digits=20, decimal_places=6)
    soft_high = models.DecimalField(max_digits=20, decimal_places=6)
    jump = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    timing_matters = models.BooleanField(
        help_text=_("IL-2 makes this test unreliable for a month. Never for safety tests (H19).")
    )
    may_be_undetected = models.BooleanField(default=False)
    group = models.CharField(max_length=20, default="immune")
    loincs = models.JSONField(default=list)
    synonyms = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField(default=0)
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def rule(self) -> written.Rule:
        """The pure rules of this test."""
        fields = ("code", "name", "canonical_unit", "units", "jump", "timing_matters", "may_be_undetected")
        bounds = ("hard_low", "hard_high", "soft_low", "soft_high")
        return written.rule_from({name: getattr(self, name) for name in (*fields, *bounds)})

    @property
    def unit_words(self) -> str:
        """Its own unit as people read it."""
        return written.UNITS[self.canonical_unit].words if self.canonical_unit else ""


def rules() -> dict[str, written.Rule]:
    """Rules of every test by code."""
    return {analyte.code: analyte.rule for analyte in Analyte.objects.all()}


class LabResultQuerySet(PatientRecordQuerySet):
    """Results by what they are for."""

    def standing(self) -> LabResultQuerySet:
        """Not removed."""
        return self.filter(voided_at__isnull=True)

    def newest_first(self) -> LabResultQuerySet:
        """By the day and moment of the draw."""
        return self.order_by("-drawn_on", models.F("drawn_at").desc(nulls_last=True), "analyte__position", "pk")

    def with_facts(self) -> LabResultQuerySet:
        """Loads what a list of results shows."""
        return self.select_related("analyte", "entered_by", "patient")

    def of_tests(self, *codes: str) -> LabResultQuerySet:
        """Results of these tests."""
        return self.filter(analyte__code__in=codes)


class LabResult(PatientRecord):
    """One result as it was written. A correction keeps the old version in the history; removal voids, never deletes.

    `unit` is "" where the printed unit (`unit_text`) is not known; `text` holds a result in words. `test_name` is what
    the laboratory called the test, needed for tests outside the catalogue. `external_id` names the result in the
    sending system, over all its versions; `flag` is the laboratory's own mark beside it.
    """

    class Source(models.TextChoices):
        PATIENT = "patient", _("entered by the patient")
        CARER = "carer", _("entered for the patient")
        CLINIC = "clinic", _("entered by the clinic")

    class Status(models.TextChoices):
        PRELIMINARY = "preliminary", _("preliminary")
        FINAL = "final", _("final")
        CORRECTED = "corrected", _("corrected")

    analyte = models.ForeignKey(Analyte, on_delete=models.PROTECT, related_name="+")
    test_name = models.CharField(max_length=120, blank=True)
    comparator = models.CharField(
        max_length=2, choices=[("=", "="), ("<", "<"), (">", ">"), ("<=", "≤"), (">=", "≥")], default="="
    )
    value = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    unit_text = models.CharField(max_length=40, blank=True)
    raw = models.CharField(max_length=60, blank=True)
    text = models.TextField(max_length=2000, blank=True)
    detected = models.BooleanField(null=True, blank=True)
    drawn_on = models.DateField()
    drawn_at = models.DateTimeField(null=True, blank=True)
    zone = models.CharField(max_length=60)
    specimen = models.CharField(max_length=40, blank=True)
    printed_range = models.CharField(max_length=60, blank=True)
    flag = models.CharField(max_length=20, blank=True)
    laboratory = models.CharField(max_length=120, blank=True)
    external_id = models.CharField(max_length=160, blank=True)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.FINAL)
    source = models.CharField(max_length=7, choices=Source.choices)
    note = models.TextField(max_length=2000, blank=True)
    fingerprint = models.CharField(max_length=320)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    batch = models.ForeignKey("ImportBatch", on_delete=models.SET_NULL, null=True, blank=True, related_name="results")
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    void_reason = models.CharField(max_length=200, blank=True)
    history = HistoricalRecords()

    objects = LabResultQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-drawn_on"], name="results_of_patient"),
            models.Index(
                fields=["patient", "external_id"], condition=~Q(external_id=""), name="results_by_their_sender"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "fingerprint"],
                condition=Q(voided_at__isnull=True),
                name="one_standing_result_per_fingerprint",
                violation_error_message=_("You already have this result."),
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0) | Q(value__isnull=True, detected=False) | Q(value__isnull=True) & ~Q(text=""),
                name="result_has_value_or_was_not_detected",
                violation_error_message=_("A result needs a value, or the words “not detected”."),
            ),
            models.CheckConstraint(
                condition=Q(comparator="=") | Q(value__isnull=False),
                name="less_or_more_than_needs_a_value",
                violation_error_message=_("“Less than” and “more than” need a number."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.analyte_id} {self.drawn_on}"

    @property
    def reading(self) -> written.Reading:
        """What was written, as numbers."""
        return written.Reading(
            self.comparator, self.value, self.unit, self.detected, self.raw, self.unit_text, self.text
        )

    @property
    def own_value(self) -> Decimal | None:
        """The value in the test's own unit; None where it has none, or its unit is not known."""
        if not self.unit:
            return None
        return written.in_own_unit(self.analyte.rule, self.reading).value

    @property
    def local_drawn_at(self) -> datetime | None:
        """When blood was taken, on the clock of the place where it was recorded."""
        return self.drawn_at.astimezone(ZoneInfo(self.zone)) if self.drawn_at else None


class ToSeeQuerySet(PatientRecordQuerySet):
    """What has to be seen, by whether it was."""

    def open(self) -> ToSeeQuerySet:
        """Nobody has seen it yet."""
        return self.filter(seen_at__isnull=True)


class ToSee(PatientRecord):
    """What a person of the clinic has to see about a result, until one has: why, whose doing, who saw it and when."""

    class Why(models.TextChoices):
        OUTSIDE = "outside", _("outside its printed range")
        CHANGED = "changed", _("changed")
        REMOVED = "removed", _("removed")

    result = models.ForeignKey(LabResult, on_delete=models.CASCADE, related_name="to_see")
    why = models.CharField(max_length=7, choices=Why.choices)
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    history = HistoricalRecords()

    objects = ToSeeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient"], condition=Q(seen_at=None), name="results_nobody_saw")]
        constraints = [
            models.UniqueConstraint(
                fields=["result", "why"], condition=Q(seen_at=None), name="to_see_once_for_each_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.why} {self.result_id}"


class Bloodwork(PatientRecord):
    """The draw before one course: when it is booked for and when blood was taken."""

    cycle = models.OneToOneField(Cycle, on_delete=models.CASCADE, related_name="bloodwork")
    booked_for = models.DateField(null=True, blank=True)
    drawn_on = models.DateField(null=True, blank=True)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return f"blood test before course {self.cycle.number}"


class ImportBatchQuerySet(models.QuerySet[Any]):
    """Uploads. Only the person who uploaded ever sees one."""

    def visible_to(self, user: Any) -> ImportBatchQuerySet:
        """The person's own uploads, of patients whom he or she may still see."""
        mine = self.filter(owner_id=user.pk or 0)
        return mine.filter(Q(patient__isnull=True) | Q(patient__in=Patient.objects.visible_to(user)))

    def waiting(self, now: datetime) -> ImportBatchQuerySet:
        """Neither confirmed nor expired."""
        return self.filter(state=ImportBatch.State.WAITING, expires_at__gt=now)


class ImportBatch(models.Model):
    """An uploaded file. Its text waits here until it is confirmed, dropped or a day old, then it is forgotten.

    `patient` is empty when the file holds rows of several patients of a clinic. `replaced` lists what a confirmed batch
    took the place of, so that it can be undone whole: [key of the result, its version before, its version after], both
    as keys of its history (0 = the batch made it).
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("not confirmed yet")
        DONE = "done", _("added")
        DROPPED = "dropped", _("not added")
        UNDONE = "undone", _("added, then undone")

    class Format(models.TextChoices):
        TABLE = "table", _("table")
        RECORD = "record", _("record of a diary")
        FHIR = "fhir", "FHIR"
        HL7 = "hl7", "HL7"

    ref = models.CharField(max_length=10, unique=True, default=new_ref, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    file_name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    content = models.BinaryField(default=bytes)
    answers = models.JSONField(default=dict)
    outcomes = models.JSONField(default=dict)
    format = models.CharField(max_length=6, choices=Format.choices, default=Format.TABLE)
    replaced = models.JSONField(default=list)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "patient", "digest"],
                condition=Q(state="waiting", patient__isnull=False),
                name="one_waiting_upload_per_patient_and_file",
            ),
            models.UniqueConstraint(
                fields=["owner", "digest"],
                condition=Q(state="waiting", patient__isnull=True),
                name="one_waiting_upload_per_file",
            ),
        ]

    def __str__(self) -> str:
        return f"upload {self.ref}"
