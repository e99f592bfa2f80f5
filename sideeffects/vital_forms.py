"""Weight, blood pressure and stools, as the check-in asks for them behind "More"."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from il2tracker import ui
from sideeffects.units import (
    Pressure,
    ReadingError,
    Weight,
    names_weight_unit,
    parse_pressure,
    parse_stools,
    parse_weight,
)


def _number_box(mode: str) -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off", "class": "w-num"})


class VitalsForm(ui.BaseForm):
    """Three measurements that nobody has to give. `last_weight`: the one before, to ask about a jump."""

    VITALS = ("weight", "pressure", "stools")

    weight = forms.CharField(
        required=False,
        max_length=20,
        label=gettext_lazy("Weight"),
        widget=_number_box("decimal"),
    )
    weight_unit = forms.ChoiceField(required=False, choices=[("kg", "kg"), ("lb", "lb")], widget=forms.RadioSelect)
    pressure = forms.CharField(
        required=False,
        max_length=20,
        label=gettext_lazy("Blood pressure"),
        help_text=gettext_lazy("The larger number first, like 120/80."),
        widget=_number_box("text"),
    )
    stools = forms.CharField(
        required=False,
        max_length=20,
        label=gettext_lazy("Bowel movements in the last 24 hours"),
        widget=_number_box("numeric"),
    )
    pressure.unit = gettext_lazy("mmHg")  # type: ignore[attr-defined]
    stools.unit = gettext_lazy("times")  # type: ignore[attr-defined]

    last_weight: Weight | None = None

    def clean_pressure(self) -> Pressure | None:
        """Both numbers, or nothing."""
        return self._read("pressure", parse_pressure)

    def clean_stools(self) -> int | None:
        """How often, 0 included, or nothing."""
        return self._read("stools", parse_stools)

    def _read(self, name: str, parse: Any) -> Any:
        text = self.cleaned_data[name]
        try:
            return parse(text) if text else None
        except ReadingError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        """The weight in its unit; one that is far from the last weight has to name its unit in the text."""
        cleaned = super().clean() or {}
        typed, cleaned["weight"] = cleaned.get("weight"), None
        if not typed:
            return cleaned
        try:
            weight = parse_weight(typed, cleaned.get("weight_unit") or "kg")
        except ReadingError as error:
            self.add_error("weight", str(error))
            return cleaned
        if self.last_weight and weight.is_far_from(self.last_weight) and not names_weight_unit(typed):
            words = {"weight": weight, "last": self.last_weight}
            asks = _("%(weight)s? The last weight was %(last)s. If it is right, write “%(weight)s”.")
            self.add_error("weight", asks % words)
        else:
            cleaned["weight"] = weight
        return cleaned

    @property
    def is_vitals_open(self) -> bool:
        """Nothing that is filled in, or wrong, stays hidden."""
        return any(self[name].value() or self[name].errors for name in self.VITALS)
