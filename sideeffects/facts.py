"""One check-in and what the rules have to know beside it. Pure: no Django."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from cycles.expected_hours import covers
from sideeffects.units import Temperature

# B69: contact straight away above this; also the limit when there is no plan (A20).
NO_PLAN_LIMIT = Temperature(Decimal("38.0"), "C")
FLU_LIKE = frozenset({"shivering", "headache", "aches"})


@dataclass(frozen=True)
class PlanFacts:
    """What the rules need of the plan in force. `fever_above` stays in its own unit (A20)."""

    indication: str
    fever_above: Decimal
    fever_unit: str
    only_if_not_relieved: bool

    @property
    def limit(self) -> Temperature:
        """The plan's fever limit."""
        return Temperature(self.fever_above, self.fever_unit)


@dataclass(frozen=True)
class Facts:
    """One check-in and what has to be known beside it.

    symptoms: severity 1–3 by code; 0 = the person said that there is none
    medicine: "came_down", "did_not", "not_taken", "unknown", or "" when it was not answered
    came_down_before: in the last day a reading over the limit was said to have come down
    doses: when injections were given (aware)
    window_days: the earlier days on which the hours after an injection ran; None = not known, any day compares
    earlier: worst severity by code and civil day before `today`; a day is missing when nothing was said
    told: the same without what a record brought back, of which no rule has spoken; None = nothing was brought back
    words: how each code was worded
    expected: by code the severity up to which a clinician expects it of this patient on this day
    """

    felt_at: datetime
    today: date
    flags: frozenset[str] = frozenset()
    symptoms: Mapping[str, int] = field(default_factory=dict)
    temperature: Temperature | None = None
    medicine: str = ""
    plan: PlanFacts | None = None
    came_down_before: bool = False
    doses: Collection[datetime] = ()
    window_days: Collection[date] | None = None
    earlier: Mapping[str, Mapping[date, int]] = field(default_factory=dict)
    told: Mapping[str, Mapping[date, int]] | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, int] = field(default_factory=dict)

    def has(self, codes: Iterable[str]) -> list[str]:
        """Which of these are ticked, as a flag or as a symptom of any severity."""
        return [code for code in sorted(codes) if code in self.flags or self.symptoms.get(code, 0) > 0]

    @property
    def told_here(self) -> Mapping[str, Mapping[date, int]]:
        """What the rules have judged before: only this can make something "not new"."""
        return self.earlier if self.told is None else self.told

    def histories(self, code: str) -> list[Mapping[date, int]]:
        """The days of a symptom with and without what was brought back: a rule fires when one of the two says so."""
        return [before.get(code, {}) for before in (self.earlier, self.told_here)]

    def is_expected(self, code: str) -> bool:
        """Reported no worse than a clinician expects it of this patient."""
        return 0 < self.symptoms.get(code, 0) <= self.expected.get(code, 0)

    def is_over(self, threshold: Temperature) -> bool:
        """Measured and strictly over."""
        return self.temperature is not None and self.temperature.fahrenheit > threshold.fahrenheit

    @property
    def is_kidney(self) -> bool:
        """On a kidney plan."""
        return self.plan is not None and self.plan.indication == "kidney"

    @property
    def limit(self) -> Temperature:
        """The fever limit of the plan, or the one without a plan."""
        return self.plan.limit if self.plan else NO_PLAN_LIMIT

    @property
    def in_window(self) -> bool:
        """Within 16 hours after an injection: the union over all doses (D11)."""
        return covers(self.doses, self.felt_at)

    @property
    def has_fever(self) -> bool:
        """Over 38.0 °C: what counts among the flu-like signs."""
        return self.is_over(NO_PLAN_LIMIT)

    @property
    def flu_like(self) -> list[str]:
        """Shivering, headache, aches, fever (B73)."""
        return self.has(FLU_LIKE) + (["temperature"] if self.has_fever else [])

    def said(self, codes: Iterable[str]) -> str:
        """The codes in the words the person ticked, the temperature as entered."""
        known = {"temperature": str(self.temperature), **self.words}
        words = [known.get(code, code.replace("_", " ")) for code in codes]
        between = "; " if any("," in word for word in words) else ", "
        return between.join(word[:1].lower() + word[1:] for word in words)
