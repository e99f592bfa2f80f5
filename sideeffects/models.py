"""What patients report about how they feel, and the catalogue that gives it words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from il2tracker.alerts.models import Alert
from il2tracker.records import PatientRecord, PatientRecordQuerySet
from sideeffects import answers
from sideeffects.units import Pressure, Temperature, Weight

BROUGHT_BACK = "brought back from a record"
"""What the history of a check-in gives as the reason when it came out of a file, whatever is changed in it later."""
# A civil day anywhere on earth lies within this of the same day in UTC.
ZONE_SLACK = timedelta(hours=26)


class Symptom(models.Model):
    """One thing a person can tick: a red flag, or a chip with a severity. The words are the patient's."""

    class Group(models.TextChoices):
        FLAG = "flag", _("Any of these right now?")
        BODY = "body", _("Whole body")
        STOMACH = "stomach", _("Stomach and mouth")
        SKIN = "skin", _("Skin and injection place")
        MIND = "mind", _("Mood and sleep")
        HEAD = "head", _("Chest, head and eyes")
        WATER = "water", _("Passing urine, hands and feet")

    code = models.SlugField(unique=True)
    word = models.CharField(max_length=120)
    hint = models.CharField(max_length=120, blank=True)
    group = models.CharField(max_length=10, choices=Group.choices)
    flag_for = models.CharField(max_length=10, blank=True, help_text=_("asked as a red flag: all plans, or this one"))
    drip_only = models.BooleanField(default=False)
    more = models.BooleanField(default=False, help_text=_("shown after “More”"))
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.word

    def is_flag(self, indication: str) -> bool:
        """Whether it is asked among the red flags on a plan of this indication ("" = no plan)."""
        return self.flag_for in {"all", indication or "all"}


