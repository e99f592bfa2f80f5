"""The check-in form: red flags, temperature, chips. What could be read counts even when the rest is not valid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import sites
from cycles.models import PlanVersion
from cycles.protocols import Route
from cycles.site_forms import size_field
from il2tracker.accounts.models import Patient
from sideeffects import filled
from sideeffects.answers import Answers, Lump
from sideeffects.models import CheckIn, Symptom, SymptomReport
from sideeffects.units import Temperature, TemperatureError, Weight, parse_temperature
from sideeffects.vital_forms import VitalsForm

DRIP_ROUTES = frozenset({Route.CONTINUOUS, Route.INTRAVENOUS})
LUMP = "lump"
SEVERITIES = [choice for choice in SymptomReport.Severity.choices if choice[0]]


class KeyField(forms.UUIDField):
    """The key of one filling-in of the form. One that was tampered with is replaced: nothing urgent hangs on it."""

    def clean(self, value: Any) -> UUID:
        """Never fails."""
        try:
            return super().clean(value) or uuid4()
        except forms.ValidationError:
            return uuid4()


@dataclass(frozen=True)
class Chip:
    """One symptom as the form shows it."""

    symptom: Symptom
    name: str
    is_ticked: bool
    severity: str
    errors: list[Any]


@dataclass(frozen=True)
class ChipGroup:
    """The chips of one part of the body."""

    title: str
    chips: list[Chip]


class CheckInForm(VitalsForm):
    """How a person feels now. `symptoms` are the rows of the catalogue; `version` the plan in force, or None.

    `shown` fills the boxes while nothing is sent: what is copied from the last check-in, or what is to be changed.
    """

    key = KeyField(widget=forms.HiddenInput)
    flags = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    none_of_flags = forms.BooleanField(required=False, label=gettext_lazy("None of these"))
    temperature = forms.CharField(
        required=False,
        max_length=40,
        label=gettext_lazy("Temperature"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "w-num form-control-lg"}),
    )
    unit = forms.ChoiceField(required=False, choices=Patient.TemperatureUnit.choices, widget=forms.RadioSelect)
    medicine = forms.ChoiceField(required=False, choices=CheckIn.Medicine.choices, widget=forms.RadioSelect)
    no_symptoms = forms.BooleanField(required=False, label=gettext_lazy("I have no other symptoms now"))
    lump_site = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Where is the lump?"),
        choices=[("", gettext_lazy("Choose the place")), *((site.code, site.words) for site in sites.SITES)],
    )
    lump_size = size_field()
    note = forms.CharField(
        required=False,
        max_length=2000,
        label=gettext_lazy("Anything else, in your own words"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    field_order = ["key", "flags", "none_of_flags", "temperature", "unit", "medicine", "no_symptoms"]

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        patient: Patient,
        version: PlanVersion | None,
        symptoms: Iterable[Symptom],
        shown: QueryDict | None = None,
        last_weight: Weight | None = None,
    ) -> None:
        units = {"unit": patient.temperature_unit, "weight_unit": _weight_unit(patient, last_weight)}
        super().__init__(data, initial={"key": uuid4(), **units, **(shown.dict() if shown else {})})
        self.shown = shown if data is None else data
        self.last_weight = last_weight
        indication = version.indication if version else ""
        self.is_by_drip = version is not None and version.route in DRIP_ROUTES
        asked = [symptom for symptom in symptoms if self.is_by_drip or not symptom.drip_only]
        self.red_flags = [symptom for symptom in asked if symptom.is_flag(indication)]
        self.chips = [symptom for symptom in asked if not symptom.is_flag(indication) and symptom.group != "flag"]
        self.reading: Temperature | None = None
        self.fields["flags"].choices = [(flag.code, flag.word) for flag in self.red_flags]  # type: ignore[attr-defined]
        for chip in self.chips:
            self.fields[_how(chip)] = forms.TypedChoiceField(
                coerce=int, empty_value=None, choices=SEVERITIES, required=False, widget=forms.RadioSelect
            )

    def _sent(self, name: str) -> list[str]:
        """The values as sent; without NUL, which PostgreSQL keeps in no text."""
        values = self.shown.getlist(name) if self.shown is not None else []
        return [value.replace("\0", "") for value in values]

    @property
    def ticked_flags(self) -> frozenset[str]:
        """The red flags that were ticked, whatever else was wrong (R4)."""
        return frozenset(self._sent("flags")) & {flag.code for flag in self.red_flags}

    @property
    def ticked_chips(self) -> list[Symptom]:
        """The chips that were ticked, or given a severity."""
        codes = set(self._sent("symptoms"))
        return [chip for chip in self.chips if chip.code in codes or self._sent(_how(chip))]

    def clean_temperature(self) -> Temperature | None:
        """The reading in the unit that its number tells; an empty box is no reading."""
        text = self.cleaned_data["temperature"]
        if not text:
            return None
        try:
            self.reading = parse_temperature(text)
        except TemperatureError as error:
            raise forms.ValidationError(str(error)) from None
        return self.reading

    @property
    def says_nothing(self) -> bool:
        """Whether it was sent by "No symptoms today": none of the red flags, and nothing else."""
        return bool(self._sent("nothing"))

    def clean(self) -> dict[str, Any]:
        """Nothing may be left to guess: flags answered, unit and number agree, each symptom with its severity."""
        cleaned = super().clean()
        if self.says_nothing:
            cleaned |= {"none_of_flags": not self.ticked_flags, "no_symptoms": not self.ticked_flags}
        if not self.ticked_flags and not cleaned.get("none_of_flags"):
            self.add_error("flags", _("Choose any that apply, or None of these."))
        self._check_unit(cleaned)
        self._check_lump(cleaned)
        for chip in self.ticked_chips:
            if cleaned.get(_how(chip)) is None and _how(chip) not in self.errors:
                self.add_error(_how(chip), _("Say how bad it is: %(symptom)s.") % {"symptom": chip.word.lower()})
        if self.ticked_chips and cleaned.get("no_symptoms"):
            self.add_error("no_symptoms", _("You also chose symptoms. Untick this, or untick them."))
        return cleaned

    def _check_unit(self, cleaned: Mapping[str, Any]) -> None:
        unit, typed = cleaned.get("unit"), " ".join(self._sent("temperature"))
        names_its_unit = any(sign.isalpha() for sign in typed)
        if self.reading and unit and unit != self.reading.unit and not names_its_unit:
            words = {"typed": typed.strip(), "chosen": unit, "likely": self.reading.unit}
            self.add_error(
                "temperature", _("%(typed)s is no body temperature in °%(chosen)s. Choose °%(likely)s?") % words
            )

    def _check_lump(self, cleaned: Mapping[str, Any]) -> None:
        if (
            self._has_lump
            and cleaned.get("lump_size")
            and not cleaned.get("lump_site")
            and not self.errors.get("lump_site")
        ):
            self.add_error("lump_site", _("Choose the place of the lump."))

    @property
    def _has_lump(self) -> bool:
        return any(chip.code == LUMP for chip in self.ticked_chips)

    @property
    def _lump(self) -> Lump | None:
        site = self.cleaned_data.get("lump_site")
        return Lump(site, self.cleaned_data.get("lump_size")) if site and self._has_lump else None

    def answers(self) -> Answers:
        """Everything that could be read. With errors it carries what was sent, to finish later (R4)."""
        cleaned, flags = self.cleaned_data, self.ticked_flags
        graded = {chip.code: cleaned.get(_how(chip)) for chip in self.ticked_chips}
        return Answers(
            flags=flags,
            none_of_flags=bool(cleaned.get("none_of_flags")) and not flags,
            temperature=self.reading,
            temperature_typed=" ".join(self._sent("temperature"))[:40].strip() if self.reading else "",
            medicine=cleaned.get("medicine") or "",
            severities={code: grade for code, grade in graded.items() if grade is not None},
            no_symptoms=bool(cleaned.get("no_symptoms")) and not graded,
            weight=cleaned.get("weight"),
            pressure=cleaned.get("pressure"),
            stools=cleaned.get("stools"),
            lump=self._lump,
            note=cleaned.get("note") or "",
            unfinished=self._unfinished(),
        )

    def _unfinished(self) -> dict[str, list[str]]:
        """What was sent in the boxes of this form and nowhere else, while something in it is not understood."""
        is_understood = not self.errors.keys() - {NON_FIELD_ERRORS}
        asked = [] if is_understood else [*self.fields, "symptoms"]
        return {name: self._sent(name) for name in asked if name in self.data}

    @property
    def groups(self) -> list[ChipGroup]:
        """The frequent chips by part of the body, in the order of the catalogue."""
        return self._grouped([symptom for symptom in self.chips if not symptom.more])

    @property
    def groups_behind_more(self) -> list[ChipGroup]:
        """The rarer ones."""
        return self._grouped([symptom for symptom in self.chips if symptom.more])

    @property
    def is_more_open(self) -> bool:
        """Nothing that is ticked stays hidden."""
        return any(symptom.more for symptom in self.ticked_chips)

    def _grouped(self, symptoms: Iterable[Symptom]) -> list[ChipGroup]:
        by_group: dict[str, list[Chip]] = {}
        for symptom in symptoms:
            by_group.setdefault(symptom.group, []).append(self._chip(symptom))
        return [ChipGroup(str(Symptom.Group(group).label), chips) for group, chips in by_group.items()]

    def _chip(self, symptom: Symptom) -> Chip:
        name = _how(symptom)
        severity = (self._sent(name) or [""])[0]
        is_ticked = bool(severity) or symptom.code in self._sent("symptoms")
        return Chip(symptom, name, is_ticked, severity, list(self.errors.get(name, [])))


class ChangeForm(CheckInForm):
    """A check-in that is put right. What the form does not ask on the plan of that day stays as it was said.

    `read`: the version of the check-in that fills the boxes.
    """

    reason = forms.CharField(
        required=False,
        max_length=100,
        label=gettext_lazy("Why it changes"),
        help_text=gettext_lazy("What you said before stays readable beside it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    read = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, *, saved: CheckIn, read: int, **known: Any) -> None:
        super().__init__(data, shown=filled.everything(saved), **known)
        self.initial["read"] = read
        self.saved = saved

    @property
    def version(self) -> int:
        """The version that was read; 0, which is none, for a page that does not say it."""
        return self.cleaned_data.get("read") or 0

    def answers(self) -> Answers:
        """What was sent, and what could not be."""
        answers, said = super().answers(), {report.symptom.code: report.severity for report in self.saved.reports.all()}
        flags = set(self.saved.flags) - {flag.code for flag in self.red_flags}
        chips = said.keys() - {chip.code for chip in self.chips}
        return replace(
            answers,
            flags=answers.flags | flags,
            none_of_flags=answers.none_of_flags and not flags,
            severities={**{code: said[code] for code in chips}, **answers.severities},
        )


def _how(symptom: Symptom) -> str:
    return f"how_{symptom.code}"


def _weight_unit(patient: Patient, last: Weight | None) -> str:
    """The one of the last weight; before the first, that of the country where temperatures are taken like this."""
    if last:
        return last.unit
    return "lb" if patient.temperature_unit == Patient.TemperatureUnit.FAHRENHEIT else "kg"
