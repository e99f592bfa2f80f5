"""What people type about themselves, cleaned."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from il2tracker.accounts import before, zones
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.ui import BaseForm

PHONE = re.compile(r"\+?[\d ()./-]{3,30}")


class SignInForm(LoginForm):
    """allauth's form without placeholders, browser bubbles and a way to a password mail that does not exist yet."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail address")
        self.fields["login"].widget.attrs.update(autocomplete="username", spellcheck="false")
        self.fields["login"].error_messages["required"] = _("Enter your e-mail address.")
        self.fields["password"].error_messages["required"] = _("Enter your password.")
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


def clean_phone(value: str, name: str) -> str:
    """A number as it is written on a card; spaces and brackets may stay. Raises ValidationError."""
    value = " ".join(value.split())
    if value and (not PHONE.fullmatch(value) or sum(sign.isdigit() for sign in value) < 3):
        raise ValidationError(
            _("%(name)s: enter a telephone number, for example 020 7946 0018."), params={"name": name}
        )
    return value


class PhoneField(forms.CharField):
    """A telephone number, kept as it was typed."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(
            attrs={"type": "tel", "class": "w-phone", "autocomplete": kwargs.pop("autocomplete", "off")}
        )
        super().__init__(max_length=30, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        return clean_phone(super().clean(value), str(self.label))


def zone_field() -> forms.ChoiceField:
    """Which clock the person's days follow."""
    return forms.ChoiceField(
        label=_("Time zone"),
        help_text=_(
            "Days and reminders follow this clock. Your next course follows the new clock; a course that is running "
            "keeps the hours it began with."
        ),
        choices=zones.choices,
        error_messages={"required": _("Choose your time zone.")},
    )


def number_fields() -> dict[str, forms.Field]:
    """The numbers that every patient without a clinic must have (P37)."""
    return {
        "team_phone": PhoneField(
            label=_("Your care team's number"),
            help_text=_("The number to call day and night when you feel very unwell."),
            error_messages={"required": _("Enter the number of your care team.")},
        ),
        "emergency_phone": PhoneField(
            label=_("Local emergency number"),
            help_text=_("For example 999, 112 or 911."),
            error_messages={"required": _("Enter the local emergency number.")},
        ),
    }


class StartForm(BaseForm):
    """The first questions to somebody who starts a diary without a clinic (P37: numbers are mandatory)."""

    name = forms.CharField(label=_("Your name"), max_length=120, error_messages={"required": _("Enter your name.")})
    time_zone = zone_field()

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        self.fields.update({**before.earlier_fields(before.OWN_QUESTION), **number_fields()})

    def clean(self) -> dict[str, Any]:
        """Checks the answers about an earlier treatment."""
        cleaned = super().clean() or self.cleaned_data
        before.check(self, self.now)
        return cleaned


class DetailsForm(forms.ModelForm):
    """A patient's own facts; the numbers to call only while no clinic's numbers are shown (A19)."""

    use_required_attribute = False
    name = forms.CharField(label=_("Your name"), max_length=120, error_messages={"required": _("Enter your name.")})
    birth_year = forms.IntegerField(
        label=_("Year of birth"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "w-num"}),
    )
    temperature_unit = forms.ChoiceField(
        label=_("Temperature in"), choices=Patient.TemperatureUnit.choices, widget=forms.RadioSelect
    )
    companion_name = forms.CharField(label=_("Name"), max_length=120, required=False)
    companion_phone = PhoneField(label=_("Their number"), required=False)

    class Meta:
        model = Patient
        fields = ("name", "birth_year", "temperature_unit", "companion_name", "companion_phone")

    def __init__(self, *args: Any, own_numbers: bool, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now, self.this_year = now, self.instance.today(now).year
        self.fields["temperature_unit"].in_a_row = True  # type: ignore[attr-defined]
        more = {**before.earlier_fields(before.OWN_QUESTION), **before.nadir_fields()}
        for name, field in {**more, **(number_fields() if own_numbers else {})}.items():
            self.fields[name] = field
            self.initial[name] = getattr(self.instance, name)

    def clean(self) -> dict[str, Any]:
        """Checks the answers about what was before the diary."""
        cleaned = super().clean() or self.cleaned_data
        before.check(self, self.now)
        return cleaned

    def clean_birth_year(self) -> int | None:
        year = self.cleaned_data["birth_year"]
        if year is not None and not self.this_year - 120 <= year <= self.this_year:
            raise ValidationError(
                _("Enter a year between %(first)s and %(last)s."),
                params={"first": self.this_year - 120, "last": self.this_year},
            )
        return year


class PersonForm(forms.ModelForm):
    """The name of somebody who has no diary: staff and carers."""

    use_required_attribute = False

    class Meta:
        model = User
        fields = ("name",)
        labels = {"name": _("Your name")}
        error_messages = {"name": {"required": _("Enter your name.")}}


class DisplayForm(forms.ModelForm):
    """How pages look and how times are written."""

    use_required_attribute = False

    class Meta:
        model = User
        fields = ("theme", "clock")
        labels = {"theme": _("Colours"), "clock": _("Times")}
        widgets = {
            "theme": forms.RadioSelect(attrs={"data-preview": "theme"}),
            "clock": forms.RadioSelect,
        }


class ShareForm(BaseForm):
    """A clinic of this installation that does not see the diary yet."""

    clinic = forms.ModelChoiceField(
        label=_("Clinic"),
        queryset=Clinic.objects.none(),
        to_field_name="slug",
        empty_label=_("Choose a clinic"),
        error_messages={
            "required": _("Choose a clinic."),
            "invalid_choice": _("Choose a clinic from the list; this one already sees your diary or is not here."),
        },
    )

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["clinic"]
        assert isinstance(field, forms.ModelChoiceField)
        seeing = patient.sharings.open().with_clinics().values("clinic")
        field.queryset = Clinic.objects.filter(~Q(pk__in=seeing)).order_by("name")