class Effect(models.Model):
    """One row of the sources' lists of effects (domain.md 1c), with what they say about it."""

    code = models.CharField(max_length=3, unique=True)
    name = models.CharField(max_length=160)
    kidney = models.CharField(max_length=60, blank=True)
    hiv = models.CharField(max_length=80, blank=True)
    lines = models.CharField(max_length=30)
    pro_items = models.CharField(max_length=60, blank=True)
    ctcae = models.CharField(max_length=120, blank=True)
    alert = models.CharField(max_length=80, blank=True)
    level_is_own = models.BooleanField(default=False)
    symptoms = models.ManyToManyField(Symptom, related_name="effects", blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


@dataclass
class DayOfReports:
    """One civil day: worst severity by code (0 = said that there was none), red flags, highest reading.

    `nothing_said` about a symptom is its absence here; `none` = "no other symptoms" was ticked, `none_of_flags` = "none
    of these" was, under the red flags (H27).
    """

    on: date
    check_ins: int = 0
    none: bool = False
    none_of_flags: bool = False
    severities: dict[str, int] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    peak: Temperature | None = None

    def add(self, check_in: CheckIn) -> None:
        """Take in one check-in of this day; its reports have to be loaded."""
        self.check_ins += 1
        self.none = self.none or check_in.no_symptoms
        self.none_of_flags = self.none_of_flags or check_in.none_of_flags
        self.flags |= set(check_in.flags)
        for report in check_in.reports.all():
            code = report.symptom.code
            self.severities[code] = max(self.severities.get(code, 0), report.severity)
        reading = check_in.reading
        if reading and (self.peak is None or reading.fahrenheit > self.peak.fahrenheit):
            self.peak = reading


class CheckInQuerySet(PatientRecordQuerySet):
    """Check-ins by time."""

    def newest_first(self) -> CheckInQuerySet:
        """By the moment they are about."""
        return self.order_by("-felt_at", "-pk")

    def with_reports(self) -> CheckInQuerySet:
        """Loads symptoms and alerts: four statements however many rows."""
        alerts = models.Prefetch("alerts", Alert.objects.with_last_step().select_related("acknowledged_by"))
        return self.select_related("patient", "recorded_by").prefetch_related("reports__symptom", alerts)

    def measured(self) -> CheckInQuerySet:
        """Those with a temperature."""
        return self.filter(temperature__isnull=False)

    def newest_and_newest_measured(self) -> CheckInQuerySet:
        """Two rows at most, the newest first: the last check-in, and the last with a temperature. One statement."""
        newest, measured = self.newest_first(), self.measured().newest_first()
        either = Q(pk=newest.values("pk")[:1]) | Q(pk=measured.values("pk")[:1])
        return self.filter(either).newest_first()

    def weighed(self) -> CheckInQuerySet:
        """Those with a weight."""
        return self.filter(weight__isnull=False)

    def older_than(self, check_in: CheckIn) -> CheckInQuerySet:
        """Those after it in `newest_first`: the next page by key."""
        return self.filter(Q(felt_at__lt=check_in.felt_at) | Q(felt_at=check_in.felt_at, pk__lt=check_in.pk))

    def felt_between(self, first_on: date, last_on: date) -> CheckInQuerySet:
        """At least those of these civil days, whatever zone they were made in."""
        earliest = datetime.combine(first_on, time(0), tzinfo=ZoneInfo("UTC")) - ZONE_SLACK
        latest = datetime.combine(last_on, time(23, 59), tzinfo=ZoneInfo("UTC")) + ZONE_SLACK
        return self.filter(felt_at__range=(earliest, latest))

    def by_day(self, first_on: date, last_on: date) -> dict[date, DayOfReports]:
        """Civil days with at least one check-in: the grid of a course, in four statements."""
        days: dict[date, DayOfReports] = {}
        for check_in in self.felt_between(first_on, last_on).with_reports().order_by("felt_at"):
            if first_on <= check_in.felt_on <= last_on:
                days.setdefault(check_in.felt_on, DayOfReports(check_in.felt_on)).add(check_in)
        return days


class CheckIn(PatientRecord):
    """How a person felt at a moment. What was not answered stays empty: missing is not "none" (H27).

    `weight` as entered, in its own unit; `systolic` and `diastolic` in mmHg; `stools`: how often in the last 24 hours.
    """

    class Medicine(models.TextChoices):
        NOT_TAKEN = "not_taken", _("No")
        CAME_DOWN = "came_down", _("Yes, and it came down")
        DID_NOT = "did_not", _("Yes, and it did not come down")
        UNKNOWN = "unknown", _("I do not know")

    felt_at = models.DateTimeField()
    zone = models.CharField(max_length=60)
    temperature = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    temperature_unit = models.CharField(max_length=1, choices=[("C", "°C"), ("F", "°F")], blank=True)
    temperature_typed = models.CharField(max_length=40, blank=True)
    medicine = models.CharField(max_length=9, choices=Medicine.choices, blank=True)
    flags = models.JSONField(default=list, blank=True)
    none_of_flags = models.BooleanField(default=False)
    no_symptoms = models.BooleanField(default=False)
    weight = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    weight_unit = models.CharField(max_length=2, choices=[("kg", "kg"), ("lb", "lb")], blank=True)
    systolic = models.PositiveSmallIntegerField(null=True, blank=True)
    diastolic = models.PositiveSmallIntegerField(null=True, blank=True)
    stools = models.PositiveSmallIntegerField(null=True, blank=True)
    note = models.TextField(blank=True)
    unfinished = models.JSONField(default=dict, blank=True)
    alerts = models.ManyToManyField(Alert, related_name="check_ins", blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    idempotency_key = models.UUIDField(unique=True)
    history = HistoricalRecords()

    objects = CheckInQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-felt_at"], name="check_ins_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=Q(temperature__isnull=True, temperature_unit="")
                | Q(temperature_unit="C", temperature__range=(30, 45))
                | Q(temperature_unit="F", temperature__range=(86, 113)),
                name="temperature_is_of_a_body",
                violation_error_message=_("This is not a body temperature."),
            ),
            models.CheckConstraint(
                condition=Q(weight__isnull=True, weight_unit="")
                | Q(weight__isnull=False, weight_unit="kg", weight__range=(20, 400))
                | Q(weight__isnull=False, weight_unit="lb", weight__range=(44, 882)),
                name="weight_is_of_a_person",
                violation_error_message=_("This is not the weight of a grown person."),
            ),
            models.CheckConstraint(
                condition=Q(systolic__isnull=True, diastolic__isnull=True)
                | Q(
                    systolic__isnull=False,
                    diastolic__isnull=False,
                    systolic__range=(50, 280),
                    diastolic__range=(20, 180),
                    systolic__gt=F("diastolic"),
                ),
                name="blood_pressure_is_two_numbers",
                violation_error_message=_("This is not a blood pressure: the larger number comes first."),
            ),
            models.CheckConstraint(
                condition=Q(stools__isnull=True) | Q(stools__lte=60),
                name="stools_of_a_day",
                violation_error_message=_("This is more than anybody has in a day."),
            ),
        ]

    def __str__(self) -> str:
        return f"check-in {self.felt_at:%Y-%m-%d %H:%M}"

    @property
    def local_felt_at(self) -> datetime:
        """The moment on the clock of the place where it was felt."""
        return self.felt_at.astimezone(ZoneInfo(self.zone))

    @property
    def felt_on(self) -> date:
        """Its civil day."""
        return self.local_felt_at.date()

    @property
    def reading(self) -> Temperature | None:
        """The temperature as entered (D13)."""
        return None if self.temperature is None else Temperature(Decimal(self.temperature), self.temperature_unit)

    @property
    def weighed(self) -> Weight | None:
        """The weight as entered."""
        return None if self.weight is None else Weight(Decimal(self.weight), self.weight_unit)

    @property
    def pressure(self) -> Pressure | None:
        """The blood pressure."""
        if self.systolic is None or self.diastolic is None:
            return None
        return Pressure(self.systolic, self.diastolic)

    @property
    def is_unfinished(self) -> bool:
        """Saved early because something in it was urgent; the rest was not understood (R4)."""
        return bool(self.unfinished)

    @property
    def grades(self) -> dict[str, Decimal]:
        """How bad each sign is, to tell whether a later check-in is worse; the reading counts upwards and downwards."""
        severities = {report.symptom.code: report.severity for report in self.reports.all()}
        return answers.grades(self.flags, severities, self.reading)


