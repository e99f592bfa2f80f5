"""The boxes of one draw on a page: a test's value, unit and range, what was understood, and what is only suggested."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _

from labs import range_words, units, words
from labs.models import Analyte
from labs.units import Reading

if TYPE_CHECKING:
    from labs.forms import DrawForm

NOT_KNOWN = "?"
LONGEST_RANGE = 60
LONGEST_VALUE = 2000  # as long as a result in words may be


def fields_of_test(analyte: Analyte, unit: str = "", printed_range: str = "") -> dict[str, forms.Field]:
    """Value, unit and range of one test; the menu starts with `unit`, the range with what is suggested."""
    choices = [(code, units.UNITS[code].words) for code in analyte.rule.units]
    return {
        analyte.code: forms.CharField(label=analyte.name, required=False, max_length=LONGEST_VALUE),
        f"{analyte.code}_unit": _unit_field(
            analyte, choices, unit if unit in analyte.units else analyte.canonical_unit
        ),
        f"{analyte.code}_range": forms.CharField(
            label=_("%(test)s, range on the report") % {"test": analyte.name},
            required=False,
            initial=printed_range,
            max_length=LONGEST_RANGE,
            error_messages={"max_length": _("%(test)s: this range is too long.") % {"test": analyte.name}},
        ),
    }


def unknown_unit_field(analyte: Analyte, printed: str) -> forms.ChoiceField:
    """The menu of a result whose unit is not known: it may stay as the laboratory printed it."""
    unknown = (NOT_KNOWN, _("%(unit)s (not known)") % {"unit": printed})
    known = [(code, units.UNITS[code].words) for code in analyte.rule.units]
    return _unit_field(analyte, [unknown, *known], NOT_KNOWN)


def _unit_field(analyte: Analyte, choices: list[tuple[str, str]], initial: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("%(test)s, unit") % {"test": analyte.name},
        required=False,
        choices=choices,
        initial=initial,
        error_messages={"invalid_choice": _("%(test)s: choose a unit from the list.") % {"test": analyte.name}},
    )


@dataclass(frozen=True)
class Box:
    """One test on the page of a draw."""

    form: DrawForm
    analyte: Analyte

    @property
    def name(self) -> str:
        """What the test is called; one outside the catalogue as its report calls it."""
        result = getattr(self.form, "result", None)
        return words.name(result) if result is not None else self.analyte.name

    @property
    def value(self) -> Any:
        """The box for what the report says."""
        return self.form[self.analyte.code]

    @property
    def unit(self) -> Any:
        """The menu of its units."""
        return self.form[f"{self.analyte.code}_unit"]

    @property
    def range(self) -> Any:
        """The box for the range printed beside it."""
        return self.form[f"{self.analyte.code}_range"]

    @cached_property
    def reading(self) -> Reading | None:
        """What was understood of the box; None while it is empty or cannot be read."""
        found = getattr(self.form, "cleaned_data", {}).get(self.analyte.code)
        return found if isinstance(found, Reading) else None

    @property
    def printed_range(self) -> str:
        """The range as it was sent."""
        text: str = getattr(self.form, "cleaned_data", {}).get(f"{self.analyte.code}_range") or ""
        return text

    @property
    def echo(self) -> str:
        """What was understood, in words: "0.612 × 10⁹/L, that is 612 cells/mm³"."""
        return range_words.understood(self.analyte.rule, self.reading) if self.reading else ""

    @property
    def range_echo(self) -> str:
        """What the range says about the value; why it says nothing."""
        return range_words.range_echo(self.analyte.rule, self.reading, self.printed_range) if self.printed_range else ""

    @property
    def tells_day(self) -> bool:
        """Whether what the day means for it stands beneath: under the first test that timing matters for."""
        return self.analyte.code == next((a.code for a in self.form.analytes if a.timing_matters), None)

    @property
    def suggested(self) -> bool:
        """Whether the range stands there only because the last report had it."""
        return self.form.is_suggested(f"{self.analyte.code}_range", self.form.last.printed_range(self.analyte.code))

    @property
    def is_doubtful(self) -> bool:
        """Whether a suggested range stands beside another laboratory or unit than it was printed with (H24)."""
        last, sent = self.form.last, self.form.cleaned_data
        same = sent["laboratory"].casefold() == last.laboratory.casefold()
        same = same and self.reading is not None and self.reading.unit == last.unit(self.analyte.code)
        return self.suggested and not same

    @property
    def errors(self) -> list[str]:
        """Everything that is wrong with its three boxes."""
        return [*self.value.errors, *self.unit.errors, *self.range.errors]

    @property
    def filled(self) -> bool:
        """Whether something was typed."""
        return bool(self.value.value())


@dataclass(frozen=True)
class Group:
    """Tests of one kind. The first group is open; another one while it holds what was typed or an error, or when it was
    `opened`."""

    code: str
    boxes: list[Box]
    first: bool = False
    opened: bool = False

    @property
    def title(self) -> str:
        """What they are about."""
        return words.group(self.code)

    @property
    def names(self) -> str:
        """Its tests in a row, so that one knows what is behind the title."""
        return ", ".join(box.analyte.name for box in self.boxes)

    @property
    def open(self) -> bool:
        """Whether it is shown without asking."""
        return self.first or self.opened or any(box.filled or box.errors for box in self.boxes)
