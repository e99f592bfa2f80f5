"""Courses from before the diary: how many, and a line for each of which something is known."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles.earlier_actions import ALL, EarlierCourse
from cycles.forms import DayField
from cycles.schedule_forms import PlannedAmountField, whole
from il2tracker import ui

MOST_LINES = 30
DATE_ERRORS = {"invalid": gettext_lazy("Enter the day as a date.")}


class GivenField(forms.CharField):
    """How many injections: a number, or "all"; left empty it is not known."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Injections given"),
            help_text=gettext_lazy("A number, or “all”. Left empty: not known."),
            max_length=10,
            required=False,
            widget=forms.TextInput(attrs={"class": "w-num", "autocomplete": "off"}),
        )
        self.unmarked = True

    def clean(self, value: Any) -> int | None:
        """The number, ALL, or None."""
        text = super().clean(value).lower()
        if not text:
            return None
        if text in {"all", str(_("all"))}:
            return ALL
        if not text.isdecimal() or not 1 <= int(text) <= 1000:
            raise ValidationError(_("Write a number from 1 on, or “all”."))
        return int(text)


class Line(NamedTuple):
    """The boxes of one course."""

    number: int
    starts_on: forms.BoundField
    last_on: forms.BoundField
    given: forms.BoundField
    amount: forms.BoundField
    stopped: forms.BoundField


class EarlierForm(ui.BaseForm):
    """The number of courses before the plan's first one, and lines, the latest course first."""

    count = whole(
        gettext_lazy("How many courses were there before?"),
        gettext_lazy("The next one is numbered after them."),
        gettext_lazy("courses"),
        0,
        200,
        missing=gettext_lazy("Enter how many courses there were."),
    )

    def __init__(self, *args: Any, lines: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count_of_lines = min(max(lines, 1), MOST_LINES)
        for number in range(1, self.count_of_lines + 1):
            self._add_line(f"e{number}")

    def _add_line(self, name: str) -> None:
        first = DayField(label=gettext_lazy("First day"), required=False, error_messages=DATE_ERRORS)
        last = DayField(
            label=gettext_lazy("Day of the last injection"),
            help_text=gettext_lazy("Left empty: the planned end."),
            required=False,
            error_messages=DATE_ERRORS,
        )
        amount = PlannedAmountField(
            label=gettext_lazy("Amount of each injection"),
            help_text=gettext_lazy("Left empty: as in the plan."),
            required=False,
        )
        for field in (first, last):
            field.unmarked = True  # type: ignore[attr-defined]
        stopped = forms.BooleanField(label=gettext_lazy("It was stopped early"), required=False)
        boxes = {"starts_on": first, "last_on": last, "given": GivenField(), "amount": amount, "stopped": stopped}
        self.fields |= {f"{name}_{part}": field for part, field in boxes.items()}

    @property
    def lines(self) -> list[Line]:
        """What the template shows."""
        return [
            Line(number, *(self[f"e{number}_{part}"] for part in Line._fields[1:]))
            for number in range(1, self.count_of_lines + 1)
        ]

    def clean(self) -> dict[str, Any]:
        """Each line by itself."""
        cleaned = super().clean() or {}
        for number in range(1, self.count_of_lines + 1):
            self._check_line(f"e{number}")
        return cleaned

    def _check_line(self, name: str) -> None:
        said = {part: self.cleaned_data.get(f"{name}_{part}") for part in Line._fields[1:]}
        if said["starts_on"] is None:
            if any(said.values()) and f"{name}_starts_on" not in self.errors:
                self.add_error(f"{name}_starts_on", _("Enter the first day of this course."))
            return
        if said["last_on"] is not None and said["last_on"] < said["starts_on"]:
            self.add_error(f"{name}_last_on", _("This day is before the first one."))
        if said["stopped"] and said["last_on"] is None and f"{name}_last_on" not in self.errors:
            self.add_error(f"{name}_last_on", _("Enter the day of the last injection."))

    @property
    def courses(self) -> list[EarlierCourse]:
        """What was said about each course, once the form is valid."""
        lines = (
            {part: self.cleaned_data[f"e{number}_{part}"] for part in Line._fields[1:]}
            for number in range(1, self.count_of_lines + 1)
        )
        return [EarlierCourse(**line) for line in lines if line["starts_on"]]
