"""Sore places and lumps, which may last for months and rest until somebody clears them (P38, P40, K14)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Aggregate, F, OuterRef, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from cycles import sites
from il2tracker.records import PatientRecord, PatientRecordQuerySet

LARGEST = 200  # mm, app's own: anything larger is a slip of the keyboard


class Joined(Aggregate):
    """The values of a column in one text, with commas between them, on either database."""

    function = "GROUP_CONCAT"
    template = "%(function)s(%(expressions)s)"
    output_field = models.TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL wants the comma."""
        facts = {"function": "STRING_AGG", "template": "%(function)s(%(expressions)s, ',')", **context}
        return super().as_sql(compiler, connection, **facts)


class SiteReactionQuerySet(PatientRecordQuerySet):
    """Places that still rest."""

    def open(self) -> SiteReactionQuerySet:
        """Not cleared yet."""
        return self.filter(cleared_on__isnull=True)

    def codes(self) -> models.QuerySet[Any]:
        """One row, "aur,tfl", for annotating rows of the same patient without another statement."""
        return self.filter(patient=OuterRef("patient")).order_by().values("patient").values_list(Joined("site"))


class SiteReaction(PatientRecord):
    """One reaction at one place, from the day it was noticed until the day it was gone."""

    class Kind(models.TextChoices):
        SORE = "sore", _("sore")
        RED = "red", _("red or swollen")
        LUMP = "lump", _("a lump")
        SCAB = "scab", _("a scab")

    site = models.CharField(max_length=30)
    kind = models.CharField(max_length=4, choices=Kind.choices)
    size_mm = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(LARGEST)])
    noticed_on = models.DateField()
    note = models.CharField(max_length=200, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    cleared_on = models.DateField(null=True, blank=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    history = HistoricalRecords()

    objects = SiteReactionQuerySet.as_manager()

    class Meta:
        ordering = ["-noticed_on", "-pk"]
        indexes = [models.Index(fields=["patient", "-noticed_on"], name="reactions_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=Q(cleared_on__isnull=True) | Q(cleared_on__gte=F("noticed_on")),
                name="cleared_not_before_noticed",
                violation_error_message=_("It cannot be gone before it was noticed."),
            ),
            models.UniqueConstraint(
                fields=["patient", "site", "kind"],
                condition=Q(cleared_on__isnull=True),
                name="one_open_reaction_per_place_and_kind",
                violation_error_message=_("This is noted for this place already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.site}"

    @property
    def word(self) -> str:
        """What it is, in a list: "sore", "red or swollen", "lump", "scab"."""
        return {"lump": gettext("lump"), "scab": gettext("scab")}.get(self.kind, str(self.get_kind_display()))

    @property
    def site_words(self) -> str:
        """The place as in a sentence."""
        return sites.BY_CODE[self.site].words if self.site in sites.BY_CODE else self.site

    @property
    def size_words(self) -> str:
        """ "12 mm across", or nothing."""
        return gettext("%(size)s mm across") % {"size": self.size_mm} if self.size_mm else ""
