"""A plan that changes: the version in force in the boxes, and why it changes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import schedule_rows
from cycles.models import Cycle, PlanVersion
from cycles.plan_forms import PlanForm
from cycles.plan_words import hours
from cycles.protocols import Thresholds
from cycles.regimen import BY_WEIGHT
from cycles.schedule_rows import Rows
from il2tracker import ui

SAME = (
    "cd4_goal",
    "goal_kind",
    "syringe_mark",
    "min_gap_hours",
    "concentration",
    "premedication",
    "beyond_reason",
    "fever_above",
    "fever_unit",
    "fever_only_if_not_relieved",
    "indication",
    "route",
)


class ChangePlanForm(PlanForm):
    """The plan from course `course` on. `coming` is the row of that course, where there is one."""

    base_number = forms.IntegerField(widget=forms.HiddenInput)
    from_course = forms.IntegerField(widget=forms.HiddenInput)
    change_reason = forms.CharField(
        label=gettext_lazy("Why the plan changes"),
        help_text=gettext_lazy("It stands beside the change for everybody who reads the plan."),
        max_length=200,
        error_messages={"required": gettext_lazy("Say why the plan changes.")},
    )

    def __init__(
        self, *args: Any, base: PlanVersion, course: int, coming: Cycle | None, starts_on: date, **kwargs: Any
    ) -> None:
        self.base, self.course, self.coming = base, course, coming
        given = kwargs.pop("initial", {})
        known = {"starts_on": starts_on, "from_course": course}
        kwargs["initial"] = {**_as_typed(base, kwargs["viewer"]), **known, **given}
        super().__init__(*args, **kwargs)
        self.fields["starts_on"].label = _("First day of course %(number)s") % {"number": course}

    @property
    def fills(self) -> bool:
        """Every line says its own amount: there is a plan already."""
        return False

    @property
    def asks_amounts(self) -> bool:
        """The amounts stand open: they are what changes most."""
        return True

    @property
    def asks_route(self) -> bool:
        """A clinic may go on by another route: a drip first, then under the skin (P60)."""
        return self.for_clinic

    @property
    def daily_now(self) -> Decimal | None:
        """The amount a day that is in force."""
        return self.base.regimen.daily_total()

    @property
    def thresholds(self) -> Thresholds:
        """What the version in force says."""
        return self.base

    def _check_start(self, starts_on: date) -> None:
        coming = self.coming
        stays_held = coming and coming.state == Cycle.State.HELD and coming.starts_on == starts_on
        if starts_on <= self.today and not stays_held:
            self.add_error("starts_on", _("This day has passed or is today. Give the course a day to come."))

    def clean(self) -> dict[str, Any]:
        """The course has a day to come, and the schedule reaches it."""
        cleaned = super().clean()
        if "starts_on" in cleaned:
            self._check_start(cleaned["starts_on"])
        last = self.regimen.courses if hasattr(self, "regimen") else None
        if last is not None and last < self.course:
            words = {"last": last, "course": self.course}
            self.add_error(
                f"p{len(self.rows)}_repeat",
                _("This schedule ends with course %(last)s, and the change begins with course %(course)s.") % words,
            )
        return cleaned

    @property
    def has_new_days(self) -> bool:
        """Whether the interval in the boxes is not the one in force."""
        return [phase.cycle_days for phase in self.rows] != [
            str(phase.cycle_days) for phase in self.base.regimen.phases
        ] or len(self.rows) > 1

    def renew(self, name: str, now: int) -> None:
        """Let a hidden box say what counts now, so that the next attempt is about that."""
        data = cast("QueryDict", self.data).copy()
        data[name] = str(now)
        self.data = data

    @property
    def change(self) -> dict[str, Any]:
        """What the action stores."""
        named = {name: self.cleaned_data[name] for name in ("base_number", "from_course", "change_reason")}
        return {**self.terms, **named}

    @property
    def draft(self) -> PlanVersion:
        """The version as it would be signed, unsaved."""
        kept = ("indication", "route", "fever_above", "fever_unit", "fever_only_if_not_relieved", "inpatient")
        facts = {name: getattr(self.base, name) for name in kept}
        return PlanVersion(plan=self.base.plan, number=self.base.number + 1, **{**facts, **self.terms})


def rows_of(version: PlanVersion) -> Rows:
    """The boxes of a version, with the amounts by body size that its protocol names beside them."""
    rows = schedule_rows.of_regimen(version.regimen)
    return schedule_rows.with_per(rows, schedule_rows.of_regimen(version.plan.protocol.regimen))


def _as_typed(version: PlanVersion, viewer: Any) -> dict[str, Any]:
    times = {f"time_{slot}": ui.clock(hour, viewer) for slot, hour in version.times.items()}
    late = version.late_after_minutes
    weighs = version.plan.protocol.regimen.unit == BY_WEIGHT
    return {
        **{name: getattr(version, name) for name in SAME},
        **times,
        "late_after_hours": hours(late) if late else None,
        "size": None if weighs else version.body_surface,
        "size_on": None if weighs else version.body_surface_on,
        "base_number": version.number,
    }
