"""A file or a pasted table, and the answers about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from il2tracker.accounts.models import Patient
from il2tracker.ui import BaseForm, long_day
from labs import units
from labs.files import days
from labs.files.asking import Asked
from labs.files.tables import BROWSER_BYTES
from labs.forms import day_field
from labs.outcomes import Stranger

ACCEPTED = ".csv,.txt,.tsv,.json,.ndjson,.hl7,.oru,text/csv,text/plain,application/json,application/fhir+json"


class FileForm(BaseForm):
    """A file to upload, or the same text pasted."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        help_text=gettext_lazy("A table saved as CSV, an HL7 message or FHIR in JSON, up to 1 MB and 5,000 rows."),
        widget=forms.FileInput(attrs={"accept": ACCEPTED, "class": "form-control"}),
        error_messages={"empty": gettext_lazy("This file is empty."), "missing": gettext_lazy("Choose a file.")},
    )
    pasted = forms.CharField(
        label=gettext_lazy("Or paste a table"),
        required=False,
        strip=False,
        help_text=gettext_lazy("Copied from a spreadsheet or from a report: one result or one blood test a line."),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off", "class": "pasted"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _unmarked(self)

    def clean_file(self) -> Any:
        """Refuses what is too large before reading it."""
        file = self.cleaned_data["file"]
        if file and file.size > BROWSER_BYTES:
            size = f"{file.size / 1_000_000:.1f}"
            raise ValidationError(_("This file has %(size)s MB. The limit is 1 MB: split the file.") % {"size": size})
        return file

    def clean(self) -> dict[str, Any]:
        """One of the two, not both: nobody could say which one was read."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if not cleaned.get("file") and not cleaned.get("pasted", "").strip():
            self.add_error("file", _("Choose a file, or paste a table."))
        elif cleaned.get("file") and cleaned.get("pasted", "").strip():
            self.add_error("pasted", _("Choose a file or paste a table, not both."))
        return cleaned

    def content(self) -> tuple[str, str, bytes]:
        """The box that was used, what the file is called, and its bytes."""
        file = self.cleaned_data["file"]
        if file:
            return "file", file.name, file.read()
        return "pasted", _("pasted table"), self.cleaned_data["pasted"].encode()


class AnswersForm(BaseForm):
    """Everything that has to be said about a file before its rows can be read: see asking.Asked and Stranger."""

    def __init__(
        self,
        *args: Any,
        asked: Asked,
        own: bool,
        visible: Mapping[str, Patient],
        strangers: Sequence[Stranger] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.asked, self.own, self.visible, self.met = asked, own, visible, strangers
        self._ask_who_is_meant()
        if own:
            self._ask_own()
        else:
            self._ask_people()
        if asked.asks_order:
            self.fields["order"] = _order_field(asked.order)
        if asked.needs_on:
            self.fields["on"] = day_field(label=_("When was the blood taken?"), required=False)
        for index, visit in enumerate(asked.visits):
            self.fields[f"visit{index}"] = day_field(label=visit, required=False)
        for index, ((test, _unit), number, count) in enumerate(asked.floors):
            self.fields[f"floor{index}"] = _floor_field(units.library()[test], number, count)
        _unmarked(self)

    def _ask_who_is_meant(self) -> None:
        for index, stranger in enumerate(self.met):
            self.fields[f"same{index}"] = forms.BooleanField(label=stranger.asks, required=False)

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

    def people(self, rows_of: Callable[[str], int]) -> list[tuple[str, Any, Any, int]]:
        """Name in the file, box for the code, box for the start date, how many rows."""
        return [
            (name, self[f"person{index}"], self[f"start{index}"] if self.asked.needs_start else None, rows_of(name))
            for index, name in enumerate(() if self.own else self.asked.patients or ("",))
        ]

    def strangers(self) -> list[tuple[Stranger, Any]]:
        """Each person who differs, with the box to say that it is the same one."""
        return [(stranger, self[f"same{index}"]) for index, stranger in enumerate(self.met)]

    @property
    def asks_more(self) -> bool:
        """Whether it asks anything but who is meant."""
        return len(self.fields) > len(self.met)

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
        starts = {name: sent.get(f"start{n}") for n, name in enumerate(names)}
        visits = {name: sent.get(f"visit{n}") for n, name in enumerate(self.asked.visits)}
        return {
            "whose": sent.get("whose", ""),
            "start": sent["start"].isoformat() if sent.get("start") else None,
            "on": sent["on"].isoformat() if sent.get("on") else None,
            "order": sent.get("order", ""),
            "same": [stranger.key for n, stranger in enumerate(self.met) if sent.get(f"same{n}")],
            "people": {name: sent[f"person{n}"].upper() for n, name in enumerate(names) if sent.get(f"person{n}")},
            "starts": {name: on.isoformat() for name, on in starts.items() if on},
            "columns": {name: on.isoformat() for name, on in visits.items() if on},
            "floors": [
                [*key, str(number), str(sent[f"floor{n}"])]
                for n, (key, number, _count) in enumerate(self.asked.floors)
                if sent.get(f"floor{n}") is not None
            ],
        }

    def as_answered(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """The boxes as they were answered before; a name of the file that is a patient's code is offered."""
        names = list(self.asked.patients or ("",))
        codes = said.get("people", {name: name.upper() for name in names if name.upper() in self.visible})
        limits = {(test, unit, number): limit for test, unit, number, limit in said.get("floors", [])}
        return {
            **{name: said.get(name) for name in ("whose", "start", "on", "order")},
            **{f"same{n}": stranger.key in said.get("same", ()) for n, stranger in enumerate(self.met)},
            **{f"person{n}": codes.get(name, "") for n, name in enumerate(names)},
            **{f"start{n}": said.get("starts", {}).get(name) for n, name in enumerate(names)},
            **{f"visit{n}": said.get("columns", {}).get(name) for n, name in enumerate(self.asked.visits)},
            **{f"floor{n}": limits.get((*key, str(number))) for n, (key, number, _c) in enumerate(self.asked.floors)},
        }


def _unmarked(form: forms.Form) -> None:
    """No “(optional)”: what is left out here leaves rows out, or the other box is needed."""
    for field in form.fields.values():
        field.unmarked = True  # type: ignore[attr-defined]


def _order_field(example: str) -> forms.ChoiceField:
    day_first, month_first = days.both_ways(example)
    return forms.ChoiceField(
        label=_("How are the dates of this file written?"),
        help_text=_("One answer for the whole file. “%(date)s” is an example.") % {"date": example},
        choices=[(days.DAY_FIRST, long_day(day_first)), (days.MONTH_FIRST, long_day(month_first))],
        required=False,
        widget=forms.RadioSelect,
    )


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