class SymptomReport(models.Model):
    """How bad one symptom was in one check-in; 0 = the person said that there is none."""

    class Severity(models.IntegerChoices):
        NONE = 0, _("None")
        MILD = 1, _("Mild")
        MODERATE = 2, _("Moderate")
        SEVERE = 3, _("Severe")

    check_in = models.ForeignKey(CheckIn, on_delete=models.CASCADE, related_name="reports")
    symptom = models.ForeignKey(Symptom, on_delete=models.PROTECT, related_name="+")
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-severity", "symptom__position"]
        constraints = [
            models.UniqueConstraint(fields=["check_in", "symptom"], name="one_report_per_symptom"),
            models.CheckConstraint(condition=Q(severity__range=(0, 3)), name="severity_from_none_to_severe"),
        ]

    def __str__(self) -> str:
        return f"{self.symptom_id}: {self.severity}"


class ExpectationQuerySet(PatientRecordQuerySet):
    """What clinicians expect of single patients."""

    def on(self, day: date) -> ExpectationQuerySet:
        """Those that hold on this civil day of the patient."""
        return self.filter(ended_at__isnull=True, until__gte=day)

    def at(self, moment: datetime, day: date) -> ExpectationQuerySet:
        """The same at a moment of that day: nothing is expected before somebody said so."""
        return self.on(day).filter(set_at__lte=moment)

    def with_people(self) -> ExpectationQuerySet:
        """Loads what a line about it reads."""
        return self.select_related("patient", "symptom", "set_by", "ended_by")

    def split(self, day: date) -> dict[str, list[Expectation]]:
        """Those that hold on a day, and the last twenty that do not: one statement each."""
        return {
            "standing": list(self.on(day)),
            "earlier": list(self.exclude(pk__in=self.on(day)).order_by("-set_at")[:20]),
        }


class Expectation(PatientRecord):
    """A symptom that a clinician expects of one patient up to `worst` (1 or 2) until a day: so long it raises no
    "call today". Red flags, fever and anything severe are never expected away (decisions.md 0)."""

    symptom = models.ForeignKey(Symptom, on_delete=models.PROTECT, related_name="+")
    worst = models.PositiveSmallIntegerField(choices=SymptomReport.Severity.choices[1:3])
    until = models.DateField()
    note = models.CharField(max_length=200, blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    set_at = models.DateTimeField()
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    history = HistoricalRecords()

    objects = ExpectationQuerySet.as_manager()

    class Meta:
        ordering = ["symptom__position"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "symptom"],
                condition=Q(ended_at__isnull=True),
                name="one_expectation_per_symptom",
                violation_error_message=_("This is expected of the patient already."),
            ),
            models.CheckConstraint(condition=Q(worst__range=(1, 2)), name="nothing_severe_is_expected"),
        ]

    def __str__(self) -> str:
        return f"{self.symptom_id} until {self.until}"


def catalogue() -> list[Symptom]:
    """Every symptom in the order of the form: one statement."""
    return list(Symptom.objects.all())


def listed_effects(check_in: CheckIn) -> list[Effect]:
    """The rows of the sources that name what was reported, for a clinician to read. Two statements."""
    reported = Q(code__in=check_in.flags) | Q(pk__in=check_in.reports.filter(severity__gt=0).values("symptom"))
    symptoms = Symptom.objects.filter(reported)
    return list(Effect.objects.filter(symptoms__in=symptoms).distinct())
