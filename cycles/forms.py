"""What people enter about injections. Plans have forms of their own in plan_forms.py."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import clock, schedule, sites
from cycles.actions import CLOCK_SLACK
from cycles.models import Injection, PlannedDose
from cycles.reasons import TOLD, NotTaken
from il2tracker import ui
from il2tracker.accounts.models import Patient, User

# App's own: the injection of a day is not recorded as given more than a day before it.
EARLIEST_BEFORE = timedelta(days=1)


class ClockField(forms.CharField):
    """A time of day as people write it, also one that a clock change leaves out or repeats (H08)."""

    def __init__(self, *, viewer: User | None = None, **kwargs: Any) -> None:
        self.viewer = viewer
        kwargs.setdefault("error_messages", {"required": gettext_lazy("Enter the time.")})
        attrs = {"class": "w-time", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=20, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> time | None:
        """The time, or None when it is left out and may be."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return clock.read_time(text, twelve_hours=getattr(self.viewer, "clock", "12") == "12")
        except clock.UnclearTimeError:
            raise ValidationError(_("Write %(time)sam or %(time)spm.") % {"time": text}) from None
        except ValueError:
            raise ValidationError(_("Write the time like 9:40pm or 21:40.")) from None


class DayField(forms.DateField):
    """A civil date, typed or picked, in a year that a diary can hold."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "w-day"})
        super().__init__(widget=widget, **kwargs)

    def clean(self, value: Any) -> date | None:
        """The date, or None when it is left out and may be."""
        on: date | None = super().clean(value)
        if on is not None and not schedule.EARLIEST <= on <= schedule.LATEST:
            raise ValidationError(_("Check the year: %(year)s cannot be right.") % {"year": on.year})
        return on


class AmountField(forms.CharField):
    """An amount in MIU, with a point or a comma."""

    unit = gettext_lazy("million units")
    unmarked = True

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("error_messages", {"required": gettext_lazy("Enter the amount in million units.")})
        attrs = {"class": "w-num", "inputmode": "decimal", "autocomplete": "off"}
        super().__init__(max_length=12, widget=forms.TextInput(attrs=attrs), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """7.5 in the box, never 7.500."""
        return schedule.plain(value) if isinstance(value, Decimal) else value

    def clean(self, value: Any) -> Decimal | None:
        """The amount, or None when it is left out and may be."""
        text = super().clean(value)
        if not text:
            return None
        try:
            amount = clock.read_amount(text)
        except ValueError:
            raise ValidationError(_("Write the amount in million units, like 7.5.")) from None
        if amount <= 0:
            raise ValidationError(_("The amount has to be more than 0."))
        return amount


def _premedicated(text: str) -> bool | None:
    return {"yes": True, "no": False}.get(text)


class InjectionForm(ui.BaseForm):
    """One injection: how much, when, where, and who gave it. `dose` None = outside the plan."""

    NOW, EARLIER = "now", "earlier"

    key = forms.UUIDField(widget=forms.HiddenInput)
    amount = AmountField(label=gettext_lazy("Amount you injected"))
    when = forms.ChoiceField(choices=[("now", gettext_lazy("Now")), ("earlier", gettext_lazy("Earlier"))])
    given_on = DayField(
        label=gettext_lazy("Day"),
        required=False,
        error_messages={"invalid": gettext_lazy("Enter the day as a date.")},
    )
    given_time = ClockField(
        label=gettext_lazy("Time"), required=False, help_text=gettext_lazy("For example 9:40pm or 21:40")
    )
    site = forms.ChoiceField(
        choices=[(site.code, site.words) for site in sites.SITES],
        error_messages={
            "required": gettext_lazy("Choose the place of the injection."),
            "invalid_choice": gettext_lazy("Choose a place from the list."),
        },
    )
    premedicated = forms.TypedChoiceField(
        label=gettext_lazy("Medicines before it"),
        choices=[("yes", gettext_lazy("Taken")), ("no", gettext_lazy("Not taken")), ("", gettext_lazy("Not said"))],
        coerce=_premedicated,
        required=False,
        empty_value=None,
    )
    given_by = forms.ChoiceField(label=gettext_lazy("Who gave it"), required=False)
    given_by_name = forms.CharField(label=gettext_lazy("Their name"), max_length=120, required=False)
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(
        self, *args: Any, patient: Patient, now: datetime, viewer: User, dose: PlannedDose | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.patient, self.now, self.viewer, self.dose = patient, now, viewer, dose
        self.fields["given_time"].viewer = viewer  # type: ignore[attr-defined]
        for name in ("given_on", "given_time"):
            self.fields[name].unmarked = True  # type: ignore[attr-defined]
        self.fields["amount"].required = dose is None
        self.fields["given_by"].choices = givers(own=viewer.pk == patient.user_id)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Adds given_at; without another amount the planned one is meant."""
        cleaned = super().clean() or {}
        if self.dose is not None and cleaned.get("amount") is None:
            cleaned["amount"] = self.dose.amount
        if cleaned.get("when") == self.NOW:
            cleaned["given_at"] = self.now
        elif cleaned.get("when") == self.EARLIER and not self.errors.keys() & {"given_on", "given_time"}:
            self._clean_earlier(cleaned)
        return cleaned

    def _clean_earlier(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("given_on") is None:
            self.add_error("given_on", _("Enter the day of the injection."))
        elif self.dose is not None and cleaned["given_on"] < self.dose.due_on - EARLIEST_BEFORE:
            self.add_error("given_on", self._too_early(self.dose))
        if cleaned.get("given_time") is None:
            self.add_error("given_time", _("Enter the time of the injection."))
        if self.errors.keys() & {"given_on", "given_time"}:
            return
        given_at = schedule.moment(cleaned["given_on"], cleaned["given_time"], self.patient.zone)
        if given_at > self.now + CLOCK_SLACK:
            self.add_error("given_time", self._future(cleaned["given_on"], cleaned["given_time"]))
        cleaned["given_at"] = min(given_at, self.now)

    def _too_early(self, dose: PlannedDose) -> str:
        words = {"day": ui.long_day(dose.due_on), "first": ui.long_day(dose.due_on - EARLIEST_BEFORE)}
        return _("This is the injection of %(day)s. It can be given from %(first)s on: check the day.") % words

    def _future(self, given_on: date, given_time: time) -> str:
        local = self.now.astimezone(self.patient.zone)
        words = {
            "time": ui.clock(given_time, self.viewer),
            "day": ui.long_day(given_on),
            "now": ui.clock(local, self.viewer),
        }
        return _("%(time)s on %(day)s has not come yet. It is %(now)s now. Give the time you injected.") % words

    def facts(self, answers: Collection[str]) -> dict[str, Any]:
        """What the action stores. Less than planned is "in part", unless the clinic had said so."""
        names = ("given_at", "amount", "site", "note", "given_by_name", "premedicated")
        amount, planned = self.cleaned_data["amount"], self.dose.amount if self.dose else None
        told = TOLD in answers and amount != planned
        in_part = planned is not None and amount < planned and not told
        return {
            **{name: self.cleaned_data[name] for name in names},
            "given_by": self.cleaned_data["given_by"] or Injection.GivenBy.SELF,
            "state": Injection.State.PARTIAL if in_part else Injection.State.TAKEN,
            "reason": TOLD if told else "",
        }


def givers(*, own: bool) -> list[tuple[str, Any]]:
    """Who may have given an injection, as the person who records it says it."""
    by = Injection.GivenBy
    patient, carer = (_("I did"), _("Someone at home")) if own else (_("The patient"), _("I did"))
    return [(by.SELF, patient), (by.CARER, carer), (by.CLINIC, _("A nurse or doctor"))]


class NotTakenForm(ui.BaseForm):
    """Why an injection did not take place."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.ChoiceField(
        label=gettext_lazy("What was the reason?"),
        choices=NotTaken.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose a reason.")},
    )
    told_by = forms.CharField(label=gettext_lazy("Who told you, and when?"), max_length=120, required=False)
    note = forms.CharField(
        label=gettext_lazy("Anything to add?"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["told_by"].unmarked = True  # type: ignore[attr-defined]

    def facts(self) -> dict[str, Any]:
        """What the action stores; who told somebody to stop stands before the note."""
        reason, told_by = self.cleaned_data["reason"], self.cleaned_data["told_by"]
        said = [_("Told by: %(who)s.") % {"who": told_by}] if told_by and reason == NotTaken.STOPPED else []
        note = "\n".join([*said, self.cleaned_data["note"]]).strip()
        return {"key": self.cleaned_data["key"], "reason": reason, "note": note}


class UndoForm(ui.BaseForm):
    """Why an entry is removed; only asked after the first ten minutes (A5)."""

    reason = forms.CharField(
        label=gettext_lazy("Why do you remove it?"),
        help_text=gettext_lazy("The entry stays in the history, marked as removed."),
        max_length=200,
        error_messages={"required": gettext_lazy("Say why this entry is removed.")},
    )

    def __init__(self, *args: Any, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not needs_reason:
            del self.fields["reason"]
