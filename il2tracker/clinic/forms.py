"""What a clinician types to add a patient."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from il2tracker.accounts import before, zones
from il2tracker.accounts.models import Clinic, User
from il2tracker.ui import BaseForm

OLDEST = 120


class AddPatientForm(BaseForm):
    """A new patient of a clinic the user works in. The clinic is asked only when there are several."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("Lists show only the initials. Reminders never show it."),
        error_messages={"required": _("Enter the patient's name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    birth_year = forms.IntegerField(
        label=_("Year of birth"),
        required=False,
        error_messages={"invalid": _("Enter the year of birth as four digits, for example 1974.")},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-num", "autocomplete": "off"}),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("Injections and reminders follow this clock."),
        choices=zones.choices,
        error_messages={"required": _("Choose the patient's time zone.")},
    )

    def __init__(self, *args: Any, user: User, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now, self.this_year = now, now.year
        self.fields.update({**before.earlier_fields(before.CLINICS_QUESTION), **before.nadir_fields()})
        self.clinics = list(Clinic.objects.filter(memberships__user=user).order_by("name"))
        self.initial.setdefault("time_zone", self.clinics[0].time_zone)
        if len(self.clinics) > 1:
            self.fields["clinic"] = forms.ChoiceField(
                label=_("Clinic"),
                choices=[(clinic.slug, clinic.name) for clinic in self.clinics],
                error_messages={"required": _("Choose the clinic.")},
            )

    def clean_birth_year(self) -> int | None:
        year: int | None = self.cleaned_data["birth_year"]
        if year is not None and not self.this_year - OLDEST <= year <= self.this_year:
            facts = {"first": self.this_year - OLDEST, "last": self.this_year}
            raise ValidationError(_("Enter a year between %(first)s and %(last)s."), params=facts)
        return year

    def clean(self) -> dict[str, Any]:
        """Puts the clinic itself in the place of its name; checks the answers about what was before."""
        cleaned = super().clean() or self.cleaned_data
        before.check(self, self.now)
        slug = cleaned.get("clinic", self.clinics[0].slug)
        return {**cleaned, "clinic": next(clinic for clinic in self.clinics if clinic.slug == slug)}
