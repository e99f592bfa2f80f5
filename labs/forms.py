"""What people enter about blood tests: one draw, a correction, a file and the answers about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import schedule
from cycles.forms import ClockField, DayField
from il2tracker.accounts.models import Patient, User
from il2tracker.ui import BaseForm, clock
from labs import units, written
from labs.actions import Drawn
from labs.files.candidates import OTHER
from labs.files.tables import BROWSER_BYTES
from labs.models import Analyte, LabResult


def day_field(**kwargs: Any) -> DayField:
    """The day of a draw."""
    errors = {
        "required": gettext_lazy("Enter the day on which blood was taken."),
        "invalid": gettext_lazy("Enter the day as a date, like 2026-11-04."),
    }
    return DayField(error_messages=errors, **kwargs)


class DrawForm(BaseForm):
    """One draw with a box per test. The tests come from the library; empty boxes are tests that were not done."""

    drawn_on = day_field(
        label=gettext_lazy("Taken on"),
        help_text=gettext_lazy("The day on which blood was taken, not the day you got the result."),
    )
    drawn_time = ClockField(
        label=gettext_lazy("Time"),
        required=False,
        help_text=gettext_lazy("If you know it, for example 8:15am or 08:15."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, patient: Patient, viewer: User, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patient, self.now = patient, now
        self.fields["drawn_time"].viewer = viewer  # type: ignore[attr-defined]
        self.fields["drawn_on"].widget.attrs["max"] = patient.today(now).isoformat()
        self.analytes = self.tests()
        for analyte in self.analytes:
            self.fields.update(_test_fields(analyte))
        self.order_fields(["drawn_on", "drawn_time", *self.test_names(), "note"])

    def tests(self) -> list[Analyte]:
        """The tests that have a box."""
        return list(Analyte.objects.exclude(code=OTHER))

    def test_names(self) -> list[str]:
        """Names of the boxes and their units, in order."""
        return [name for analyte in self.analytes for name in (analyte.code, f"{analyte.code}_unit")]

    def boxes(self) -> list[dict[str, Any]]:
        """Each test's box with its unit and the echo of what was understood, for the template."""
        return [
            {"analyte": a, "value": self[a.code], "unit": self[f"{a.code}_unit"], "echo": self.echo(a)}
            for a in self.analytes
        ]

    def echo(self, analyte: Analyte) -> str:
        """What was understood of a box that was sent: "612 cells/mm³"."""
        reading = getattr(self, "cleaned_data", {}).get(analyte.code)
        return units.in_words(analyte.rule, reading) if isinstance(reading, units.Reading) else ""

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
        drawn = self.drawn() if "drawn_on" in cleaned and "drawn_time" in cleaned else None
        if drawn and drawn.at and drawn.at > self.now:
            self.add_error("drawn_time", _("This time has not come yet."))
        if not self.errors and not self.readings():
            self.add_error(None, _("Enter at least one result."))
        return cleaned

    def _read(self, analyte: Analyte) -> None:
        text = self.cleaned_data.get(analyte.code)
        if not text:
            return
        try:
            unit = self.cleaned_data.get(f"{analyte.code}_unit") or analyte.canonical_unit
            self.cleaned_data[analyte.code] = written.parse(analyte.rule, text, unit)
        except units.ReadingError as error:
            self.add_error(analyte.code, _("%(test)s: %(what)s") % {"test": analyte.name, "what": error})

    def drawn(self) -> Drawn:
        """When blood was taken."""
        on, time = self.cleaned_data["drawn_on"], self.cleaned_data["drawn_time"]
        return Drawn(on, schedule.moment(on, time, self.patient.zone) if time else None)

    def readings(self) -> dict[Analyte, units.Reading]:
        """The boxes that were filled in."""
        sent = {analyte: self.cleaned_data.get(analyte.code) for analyte in self.analytes}
        return {analyte: reading for analyte, reading in sent.items() if isinstance(reading, units.Reading)}

    def questions(self) -> list[str]:
        """What looks odd and is asked before saving."""
        readings = self.readings()
        percent = any(analyte.code == "cd4_percent" for analyte in readings)
        before = self._values_before()
        return [
            f"{analyte.name}: {question}"
            for analyte, reading in readings.items()
            for question in written.questions(
                analyte.rule, reading, before=before.get(analyte.code), percent_given=percent
            )
        ]

    def _values_before(self) -> dict[str, Decimal]:
        earlier = LabResult.objects.standing().of(self.patient).filter(
            drawn_on__lt=self.cleaned_data["drawn_on"], comparator="=", value__isnull=False
        )  # fmt: skip
        rows = earlier.select_related("analyte").order_by("drawn_on", "pk")
        return {row.analyte.code: row.own_value for row in rows if row.own_value is not None}


def _test_fields(analyte: Analyte) -> dict[str, forms.Field]:
    attrs = {"class": "w-value", "autocomplete": "off", "spellcheck": "false"}
    value = forms.CharField(
        label=analyte.name, required=False, max_length=200, widget=forms.TextInput(attrs=attrs), strip=True
    )
    unit = forms.ChoiceField(
        label=_("%(test)s, unit") % {"test": analyte.name},
        required=False,
        choices=[(code, units.UNITS[code].words) for code in analyte.rule.units],
        error_messages={"invalid_choice": _("%(test)s: choose a unit from the list.") % {"test": analyte.name}},
    )
    return {analyte.code: value, f"{analyte.code}_unit": unit}


