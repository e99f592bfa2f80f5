"""The schedule of a plan: lines of days, times of the day and amounts, in phases. Every refusal names its box."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import amounts, bounds, schedule, schedule_rows
from cycles.day_runs import read_days, write_days
from cycles.forms import AmountField
from cycles.models import SLOT_WORDS
from cycles.protocols import Protocol, Standing
from cycles.schedule_rows import Rows
from il2tracker import ui

WHOLE = {"class": "w-num", "inputmode": "numeric", "autocomplete": "off"}
MOST_COURSES = 1000
_PLACE = re.compile(r"phases\[(\d+)\](?:\.doses\[(\d+)\])?")


def whole(label: Any, help_text: Any, unit: Any, least: int, most: int, *, missing: Any = None) -> forms.IntegerField:
    """A whole number in a narrow box, with its unit behind it; `missing` is said where it has to be filled in."""
    messages = {"invalid": gettext_lazy("Write a whole number.")}
    field = forms.IntegerField(
        label=label,
        help_text=help_text,
        required=missing is not None,
        min_value=least,
        max_value=most,
        widget=forms.TextInput(attrs=WHOLE),
        error_messages=messages | ({"required": missing} if missing else {}),
    )
    field.unit = unit  # type: ignore[attr-defined]
    return field


class DaysField(forms.CharField):
    """Days of the course as a text, "1-5 8-12" or "1-26/3": a list of numbers."""

    unmarked = True

    def __init__(self) -> None:
        attrs = {"class": "w-days", "autocomplete": "off", "spellcheck": "false"}
        missing = gettext_lazy("Say on which days of the course, for example 1-5.")
        super().__init__(
            label=gettext_lazy("Days of the course"),
            max_length=400,
            widget=forms.TextInput(attrs=attrs),
            error_messages={"required": missing},
        )

    def clean(self, value: Any) -> list[int]:
        """The days, in order, each once."""
        text = super().clean(value).replace("\N{EN DASH}", "-").replace(",", " ")
        try:
            days = read_days(re.sub(r"\s*([-/])\s*", r"\1", text))
        except schedule.RegimenError:
            raise ValidationError(_("Write the days like 1-5 8-12, or 1-26/3 for every third day.")) from None
        twice = next((day for day, after in itertools.pairwise(days) if day == after), None)
        if twice:
            raise ValidationError(_("Day %(day)s stands twice in this line.") % {"day": twice})
        return days


class PlannedAmountField(AmountField):
    """An amount in a plan. Single units are told from million units (H04)."""

    def clean(self, value: Any) -> Decimal | None:
        """The amount, or None when it is left out and may be."""
        digits = re.sub(r"[\s,.'\N{NO-BREAK SPACE}]", "", str(value or ""))
        if digits.isdigit() and Decimal(digits) >= bounds.SINGLE_UNITS:
            words = {"typed": ui.number(int(digits)), "amount": ui.miu(Decimal(digits) / bounds.MILLION)}
            raise ValidationError(_("%(typed)s reads like single units. Did you mean %(amount)s?") % words)
        return super().clean(value)


class LineBoxes(NamedTuple):
    """A line on the page. `product` is the arithmetic by body size beside the amount, in words."""

    phase: int
    number: int
    days: forms.BoundField
    slots: forms.BoundField
    amount: forms.BoundField
    per: forms.BoundField
    product: str


class PhaseBoxes(NamedTuple):
    """A phase on the page."""

    number: int
    repeat: forms.BoundField
    cycle_days: forms.BoundField
    lines: list[LineBoxes]


class ScheduleForm(ui.BaseForm):
    """The boxes of a schedule; `regimen` once they are valid."""

    def __init__(self, *args: Any, protocol: Protocol, rows: Rows, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.protocol, self.rows = protocol, rows
        self.initial = {**schedule_rows.boxes(rows), **self.initial}
        for number, phase in enumerate(rows, 1):
            self._add_phase(number, len(phase.lines))

    def _add_phase(self, number: int, lines: int) -> None:
        several = gettext_lazy("Left empty: the courses go on until somebody ends the plan.")
        self.fields[f"p{number}_repeat"] = whole(
            gettext_lazy("Number of courses"), several, gettext_lazy("courses"), 1, MOST_COURSES
        )
        self.fields[f"p{number}_days"] = whole(
            gettext_lazy("From one first day to the next"),
            gettext_lazy("8 weeks are 56 days."),
            gettext_lazy("days"),
            1,
            schedule.LONGEST_CYCLE,
            missing=gettext_lazy("Enter the days from the start of one course to the start of the next."),
        )
        for line in range(1, lines + 1):
            self._add_line(f"p{number}l{line}", first=number == line == 1)

    def _add_line(self, name: str, *, first: bool) -> None:
        self.fields[f"{name}_days"] = DaysField()
        slots = forms.MultipleChoiceField(
            label=gettext_lazy("Times of the day"),
            choices=list(SLOT_WORDS.items()),
            widget=forms.CheckboxSelectMultiple,
            error_messages={"required": gettext_lazy("Choose at least one time of the day.")},
        )
        self.fields[f"{name}_slots"] = slots
        self.fields[f"{name}_amount"] = PlannedAmountField(
            label=gettext_lazy("Amount of each injection"), required=first or not self.fills
        )
        self.fields[f"{name}_per"] = forms.CharField(required=False, max_length=12, widget=forms.HiddenInput)

    @property
    def fills(self) -> bool:
        """Whether lines without an amount take that of the first: where the source names the days and no amount."""
        regimen = self.protocol.regimen
        return self.protocol.standing != Standing.BLANK and regimen.unit == schedule.MIU and regimen.needs_amounts

    @property
    def phases(self) -> list[PhaseBoxes]:
        """What the template shows."""
        return [
            PhaseBoxes(number, self[f"p{number}_repeat"], self[f"p{number}_days"], self._lines(number, phase))
            for number, phase in enumerate(self.rows, 1)
        ]

    def _lines(self, number: int, phase: schedule_rows.PhaseRow) -> list[LineBoxes]:
        return [self._line_boxes(number, index, line.per) for index, line in enumerate(phase.lines, 1)]

    def _line_boxes(self, phase: int, number: int, per: str) -> LineBoxes:
        days, slots, amount, kept = (self[f"p{phase}l{number}_{part}"] for part in ("days", "slots", "amount", "per"))
        return LineBoxes(phase, number, days, slots, amount, kept, self.product(per))

    def product(self, per: str) -> str:
        """An amount by body size times the size that was entered, in words; without a size only the amount (H28)."""
        if not per:
            return ""
        unit = self.protocol.regimen.unit
        try:
            return str(amounts.by_size(unit, Decimal(per), Decimal(str(self["size"].value()).replace(",", "."))))
        except (ArithmeticError, ValueError, KeyError):
            return f"{ui.number(per)} {unit.replace('m2', 'm²')}" if re.fullmatch(r"\d+(\.\d+)?", per) else ""

    def clean(self) -> dict[str, Any]:
        """The lines against each other."""
        cleaned = super().clean() or {}
        names = {name for name in self.fields if re.match(r"p\d", name)}
        if self.errors.keys() & names:
            return cleaned
        for number in range(1, len(self.rows) + 1):
            self._check_phase(number)
        if not self.errors.keys() & names:
            self._read()
        return cleaned

    def _check_phase(self, number: int) -> None:
        cycle_days = self.cleaned_data[f"p{number}_days"]
        if number < len(self.rows) and self.cleaned_data[f"p{number}_repeat"] is None:
            self.add_error(f"p{number}_repeat", _("Say how many courses: only the last part may go on without an end."))
        taken: set[tuple[int, str]] = set()
        for name in self._names(number):
            self._check_line(name, cycle_days, taken)

    def _names(self, number: int) -> Iterator[str]:
        return (f"p{number}l{index}" for index in range(1, len(self.rows[number - 1].lines) + 1))

    def _check_line(self, name: str, cycle_days: int, taken: set[tuple[int, str]]) -> None:
        days, slots = self.cleaned_data[f"{name}_days"], self.cleaned_data[f"{name}_slots"]
        doses = {(day, slot) for day in days for slot in slots}
        if days[-1] > cycle_days:
            words = {"day": days[-1], "days": cycle_days}
            self.add_error(
                f"{name}_days", _("Day %(day)s lies outside: the next course starts after %(days)s days.") % words
            )
        if twice := min(doses & taken, default=None):
            words = {"day": twice[0], "slot": SLOT_WORDS[twice[1]]}
            self.add_error(f"{name}_days", _("Day %(day)s, %(slot)s, stands in two lines.") % words)
        taken |= doses
        self._check_amount(name)

    def _check_amount(self, name: str) -> None:
        amount, ceiling = self.cleaned_data.get(f"{name}_amount"), self._injection_ceiling()
        if amount is None or amount <= ceiling:
            return
        words = {"amount": ui.miu(amount), "most": ui.miu(ceiling)}
        said = [_("%(amount)s is more than one injection of this treatment: %(most)s.") % words]
        a_day = len(self.cleaned_data[f"{name}_slots"])
        if meant := bounds.probably_meant(amount, ceiling, a_day):
            said.append(self._meant(amount, meant, a_day))
        self.add_error(f"{name}_amount", " ".join(said))

    def _injection_ceiling(self) -> Decimal:
        """By the route and the reason that hold here (W6)."""
        facts = self.protocol
        return bounds.injection_ceiling(facts.injection_ceiling, route=facts.route, indication=facts.indication)

    def _meant(self, amount: Decimal, meant: Decimal, a_day: int) -> str:
        if meant * a_day == amount:
            return _("Is it the amount of a whole day? Then each injection is %(meant)s.") % {"meant": ui.miu(meant)}
        return _("Did you mean %(meant)s?") % {"meant": ui.miu(meant)}

    def _read(self) -> None:
        try:
            self.regimen = schedule.parse({"unit": schedule.MIU, "phases": list(self._document())})
        except schedule.RegimenError as wrong:
            match = _PLACE.match(wrong.place)
            phase, line = (int(part or 0) + 1 for part in match.groups()) if match else (1, 1)
            self.add_error(f"p{phase}l{line}_days", _("This cannot be saved: %(reason)s.") % {"reason": wrong.reason})

    def _document(self) -> Iterator[dict[str, Any]]:
        for number in range(1, len(self.rows) + 1):
            names = list(self._names(number))
            first = self.cleaned_data[f"{names[0]}_amount"] or self.cleaned_data["p1l1_amount"]
            yield {
                "repeat": self.cleaned_data[f"p{number}_repeat"],
                "cycle_days": self.cleaned_data[f"p{number}_days"],
                "doses": [self._line(name, first) for name in names],
            }

    def _line(self, name: str, first: Decimal) -> dict[str, Any]:
        amount = self.cleaned_data[f"{name}_amount"] or first
        days = write_days(self.cleaned_data[f"{name}_days"])
        return {"days": days, "slots": self.cleaned_data[f"{name}_slots"], "amount": schedule.plain(amount)}
