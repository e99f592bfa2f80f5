"""The terms of a plan besides its schedule: size, syringe, limits, fever, goal, medicines; each for who may set it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import amounts, bounds, schedule
from cycles.forms import DayField
from cycles.models import PlanVersion
from cycles.protocols import FeverUnit, Indication, Protocol, Route, Standing, Thresholds
from cycles.regimen import BY_WEIGHT
from cycles.schedule_forms import ScheduleForm, whole
from cycles.schedule_rows import Rows
from il2tracker import ui
from il2tracker.accounts.models import Patient, User

FEVERS = {FeverUnit.CELSIUS: (Decimal(37), Decimal(40)), FeverUnit.FAHRENHEIT: (Decimal("98.6"), Decimal(104))}
SIZES = {True: (Decimal(20), Decimal(350)), False: (Decimal("0.3"), Decimal("3.5"))}  # kg, m²; app's own
LATE = (2, 24)  # hours; app's own: two hours around its time an injection is on time (B8)
DATE_ERRORS = {"invalid": gettext_lazy("Enter the day as a date.")}


class NumberField(forms.DecimalField):
    """A number with a point or a comma, and its unit behind the box."""

    def __init__(self, label: Any, unit: Any, *, places: int, help_text: Any = "", most: int = 1000) -> None:
        attrs = {"class": "w-num", "inputmode": "decimal", "autocomplete": "off"}
        super().__init__(
            label=label,
            help_text=help_text,
            required=False,
            decimal_places=places,
            max_value=most,
            widget=forms.TextInput(attrs=attrs),
            error_messages={"invalid": gettext_lazy("Write a number, like 1.8.")},
        )
        self.unit = unit

    def prepare_value(self, value: Any) -> Any:
        """1.8 in the box, never 1.80."""
        return schedule.plain(value) if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        """The number, or None when it is left out."""
        number = super().to_python(str(value or "").strip().replace(",", "."))
        if number is not None and number <= 0:
            raise ValidationError(_("The number has to be more than 0."))
        return number


def _words(label: Any, help_text: Any, most: int, rows: int = 0) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
    return forms.CharField(label=label, help_text=help_text, max_length=most, required=False, widget=widget)


class TermsForm(ScheduleForm):
    """The boxes around the schedule."""

    indication = forms.ChoiceField(
        label=gettext_lazy("What it is for"),
        choices=Indication.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say what the treatment is for.")},
    )
    route = forms.ChoiceField(
        label=gettext_lazy("How it is given"),
        choices=Route.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say how it is given.")},
    )
    beyond_reason = _words(
        gettext_lazy("Why an amount outside what was studied"), gettext_lazy("It is kept with the plan."), 200
    )
    size = NumberField("", "", places=2)
    size_on = DayField(label=gettext_lazy("Measured on"), required=False, error_messages=DATE_ERRORS)
    concentration = NumberField(
        gettext_lazy("Concentration in the syringe"),
        gettext_lazy("million units in 1 mL"),
        places=3,
        help_text=gettext_lazy("Only for showing a volume. Left empty: no volume anywhere."),
    )
    syringe_mark = _words(
        gettext_lazy("What to read on the syringe"),
        gettext_lazy("As the nurse marked it, for example: to the second mark."),
        80,
    )
    min_gap_hours = whole(
        gettext_lazy("Shortest time between two injections"),
        gettext_lazy("Left empty: 8 hours when there are two a day (this diary’s own number)."),
        gettext_lazy("hours"),
        1,
        72,
    )
    late_after_hours = NumberField(
        gettext_lazy("Late, but still without a call, for"),
        gettext_lazy("hours"),
        places=2,
        help_text=gettext_lazy("Left empty: until midway to the next injection (this diary’s own rule)."),
    )
    fever_above = NumberField(
        gettext_lazy("Fever: call when over"),
        "",
        places=1,
        most=110,
        help_text=gettext_lazy("Left empty: the limit stays as it is."),
    )
    fever_unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=FeverUnit.choices, required=False)
    fever_only_if_not_relieved = forms.BooleanField(
        label=gettext_lazy("Only if fever medicine does not bring it down"), required=False
    )
    goal_kind = forms.ChoiceField(label=gettext_lazy("CD4+ goal"), choices=PlanVersion.GoalKind.choices, required=False)
    cd4_goal = whole(
        gettext_lazy("Number"),
        gettext_lazy("Cells/mm³, or percent: 200 is twice the baseline. The source from 2007 names above 600."),
        "",
        1,
        5000,
    )
    premedication = _words(
        gettext_lazy("Medicines to take with the injections"),
        gettext_lazy("Names only, one a line, as they were prescribed."),
        400,
        rows=3,
    )

    def __init__(
        self, *args: Any, protocol: Protocol, patient: Patient, today: date, viewer: User, rows: Rows, **kwargs: Any
    ) -> None:
        self.patient, self.today, self.viewer = patient, today, viewer
        self.for_clinic = viewer.pk != patient.user_id
        super().__init__(*args, protocol=protocol, rows=rows, **kwargs)
        for name in self._left_out():
            del self.fields[name]
        self._name_size()

    def _left_out(self) -> Iterator[str]:
        """A patient without a clinic takes the protocol's fever limit as it is and reads no volume (B6, H28)."""
        if self.thresholds.indication != Indication.HIV and not self.is_blank:
            yield from ("cd4_goal", "goal_kind")
        if not self.is_blank:
            yield "indication"
        if not self.asks_route:
            yield "route"
        if not self.for_clinic:
            yield from ("fever_above", "fever_unit", "fever_only_if_not_relieved", "concentration")
        if not self.by_size:
            yield from ("size", "size_on")

    def _name_size(self) -> None:
        if self.by_size:
            weighs = self.protocol.regimen.unit == BY_WEIGHT
            size = self.fields["size"]
            size.label = _("Body weight") if weighs else _("Body surface")
            size.unit = "kg" if weighs else "m²"  # type: ignore[attr-defined]
            for name in ("size", "size_on"):
                self.fields[name].unmarked = True  # type: ignore[attr-defined]

    @property
    def thresholds(self) -> Thresholds:
        """Where the fever limit and the indication come from."""
        return self.protocol

    @property
    def asks_route(self) -> bool:
        """Whether the route is chosen here; a patient without a clinic has no other than under the skin (B6)."""
        return self.for_clinic and self.is_blank

    @property
    def is_blank(self) -> bool:
        """Whether the template brings no schedule at all."""
        return self.protocol.standing == Standing.BLANK

    @property
    def by_size(self) -> bool:
        """Whether the template names amounts by body size."""
        return self.protocol.regimen.unit != schedule.MIU

    def clean_premedication(self) -> str:
        """One medicine a line, whatever a browser puts at the ends of lines."""
        return "\n".join(line.strip() for line in self.cleaned_data["premedication"].splitlines() if line.strip())

    def clean_late_after_hours(self) -> Decimal | None:
        """Not before an injection on time would be late; what stands in the plan may stay."""
        hours: Decimal | None = self.cleaned_data["late_after_hours"]
        if hours is not None and hours != self.initial.get("late_after_hours") and not LATE[0] <= hours <= LATE[1]:
            raise ValidationError(_("Enter %(least)s to %(most)s hours.") % {"least": LATE[0], "most": LATE[1]})
        return hours

    def clean(self) -> dict[str, Any]:
        """Fever limit and body size."""
        cleaned = super().clean()
        self._check_fever()
        self._check_size()
        return cleaned

    def _injection_ceiling(self) -> Decimal:
        return bounds.injection_ceiling(self.protocol.injection_ceiling, **self._by)

    @property
    def _by(self) -> dict[str, str]:
        """Route and reason as chosen here, else as they are."""
        return {name: self.cleaned_data.get(name) or getattr(self.thresholds, name) for name in ("route", "indication")}

    def _check_fever(self) -> None:
        limit = self.cleaned_data.get("fever_above")
        if limit is None:
            return
        unit = self.cleaned_data.get("fever_unit") or self.thresholds.fever_unit
        least, most = FEVERS[FeverUnit(unit)]
        if not least <= limit <= most:
            words = {"least": ui.number(least), "most": ui.number(most), "unit": unit}
            self.add_error("fever_above", _("Enter a limit from %(least)s to %(most)s °%(unit)s.") % words)

    def _check_size(self) -> None:
        """A body size needs its date, lies in the past, and is one of a person (H28)."""
        if not self.by_size or self.errors.keys() & {"size", "size_on"}:
            return
        size, on = self.cleaned_data["size"], self.cleaned_data["size_on"]
        least, most = SIZES[self.protocol.regimen.unit == BY_WEIGHT]
        if size is None:
            self.add_error("size", _("Enter the size that the amounts were worked out with."))
        elif not least <= size <= most:
            self.add_error("size", _("Enter a number from %(least)s to %(most)s.") % {"least": least, "most": most})
        if on is None:
            self.add_error("size_on", _("Enter the day on which it was measured."))
        elif on > self.today:
            self.add_error("size_on", _("This day has not come yet."))

    @property
    def chosen_terms(self) -> dict[str, Any]:
        """What an action stores of these boxes."""
        data = self.cleaned_data
        late = data["late_after_hours"]
        named = ("cd4_goal", "syringe_mark", "min_gap_hours", "concentration", "premedication")
        chosen: list[str] = [name for name in ("indication", "route") if name in self.fields]
        if data.get("fever_above") is not None:
            chosen += ["fever_above", "fever_only_if_not_relieved", *(["fever_unit"] if data["fever_unit"] else [])]
        return {
            **{name: data.get(name) for name in named if name in self.fields},
            **{name: data[name] for name in chosen},
            **({"inpatient": data["route"] != Route.SUBCUTANEOUS} if "route" in self.fields else {}),
            "goal_kind": data.get("goal_kind") or PlanVersion.GoalKind.ABOVE,
            "late_after_minutes": round(late * 60) if late else None,
            **self._size_terms(),
        }

    def _size_terms(self) -> dict[str, Any]:
        if not self.by_size:
            return {}
        unit, size, on = self.protocol.regimen.unit, self.cleaned_data["size"], self.cleaned_data["size_on"]
        pers = dict.fromkeys(line.per for phase in self.rows for line in phase.lines if line.per)
        basis = "; ".join(amounts.by_size(unit, Decimal(per), size).basis for per in pers)
        if unit == BY_WEIGHT:
            return {"amount_basis": f"{basis}, {on:%Y-%m-%d}"[:80]}
        return {"body_surface": size, "body_surface_on": on, "amount_basis": basis[:80]}