class CorrectForm(DrawForm):
    """The same for one stored result."""

    def __init__(self, *args: Any, result: LabResult, **kwargs: Any) -> None:
        self.result = result
        local = result.local_drawn_at
        kwargs["initial"] = {
            "drawn_on": result.drawn_on,
            "drawn_time": clock(local, kwargs["viewer"]),
            "note": result.note,
            result.analyte.code: result.raw,
            f"{result.analyte.code}_unit": result.unit,
        }
        super().__init__(*args, patient=result.patient, **kwargs)

    def tests(self) -> list[Analyte]:
        """Only the test of this result."""
        return [self.result.analyte]


class RemoveForm(BaseForm):
    """Why a result is removed."""

    reason = forms.CharField(
        label=gettext_lazy("Why is it removed?"),
        max_length=200,
        error_messages={"required": gettext_lazy("Say why this result is removed.")},
    )


class FileForm(BaseForm):
    """A table to upload."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("A table saved as CSV, up to 1 MB and 5,000 rows."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv", "class": "form-control"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("This file is empty."),
            "missing": gettext_lazy("Choose a file."),
        },
    )

    def clean_file(self) -> Any:
        """Refuses what is too large before reading it."""
        file = self.cleaned_data["file"]
        if file.size > BROWSER_BYTES:
            size = f"{file.size / 1_000_000:.1f}"
            raise ValidationError(_("This file has %(size)s MB. The limit is 1 MB: split the file.") % {"size": size})
        return file


class AnswersForm(BaseForm):
    """Everything that has to be said about a table before its rows can be read: see rows.Asked."""

    def __init__(self, *args: Any, asked: Any, own: bool, visible: Mapping[str, Patient], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked, self.own, self.visible = asked, own, visible
        if own:
            self._ask_own()
        else:
            self._ask_people()
        for index, visit in enumerate(asked.visits):
            self.fields[f"visit{index}"] = day_field(label=visit, required=False)
        for index, ((test, _unit), number, count) in enumerate(asked.floors):
            self.fields[f"floor{index}"] = _floor_field(units.library()[test], number, count)

    def _ask_own(self) -> None:
        if len(self.asked.patients) > 1:
            choices = [("", _("Choose")), *((name, name) for name in self.asked.patients if name)]
            self.fields["whose"] = forms.ChoiceField(
                label=_("Which rows are these results?"),
                choices=choices,
                error_messages={"required": _("Say which rows of the file are meant.")},
            )
        if self.asked.needs_start:
            self.fields["start"] = day_field(label=_("Day 0 of the file was on"), required=False)

    def _ask_people(self) -> None:
        for index, name in enumerate(self.asked.patients or ("",)):
            label = _("Patient “%(name)s”") % {"name": name} if name else _("Rows without a name")
            attrs = {"class": "w-code", "autocomplete": "off", "spellcheck": "false", "list": "codes"}
            self.fields[f"person{index}"] = forms.CharField(
                label=label, required=False, max_length=10, widget=forms.TextInput(attrs=attrs)
            )
            if self.asked.needs_start:
                label = _("Patient “%(name)s”: day 0 was on") % {"name": name}
                self.fields[f"start{index}"] = day_field(label=label, required=False)

    def people(self) -> list[tuple[str, Any, Any]]:
        """Name in the file, box for the code, box for the start date."""
        return [
            (name, self[f"person{index}"], self[f"start{index}"] if self.asked.needs_start else None)
            for index, name in enumerate(() if self.own else self.asked.patients or ("",))
        ]

    def visits(self) -> list[Any]:
        """The boxes for dates of columns."""
        return [self[f"visit{index}"] for index in range(len(self.asked.visits))]

    def floors(self) -> list[Any]:
        """The boxes for floors."""
        return [self[f"floor{index}"] for index in range(len(self.asked.floors))]

    def clean(self) -> dict[str, Any]:
        """Refuses a code of nobody whom the viewer may add for, and two names of the file for one person."""
        cleaned = super().clean() or self.cleaned_data
        seen: set[str] = set()
        for index, _name in enumerate(() if self.own else self.asked.patients or ("",)):
            code = (cleaned.get(f"person{index}") or "").upper()
            if code and code not in self.visible:
                self.add_error(f"person{index}", _("You have no patient with the code %(code)s.") % {"code": code})
            elif code and code in seen:
                self.add_error(f"person{index}", _("The code %(code)s stands twice.") % {"code": code})
            seen.add(code)
        return cleaned

    def answers(self) -> dict[str, Any]:
        """The answers as they are stored with the upload."""
        sent = self.cleaned_data
        names = list(self.asked.patients or ("",))
        days = {name: sent.get(f"start{n}") for n, name in enumerate(names)}
        visits = {name: sent.get(f"visit{n}") for n, name in enumerate(self.asked.visits)}
        return {
            "whose": sent.get("whose", ""),
            "start": sent["start"].isoformat() if sent.get("start") else None,
            "people": {name: sent[f"person{n}"].upper() for n, name in enumerate(names) if sent.get(f"person{n}")},
            "starts": {name: on.isoformat() for name, on in days.items() if on},
            "columns": {name: on.isoformat() for name, on in visits.items() if on},
            "floors": [
                [*key, str(number), str(sent[f"floor{n}"])]
                for n, (key, number, _count) in enumerate(self.asked.floors)
                if sent.get(f"floor{n}") is not None
            ],
        }


def _floor_field(rule: units.Rule, number: Decimal, count: int) -> forms.DecimalField:
    words = {"number": units.figure(number), "count": count}
    label = _("%(number)s (%(count)s times) means less than") % words
    field = forms.DecimalField(
        label=label,
        required=False,
        min_value=rule.hard_low,
        max_value=rule.hard_high,
        widget=forms.TextInput(attrs={"class": "w-num", "inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"invalid": _("Enter the limit as a number, for example 20.")},
    )
    field.unit = units.UNITS[rule.canonical_unit].words  # type: ignore[attr-defined]
    return field
