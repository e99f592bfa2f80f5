"""What people say about a place that is sore or has a lump."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import sites
from cycles.forms import DayField
from cycles.models import SiteReaction
from cycles.reactions import LARGEST
from il2tracker import ui


class SizeField(forms.CharField):
    """A width in whole millimetres, or nothing."""

    unit = gettext_lazy("mm")

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"class": "w-num", "inputmode": "numeric", "autocomplete": "off"}
        super().__init__(max_length=12, required=False, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> int | None:
        """The width, or None when it is left out."""
        text = super().clean(value).lower().removesuffix("mm").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= LARGEST:
            raise ValidationError(_("Write the width in millimetres, like 12, at most %(most)s.") % {"most": LARGEST})
        return int(text)


def size_field() -> SizeField:
    """How wide it is."""
    return SizeField(label=gettext_lazy("How wide is it?"), help_text=gettext_lazy("A pea is about 8 mm."))


def note_field() -> forms.CharField:
    """What else there is to say, in a line."""
    return forms.CharField(
        label=gettext_lazy("Note"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PastDayForm(ui.BaseForm):
    """A form with one day that is today when it is left out, and has come."""

    day: str

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields[self.day].unmarked = True  # type: ignore[attr-defined]

    def _check_day(self, earliest: date | None = None) -> date:
        on: date = self.cleaned_data[self.day] or self.today
        if on > self.today:
            raise ValidationError(_("This day has not come yet."))
        if earliest and on < earliest:
            words = {"day": ui.long_day(earliest)}
            raise ValidationError(_("It was noticed on %(day)s: give that day or a later one.") % words)
        return on


class ReactionForm(PastDayForm):
    """A place, what is wrong there, and since when."""

    day = "noticed_on"

    site = forms.ChoiceField(
        choices=[(site.code, site.words) for site in sites.SITES],
        error_messages={
            "required": gettext_lazy("Choose the place."),
            "invalid_choice": gettext_lazy("Choose a place from the list."),
        },
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What is there?"),
        choices=[
            (SiteReaction.Kind.SORE, gettext_lazy("It is sore")),
            (SiteReaction.Kind.RED, gettext_lazy("It is red or swollen")),
            (SiteReaction.Kind.LUMP, gettext_lazy("A lump")),
            (SiteReaction.Kind.SCAB, gettext_lazy("A scab")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what is there.")},
    )
    noticed_on = DayField(
        label=gettext_lazy("Since"),
        required=False,
        error_messages={"invalid": gettext_lazy("Enter the day as a date.")},
    )
    size_mm = size_field()
    note = note_field()
    field_order = ["kind", "noticed_on", "size_mm", "note", "site"]

    def clean_noticed_on(self) -> date:
        """Today when it is left out."""
        return self._check_day()


class ChangeReactionForm(ui.BaseForm):
    """How it looks now."""

    size_mm = size_field()
    note = note_field()


class ClearReactionForm(PastDayForm):
    """Since when it is gone."""

    day = "cleared_on"

    cleared_on = DayField(
        label=gettext_lazy("Gone since"),
        required=False,
        error_messages={"invalid": gettext_lazy("Enter the day as a date.")},
    )

    def __init__(self, *args: Any, reaction: SiteReaction, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reaction = reaction

    def clean_cleared_on(self) -> date:
        """Today when it is left out; not before it was noticed."""
        return self._check_day(self.reaction.noticed_on)
