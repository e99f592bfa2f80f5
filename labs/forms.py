"""What people enter about blood tests: one draw, a correction, why one is removed."""

from __future__ import annotations

from datetime import date, datetime
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import schedule
from cycles.forms import ClockField, DayField
from il2tracker.accounts.models import Patient, User
from il2tracker.ui import BaseForm, clock
from labs import written
from labs.actions import LONGEST_REASON, Drawn, Entry
from labs.boxes import NOT_KNOWN, Box, Group, fields_of_test, unknown_unit_field
from labs.files.candidates import OTHER
from labs.last_report import NOTHING, LastReport
from labs.models import Analyte, LabResult
from labs.units import Reading, ReadingError


def day_field(**kwargs: Any) -> DayField:
    """The day of a draw."""
    errors = {
        "required": gettext_lazy("Enter the day on which blood was taken."),
        "invalid": gettext_lazy("Enter the day as a date, like 2026-11-04."),
    }
    return DayField(error_messages=errors, **kwargs)


class DrawForm(BaseForm):
    """One draw with a box per test. The tests come from the library; empty boxes are tests that were not done.

    `last` holds what is suggested from the patient's last report: shown, marked, and free to be cleared. `timed`
    False = CD4+ counts and viral loads are not part of the plan: their boxes come last.
    """

    drawn_on = day_field(
        label=gettext_lazy("Taken on"),
        help_text=gettext_lazy("The day on which blood was taken, not the day you got the result."),
    )
    drawn_time = ClockField(
        label=gettext_lazy("Time"),
        required=False,
        help_text=gettext_lazy("If you know it, for example 8:15am or 08:15."),
    )
    laboratory = forms.CharField(
        label=gettext_lazy("Laboratory"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self,
        *args: Any,
        patient: Patient,
        viewer: User,
        now: datetime,
        last: LastReport = NOTHING,
        timed: bool = True,
        **kwargs: Any,
    ) -> None:
        kwargs["initial"] = {"laboratory": last.laboratory} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.patient, self.now, self.last, self.all_open = patient, now, last, False
        self.fields["drawn_time"].viewer = viewer  # type: ignore[attr-defined]
        self.fields["drawn_on"].widget.attrs["max"] = patient.today(now).isoformat()
        self.analytes = self.tests() if timed else sorted(self.tests(), key=lambda test: test.timing_matters)
        for analyte in self.analytes:
            self.fields.update(self.fields_of(analyte))
        self.order_fields(["drawn_on", "drawn_time", "laboratory", *self.test_names(), "note"])

    def tests(self) -> list[Analyte]:
        """The tests that have a box."""
        return list(Analyte.objects.exclude(code=OTHER))

    def fields_of(self, analyte: Analyte) -> dict[str, forms.Field]:
        """The three boxes of a test: value, unit, range."""
        return fields_of_test(analyte, self.last.unit(analyte.code), self.last.printed_range(analyte.code))

    def test_names(self) -> list[str]:
        """Names of the boxes, their units and their ranges, in order."""
        return [code + part for code in (a.code for a in self.analytes) for part in ("", "_unit", "_range")]

    def box(self, code: str) -> Box | None:
        """The box of one test, if it has one here."""
        return next((Box(self, analyte) for analyte in self.analytes if analyte.code == code), None)

    def filled(self) -> list[Box]:
        """The boxes that were filled in and understood."""
        return [box for box in (Box(self, analyte) for analyte in self.analytes) if box.reading is not None]

    def groups(self) -> list[Group]:
        """The boxes by what they are about, for the template; the first group is always open."""
        boxes = [Box(self, analyte) for analyte in self.analytes]
        grouped = groupby(boxes, key=lambda box: box.analyte.group)
        return [
            Group(code, list(members), first=not n, opened=self.all_open) for n, (code, members) in enumerate(grouped)
        ]

    @property
    def has_closed(self) -> bool:
        """Whether a group of tests is closed."""
        return not all(group.open for group in self.groups())

    def clean_drawn_on(self) -> date:
        """Refuses a day to come."""
        on = self.cleaned_data["drawn_on"]
        if on > self.patient.today(self.now):
            raise ValidationError(_("This day has not come yet. Enter the day on which blood was taken."))
        return on

    def clean(self) -> dict[str, Any]:
        """Reads every box by its test's rules, and the moment of the draw."""
        cleaned = super().clean() or self.cleaned_data
        for analyte in self.analytes:
            self._read(analyte)
        drawn = self.drawn_so_far()
        if drawn and drawn.at and drawn.at > self.now:
            self.add_error("drawn_time", _("This time has not come yet."))
        if not self.errors and not self.entries():
            self.add_error(None, _("Enter at least one result."))
        return cleaned

    def _read(self, analyte: Analyte) -> None:
        text = self.cleaned_data.get(analyte.code)
        if not text:
            return
        try:
            unit = self.cleaned_data.get(f"{analyte.code}_unit") or analyte.canonical_unit
            self.cleaned_data[analyte.code] = self.reading(analyte, text, unit)
        except ReadingError as error:
            self.add_error(analyte.code, _("%(test)s: %(what)s") % {"test": analyte.name, "what": error})

    def reading(self, analyte: Analyte, text: str, unit: str) -> Reading:
        """What stands in a box, read by the rules of its test. Raises ReadingError."""
        return written.parse(analyte.rule, text, unit)

    def drawn(self) -> Drawn:
        """When blood was taken, of a form that is valid."""
        drawn = self.drawn_so_far()
        assert drawn is not None
        return drawn

    def drawn_so_far(self) -> Drawn | None:
        """When blood was taken; None while the day or the time is not right."""
        cleaned = getattr(self, "cleaned_data", {})
        if not cleaned.get("drawn_on") or "drawn_time" not in cleaned:
            return None
        on, time = cleaned["drawn_on"], cleaned["drawn_time"]
        return Drawn(on, schedule.moment(on, time, self.patient.zone) if time else None)

    def drawn_before(self) -> Drawn | None:
        """When blood was taken of what is corrected; None for something new."""
        return None

    def entries(self) -> dict[Analyte, Entry]:
        """The boxes that were filled in, with their ranges."""
        return {box.analyte: Entry(box.reading, box.printed_range) for box in self.filled() if box.reading is not None}

    @property
    def suggests(self) -> bool:
        """Whether anything on the page still stands there only because the last report had it."""
        return self.is_suggested("laboratory", self.last.laboratory) or any(
            Box(self, analyte).suggested for analyte in self.analytes
        )

    def is_suggested(self, name: str, suggestion: str) -> bool:
        """Whether a box still holds what was suggested."""
        return bool(suggestion) and self[name].value() == suggestion

    @property
    def laboratory_suggested(self) -> bool:
        """Whether the laboratory still is the one of the last report."""
        return self.is_suggested("laboratory", self.last.laboratory)

    def typed(self) -> dict[str, Any]:
        """Everything as it stands in the boxes, for a form that starts from it."""
        return {name: self[name].value() for name in self.fields}

    def unsuggested(self) -> dict[str, Any]:
        """The same without what was only suggested."""
        suggested = {f"{analyte.code}_range" for analyte in self.analytes if Box(self, analyte).suggested}
        suggested |= {"laboratory"} if self.laboratory_suggested else set()
        return {name: "" if name in suggested else value for name, value in self.typed().items()}


class CorrectForm(DrawForm):
    """The same for one stored result, with why it is changed."""

    reason = forms.CharField(
        label=gettext_lazy("Why is it changed?"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("For example: I mistyped it. The old value and this stay on its page."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Say why it is changed.")},
    )

    def __init__(self, *args: Any, result: LabResult, **kwargs: Any) -> None:
        self.result = result
        code = result.analyte.code
        kwargs["initial"] = {
            "drawn_on": result.drawn_on,
            "drawn_time": clock(result.local_drawn_at, kwargs["viewer"]),
            "laboratory": result.laboratory,
            "note": result.note,
            code: result.text or result.raw,
            f"{code}_unit": result.unit or NOT_KNOWN,
            f"{code}_range": result.printed_range,
        }
        super().__init__(*args, patient=result.patient, **kwargs)

    def drawn_before(self) -> Drawn | None:
        """When blood was taken, as it is kept."""
        return Drawn(self.result.drawn_on, self.result.drawn_at)

    def tests(self) -> list[Analyte]:
        """Only the test of this result."""
        return [self.result.analyte]

    def fields_of(self, analyte: Analyte) -> dict[str, forms.Field]:
        """A unit that is not known may stay: it stands in the menu as the laboratory printed it."""
        found = fields_of_test(analyte, self.result.unit)
        if not self.result.unit:
            printed = self.result.unit_text or _("no unit")
            found[f"{analyte.code}_unit"] = unknown_unit_field(analyte, printed)
        return found

    def correction(self) -> dict[str, Any]:
        """What the action needs to correct this result."""
        sent = self.cleaned_data
        return {
            "reading": self.entries()[self.result.analyte],
            "drawn": self.drawn(),
            "now": self.now,
            "reason": sent["reason"],
            "laboratory": sent["laboratory"],
            "note": sent["note"],
        }

    def reading(self, analyte: Analyte, text: str, unit: str) -> Reading:
        """What was not touched stays as it is; a result in words and an unknown unit stay what they are."""
        old = self.result.reading
        if text == (old.text or old.raw) and unit == (old.unit or NOT_KNOWN):
            return old
        if analyte.code == OTHER:
            return Reading("=", None, "", None, text[:60], old.unit_text, text)
        if unit == NOT_KNOWN:
            raise ReadingError(_("Choose its unit, so that the new value can be read."))
        return super().reading(analyte, text, unit)
