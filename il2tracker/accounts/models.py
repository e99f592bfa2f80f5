"""People, clinics, and who shares what with whom."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from il2tracker.accounts import zones
from il2tracker.refs import new_code, new_ref


def validate_zone(name: str) -> None:
    """Refuse what is not the name of a time zone."""
    if name not in zones.names():
        raise ValidationError(_("There is no time zone called “%(name)s”."), params={"name": name})


def validate_days(days: str) -> None:
    """Refuse what is not a row of days, each once."""
    if not days or set(days) - set("1234567") or len(set(days)) != len(days):
        raise ValidationError(_("Write the days as numbers from 1 (Monday) to 7 (Sunday), each once: 12345."))


class UserManager(BaseUserManager["User"]):
    """What Django's createsuperuser needs; everything else uses accounts.actions."""

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        from il2tracker.accounts.actions import create_user  # the action needs the model that is defined here

        return create_user(by=None, email=email, name=extra.get("name") or email, password=password, is_staff=True)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What he or she may do follows from what the person is linked to."""

    ref = models.CharField(max_length=10, unique=True, default=new_ref, editable=False)
    email = models.EmailField(_("e-mail address"), max_length=254)
    name = models.CharField(_("name"), max_length=120)
    theme = models.CharField(
        max_length=5,
        default="auto",
        choices=[("auto", _("Like my device")), ("light", _("Light")), ("dark", _("Dark"))],
    )
    clock = models.CharField(max_length=2, default="12", choices=[("12", _("10pm")), ("24", _("22:00"))])
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(_("administrator"), default=False)
    is_demo = models.BooleanField(default=False, editable=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="one_user_per_email",
                violation_error_message=_("Somebody already signs in with this address."),
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @cached_property
    def patient_or_none(self) -> Patient | None:
        """The person's own patient record, if there is one."""
        return Patient.objects.filter(user=self).first()

    @cached_property
    def is_clinician(self) -> bool:
        """Whether the person works in a clinic."""
        return Membership.objects.filter(user=self).exists()

    @property
    def is_administrator(self) -> bool:
        """Whether the person runs the installation. Administrators see no patient."""
        return self.is_staff


