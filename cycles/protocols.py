"""The library of protocols, and the terms that a protocol hands to a plan: regimen, route, fever limit."""

from __future__ import annotations

from functools import cached_property

from django.db import models
from django.utils.translation import gettext_lazy as _

from cycles import schedule


class Indication(models.TextChoices):
    """What the treatment is for."""

    HIV = "hiv", _("HIV (experimental)")
    KIDNEY = "kidney", _("Kidney cancer")
    OTHER = "other", _("Another reason")


class Route(models.TextChoices):
    """How the drug is given (P03, K02)."""

    SUBCUTANEOUS = "sc", _("under the skin")
    CONTINUOUS = "civ", _("by drip, without a break")
    INTRAVENOUS = "iv", _("into a vein")


class FeverUnit(models.TextChoices):
    """The unit in which a fever threshold was set: 102 °F stays 102 °F (A20, D13)."""

    CELSIUS = "C", "°C"
    FAHRENHEIT = "F", "°F"


class Thresholds(models.Model):
    """What a plan takes over from its protocol."""

    document = models.JSONField()
    indication = models.CharField(max_length=10, choices=Indication.choices)
    route = models.CharField(max_length=4, choices=Route.choices)
    fever_above = models.DecimalField(max_digits=4, decimal_places=1)
    fever_unit = models.CharField(max_length=1, choices=FeverUnit.choices)
    fever_only_if_not_relieved = models.BooleanField(default=False)
    timing_matters = models.BooleanField(
        help_text=_("whether an injection makes a CD4+ count or viral load unreliable for a month (2.3)")
    )
    inpatient = models.BooleanField(default=False, help_text=_("given on a ward: never asked for at home (P59, K07)"))

    class Meta:
        abstract = True

    @cached_property
    def regimen(self) -> schedule.Regimen:
        """The parsed regimen document."""
        return schedule.parse(self.document)


class Standing(models.TextChoices):
    """What stands behind a row of the library. Nothing in it is a recommendation."""

    SOURCE = "source", _("as the source describes it")
    LABEL = "label", _("as the drug's label describes it")
    PUBLISHED = "published", _("as published, not endorsed")
    BLANK = "blank", _("entered by whoever prescribes it")


class Protocol(Thresholds):
    """One row of the library. A plan copies it, so editing a row never rewrites history."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    standing = models.CharField(max_length=9, choices=Standing.choices, default=Standing.SOURCE)
    dose_step = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    injection_ceiling = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    daily_ceiling = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    daily_floor = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    hardest_days = models.CharField(max_length=10, blank=True)
    source = models.TextField()
    evidence_note = models.TextField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


def protocols_for(*, in_clinic: bool) -> models.QuerySet[Protocol]:
    """What can be chosen: a patient without a clinic sees no inpatient route (B6, P59)."""
    return Protocol.objects.all() if in_clinic else Protocol.objects.filter(inpatient=False)