class Clinic(models.Model):
    """A team with its telephone numbers and hours: the one truth for whom a patient calls (A19)."""

    ref = models.CharField(max_length=10, unique=True, default=new_ref, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=120)
    time_zone = models.CharField(_("time zone"), max_length=60, validators=[validate_zone])
    day_phone = models.CharField(_("number in opening hours"), max_length=30)
    night_phone = models.CharField(_("number out of hours"), max_length=30)
    opens_at = models.TimeField(_("opens"), null=True, blank=True)
    closes_at = models.TimeField(_("closes"), null=True, blank=True)
    open_days = models.CharField(
        _("open on"),
        max_length=7,
        default="12345",
        validators=[validate_days],
        help_text=_("The days by number, 1 is Monday, 7 is Sunday: 12345 is Monday to Friday."),
    )
    emergency_phone = models.CharField(_("local emergency number"), max_length=30)
    crisis_phone = models.CharField(_("local crisis line"), max_length=30, blank=True)
    escalate_after = models.PositiveSmallIntegerField(
        _("minutes until an alert goes on"), default=15, validators=[MinValueValidator(1), MaxValueValidator(720)]
    )
    confirms_starts = models.BooleanField(
        _("confirms every start"),
        default=True,
        help_text=_("Until a member of the clinic has confirmed the start of a course, no reminder to inject leaves."),
    )
    suggests_dose_steps = models.BooleanField(_("show suggestions about the dose"), default=False)
    suggests_intervals = models.BooleanField(_("show suggestions about the interval"), default=False)
    sustained_gaps = models.PositiveSmallIntegerField(
        _("courses in a row above the goal"),
        default=2,
        choices=[(2, "2"), (3, "3"), (4, "4")],
        help_text=_("From how many on a CD4+ count counts as sustained. This diary’s own number."),
    )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """Who works where, and in which order people are told (on_call_rank)."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    title = models.CharField(_("role in words"), max_length=60)
    on_call_rank = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "user"], name="one_membership_per_clinic")]

    def __str__(self) -> str:
        return f"{self.user}, {self.title}"


class PatientQuerySet(models.QuerySet["Patient"]):
    """Who may see whom. Every other query on patients' rows starts from here."""

    def visible_to(self, user: Any) -> PatientQuerySet:
        """The person's own record, and those shared now with a clinic of his or with himself."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(Q(user=user) | Q(pk__in=Sharing.objects.open().with_user(user).values("patient")))

    def of_clinics(self, user: Any) -> PatientQuerySet:
        """Those shared now with a clinic in which the person works: the clinic's list."""
        return self.filter(pk__in=Sharing.objects.open().filter(clinic__memberships__user=user).values("patient"))

    def shared_with(self, user: Any) -> PatientQuerySet:
        """Those shared now with the person alone."""
        return self.filter(pk__in=Sharing.objects.open().filter(person=user).values("patient"))

    def recordable_by(self, user: Any) -> PatientQuerySet:
        """The person's own record, and those whose owner lets this person record (A6)."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        granted = Sharing.objects.open().filter(person=user, may_record=True)
        return self.filter(Q(user=user) | Q(pk__in=granted.values("patient")))


class Patient(models.Model):
    """A person on treatment. May exist before he or she signs in for the first time (A8)."""

    class TemperatureUnit(models.TextChoices):
        CELSIUS = "C", "°C"
        FAHRENHEIT = "F", "°F"

    class EarlierIL2(models.TextChoices):
        NEVER = "never", _("Never")
        ON = "on", _("Yes, the last injection was on")
        UNKNOWN = "unknown", _("Not known")

    ref = models.CharField(max_length=10, unique=True, default=new_ref, editable=False)
    code = models.CharField(max_length=4, unique=True, default=new_code, editable=False)
    user = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="patient")
    name = models.CharField(_("name"), max_length=120, blank=True)
    birth_year = models.PositiveSmallIntegerField(_("year of birth"), null=True, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, validators=[validate_zone])
    temperature_unit = models.CharField(max_length=1, choices=TemperatureUnit.choices, default=TemperatureUnit.CELSIUS)
    privacy = models.CharField(
        max_length=8,
        default="discreet",
        choices=[("discreet", _("Discreet")), ("plain", _("Plain")), ("full", _("Full"))],
    )
    work_days = models.CharField(_("working days"), max_length=7, blank=True, validators=[validate_days])
    companion_name = models.CharField(_("who can be with you"), max_length=120, blank=True)
    companion_phone = models.CharField(_("their number"), max_length=30, blank=True)
    team_phone = models.CharField(_("your care team's number"), max_length=30, blank=True)
    emergency_phone = models.CharField(_("local emergency number"), max_length=30, blank=True)
    nadir_cd4 = models.PositiveSmallIntegerField(_("lowest CD4+ count ever"), null=True, blank=True)
    nadir_on = models.DateField(_("when it was"), null=True, blank=True)
    earlier_il2 = models.CharField(max_length=7, choices=EarlierIL2.choices, default=EarlierIL2.UNKNOWN)
    earlier_il2_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(earlier_il2="on", earlier_il2_on__isnull=False)
                | (~Q(earlier_il2="on") & Q(earlier_il2_on__isnull=True)),
                name="earlier_il2_has_its_date",
                violation_error_message=_("Give the date of the last earlier injection, or choose another answer."),
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What a clinic calls the patient."""
        return self.name or f"Patient {self.code}"

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the patient's civil dates are counted."""
        return ZoneInfo(self.time_zone)

    def today(self, now: datetime) -> date:
        """The patient's civil date at `now` (aware)."""
        return now.astimezone(self.zone).date()

    def lock(self) -> Patient:
        """Lock the row until the transaction ends and return it fresh (A2); on SQLite BEGIN IMMEDIATE is the lock."""
        return Patient.objects.select_for_update(no_key=True).get(pk=self.pk)


class SharingQuerySet(models.QuerySet["Sharing"]):
    """Which grants count now."""

    def open(self) -> SharingQuerySet:
        """Neither revoked nor past its end."""
        now = models.functions.Now()
        return self.filter(Q(until__isnull=True) | Q(until__gt=now), revoked_at__isnull=True, may_see=True)

    def with_user(self, user: User) -> SharingQuerySet:
        """Grants to a clinic the person works in, or to the person."""
        return self.filter(Q(clinic__memberships__user=user) | Q(person=user))

    def with_clinics(self) -> SharingQuerySet:
        """Grants to clinics only."""
        return self.filter(clinic__isnull=False)


class Sharing(models.Model):
    """A patient lets a clinic or a person see (and, for a person, record). Revoking ends it at once."""

    ref = models.CharField(max_length=10, unique=True, default=new_ref, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="sharings")
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, null=True, blank=True, related_name="sharings")
    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="sharings")
    may_see = models.BooleanField(default=True)
    may_record = models.BooleanField(default=False)
    told_if_not_recorded = models.BooleanField(default=False)
    starts_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SharingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(clinic__isnull=False, person__isnull=True) | Q(clinic__isnull=True, person__isnull=False),
                name="sharing_with_clinic_or_person",
            ),
            models.UniqueConstraint(
                fields=["patient", "clinic"], condition=Q(revoked_at__isnull=True), name="one_open_sharing_per_clinic"
            ),
            models.UniqueConstraint(
                fields=["patient", "person"], condition=Q(revoked_at__isnull=True), name="one_open_sharing_per_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient} with {self.clinic or self.person}"


class SecretLink(models.Model):
    """A link that opens something without a sign-in: one purpose, only the hash of its token is kept.

    `entries` says of a calendar link what it has shown: name of an entry → [digest, revision, when it changed].
    """

    purpose = models.CharField(max_length=20)
    token_hash = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, blank=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True)
    subject = models.CharField(max_length=60, blank=True)
    entries = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.purpose} {self.created_at:%Y-%m-%d}"
