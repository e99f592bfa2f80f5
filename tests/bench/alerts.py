"""A panel of simulated patients through six courses each: how many check-ins alert, and whether every red flag does.

No database: the rule table itself, with everything it is given in the application. What is taken from domain.md and
what is assumed stands beside each number below; the assumptions can be turned up and down, and the report does so.

Ordinary = no seeded red flag, and nothing of which the patient's own source says "contact straight away": a fever
over the limit of the plan that did not come down (A76, B69), low mood (B74), on a kidney plan cough, sore throat or
pain when passing urine (B69). Severe signs, bruises, long diarrhoea and the like stay among the ordinary ones.

Measured on 2026-11-22 with the seed below (share that raises anything; all red flags that were seeded were told):

    plans           check-ins  ordinary  all but the seeded  red flags   rules of the ordinary ones
    HIV (800)          67,200     4.2 %               5.1 %      1,389   T15 2.0, T16 1.5, T13 0.8, T14 0.1 %
    kidney (200)       34,800     8.0 %              15.0 %        686   T16 RED 5.2, T15 2.1, T13 0.7, T14 0.4 %
    both              102,000     5.5 %               8.5 %      2,075   T15 2.0, T16 RED 1.7, T16 1.0, T13 0.8 %

On kidney plans the fevers of the first days make the difference: B69 calls for contact above 38 °C, and D12 for
flu-like signs that are not measured or come after a fever medicine. With other assumptions (HIV | kidney, ordinary):
severe twice as often 4.7 | 8.6 %, every effect twice as often 5.6 | 10.2 %, effects of six days 4.8 | 11.2 %, everybody
measures 3.7 | 5.7 %, nobody takes fever medicine 3.5 | 6.6 %, everybody does 3.8 | 10.5 %.

Not collected with the tests: pytest tests/bench/alerts.py -s -p no:logging
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from cycles.expected_hours import LENGTH, days
from sideeffects import effects
from sideeffects.facts import FLU_LIKE, Facts, PlanFacts
from sideeffects.triage import CHEST_OR_URINE, URGENT, assess
from sideeffects.units import Temperature

PATIENTS, COURSES, SEED = 1000, 6, 20261121
KIDNEY_SHARE = 0.2  # assumed
FIRST = date(2026, 1, 7)  # a Wednesday (P35)
LOOK_BACK = timedelta(days=64)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 1, 7, 12, tzinfo=UTC)
FLAGS = tuple(symptom for symptom, group in effects.groups().items() if group == "flag")
# Words of the two lists → how many patients have this one effect in one course. The lists speak of having one or more
# of many (W20), so that these are upper readings; "nearly everyone" is simulated dose by dose below.
IN_A_COURSE = {"relatively common": 0.25, "common": 0.10, "occasional": 0.02, "less frequent": 0.03, "rare": 0.002}


@dataclass(frozen=True)
class Assumed:
    """What no source gives. `severe`: share of signs that are severe; `moderate` likewise."""

    severe: float = 0.03
    moderate: float = 0.27
    measures: float = 0.75
    takes_medicine: float = 0.4
    lasts_days: float = 3.0
    often: float = 1.0


@dataclass(frozen=True)
class Treatment:
    """A plan as the panel lives it: hours of the injections, days with one, and how usual flu-like signs are by day."""

    plan: PlanFacts
    cycle_days: int
    dose_days: tuple[int, ...]
    hours: tuple[int, ...]
    flu: tuple[float, ...]

    def chance(self, day: int) -> float:
        """Of signs like flu after an injection on this day of the course."""
        return self.flu[min(day, len(self.flu)) - 1]

    @property
    def asked_on(self) -> list[int]:
        """Daily on course days and two days after, weekly between."""
        last = max(self.dose_days)
        return [*range(1, last + 3), *range(last + 9, self.cycle_days + 1, 7)]


# P31, P34: nearly everyone, at their worst on the last two or three of five days.
HIV = Treatment(
    PlanFacts("hiv", Decimal("102.0"), "F", True), 56, (1, 2, 3, 4, 5), (8, 20), (0.6, 0.75, 0.9, 0.95, 0.95)
)
# B73: nearly everyone at first, better as the course goes on. K03: five days on, two off, four weeks of five.
KIDNEY = Treatment(
    PlanFacts("kidney", Decimal("38.0"), "C", False),
    35,
    tuple(day for day in range(1, 29) if (day - 1) % 7 < 5),
    (22,),
    (0.9,) * 5 + (0.7,) * 5 + (0.5,) * 7 + (0.35,) * 7 + (0.25,),
)


@dataclass
class Tally:
    """What came of a panel."""

    unseeded: int = 0
    unseeded_told: int = 0
    ordinary: int = 0
    ordinary_told: int = 0
    seeded: int = 0
    seeded_told: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of ordinary check-ins that raise anything."""
        return self.ordinary_told / self.ordinary

    def __add__(self, other: Tally) -> Tally:
        sums = {name: getattr(self, name) + getattr(other, name) for name in vars(self)}
        return Tally(**sums)


@dataclass
class Life:
    """One patient: what lasts from day to day, and what the rules look back on."""

    treatment: Treatment
    dice: Random
    assumed: Assumed
    earlier: dict[str, dict[date, int]] = field(default_factory=dict)
    lasting: dict[str, tuple[int, date]] = field(default_factory=dict)
    given: list[datetime] = field(default_factory=list)
    came_down_at: datetime | None = None

    def grade(self) -> int:
        """1–3."""
        roll = self.dice.random()
        return 3 if roll < self.assumed.severe else 2 if roll < self.assumed.severe + self.assumed.moderate else 1

    def check_ins(self) -> Iterator[tuple[Facts, bool]]:
        """Every check-in of six courses, and whether a source says of it to contact straight away."""
        for number in range(COURSES):
            starts_on = FIRST + timedelta(days=self.treatment.cycle_days * number)
            episodes = list(self._episodes(starts_on))
            self.given += [given for given, *_ in episodes]
            self._fall_ill(starts_on)
            for day in self.treatment.asked_on:
                yield self._check_in(starts_on + timedelta(days=day - 1), episodes)

    def _episodes(self, starts_on: date) -> Iterator[tuple[datetime, datetime, datetime, int]]:
        """Each injection: when, and from when to when (K11: 2–4 h, ~12 h) how bad signs like flu are; 0 = none."""
        for day in self.treatment.dose_days:
            for hour in self.treatment.hours:
                given = datetime(*(starts_on + timedelta(days=day - 1)).timetuple()[:3], hour, tzinfo=UTC)
                begins = given + self.dice.uniform(2, 4) * HOUR
                ends = begins + max(self.dice.gauss(12, 1.5), 4) * HOUR
                ill = self.dice.random() < self.treatment.chance(day)
                yield given, begins, ends, self.grade() if ill else 0

    def _fall_ill(self, starts_on: date) -> None:
        """Which other effects begin in this course, on which day, for how long: by the lists' words."""
        indication = self.treatment.plan.indication
        last = max(self.treatment.dose_days)
        for effect in effects.everything():
            often = effect.often[indication]
            chance = next((each for word, each in IN_A_COURSE.items() if word in often), 0.0) * self.assumed.often
            chips = sorted(effect.symptoms - set(FLAGS) - FLU_LIKE)
            if not chips or "drip" in often or self.dice.random() >= chance:
                continue
            begins = starts_on + timedelta(days=self.dice.randrange(last))
            ends = begins + timedelta(days=max(round(self.dice.expovariate(1 / self.assumed.lasts_days)), 1) - 1)
            self.lasting[self.dice.choice(chips)] = (begins.toordinal(), ends)

    def _check_in(self, on: date, episodes: Sequence[tuple[datetime, datetime, datetime, int]]) -> tuple[Facts, bool]:
        at = datetime(on.year, on.month, on.day, tzinfo=UTC) + self.dice.uniform(8, 23) * HOUR
        flu = max((grade for _given, begins, ends, grade in episodes if begins <= at <= ends), default=0)
        symptoms = {
            code: min(self.grade(), max(flu, 1)) for code in sorted(FLU_LIKE) if flu and self.dice.random() < 0.6
        }
        if flu and self.dice.random() < 0.7:
            symptoms["tired"] = self.grade()
        for code, (begins, ends) in self.lasting.items():
            if begins <= on.toordinal() and on <= ends:
                symptoms[code] = self.grade()
        facts = self._facts(at, on, symptoms, self._reading(flu), [given for given, *_ in episodes])
        self._remember(facts)
        return facts, is_due(facts)

    def _reading(self, flu: int) -> Temperature | None:
        if self.dice.random() >= (self.assumed.measures if flu else self.assumed.measures / 2):
            return None
        celsius = self.dice.gauss(37.7 + 0.3 * flu, 0.5) if flu else self.dice.gauss(36.8, 0.3)
        return Temperature(Decimal(round(min(max(celsius, 36.0), 40.0), 1)).quantize(Decimal("0.1")), "C")

    def _facts(
        self, at: datetime, on: date, symptoms: dict[str, int], reading: Temperature | None, doses: list[datetime]
    ) -> Facts:
        warm = reading is not None and reading.value > 38
        chance = self.assumed.takes_medicine * (2 if warm else 1) if symptoms else 0.05
        taken = self.dice.random() < chance
        relieved = self.dice.random() < 0.85
        return Facts(
            felt_at=at,
            today=on,
            symptoms=symptoms,
            temperature=reading,
            medicine=("came_down" if relieved else "did_not") if taken else "not_taken",
            plan=self.treatment.plan,
            came_down_before=self.came_down_at is not None and at - self.came_down_at <= DAY,
            doses=[given for given in doses if timedelta(0) <= at - given <= LENGTH],
            window_days=days(self.given, UTC),
            earlier={code: self._recent(days, on) for code, days in self.earlier.items()},
        )

    @staticmethod
    def _recent(days: dict[date, int], on: date) -> dict[date, int]:
        return {day: grade for day, grade in days.items() if on - LOOK_BACK < day < on}

    def _remember(self, facts: Facts) -> None:
        if facts.medicine == "came_down" and facts.is_over(facts.limit):
            self.came_down_at = facts.felt_at
        for code, grade in facts.symptoms.items():
            self.earlier.setdefault(code, {})[facts.today] = grade
        if not facts.symptoms:
            for days in self.earlier.values():
                days[facts.today] = 0


def is_due(facts: Facts) -> bool:
    """Whether the patient's own source says to contact somebody straight away about an entry that nobody seeded."""
    relieved = facts.medicine == "came_down" and facts.plan is not None and facts.plan.only_if_not_relieved
    fever = facts.is_over(facts.limit) and not (relieved and not facts.came_down_before)
    mood = facts.symptoms.get("low_mood", 0) > 0
    return fever or mood or bool(facts.is_kidney and facts.has(CHEST_OR_URINE))


def seeds(facts: Facts) -> dict[str, dict[str, Any]]:
    """Every red flag there is, as a change of an ordinary check-in."""
    found: dict[str, dict[str, Any]] = {flag: {"flags": frozenset({flag})} for flag in FLAGS}
    found["fever over the limit"] = {"temperature": Temperature(Decimal("39.1"), "C"), "medicine": "did_not"}
    found["over 40 although it came down"] = {"temperature": Temperature(Decimal("40.1"), "C"), "medicine": "came_down"}
    shivering = {**facts.symptoms, "shivering": 1}
    found["cold and shivering"] = {"temperature": Temperature(Decimal("35.8"), "C"), "symptoms": shivering}
    found["rash and breathless"] = {"flags": frozenset({"breathless"}), "symptoms": {**facts.symptoms, "rash": 1}}
    found["new or worse low mood"] = low_mood(facts, NEW_OR_WORSE[facts.today.toordinal() % len(NEW_OR_WORSE)])
    if facts.is_kidney:
        found |= {code: {"symptoms": {**facts.symptoms, code: 1}} for code in sorted(CHEST_OR_URINE)}
    return found


# Days before → how bad low mood was told then; it is severe now.
NEW_OR_WORSE: tuple[dict[int, int], ...] = ({}, {1: 2}, {2: 3, 1: 0}, {1: 1, 3: 3}, {20: 3})
NOT_WORSE: tuple[dict[int, int], ...] = ({1: 3}, {3: 3}, {1: 3, 2: 1})


def low_mood(facts: Facts, before: dict[int, int]) -> dict[str, Any]:
    """Severe low mood, after days on which it was told."""
    told = {facts.today - days * DAY: grade for days, grade in before.items()}
    earlier = {**facts.earlier, "low_mood": told}
    return {"symptoms": {**facts.symptoms, "low_mood": 3}, "earlier": earlier}


def tells_mood(facts: Facts, before: dict[int, int]) -> bool:
    """Whether it is told to the clinic at once (T12)."""
    return any(finding.rule == "T12" for finding in assess(changed(facts, low_mood(facts, before))))


def live(treatment: Treatment, dice: Random, assumed: Assumed, *, seed_every: int = 50) -> Tally:
    """One patient's courses; about every fiftieth check-in is given a red flag."""
    tally = Tally()
    for facts, due in Life(treatment, dice, assumed).check_ins():
        if dice.randrange(seed_every) == 0:
            kind, change = dice.choice(sorted(seeds(facts).items()))
            urgent = any(finding.tier in URGENT for finding in assess(changed(facts, change)))
            tally.seeded += 1
            tally.seeded_told += urgent
            tally.missed += [] if urgent else [kind]
            tally.missed += [f"low mood after {before}" for before in NEW_OR_WORSE if not tells_mood(facts, before)]
            tally.repeated += [f"low mood after {before}" for before in NOT_WORSE if tells_mood(facts, before)]
            continue
        told = [finding for finding in assess(facts) if finding.tier]
        tally.unseeded += 1
        tally.unseeded_told += bool(told)
        if not due:
            tally.ordinary += 1
            tally.ordinary_told += bool(told)
            tally.rules.update(f"{finding.rule} {finding.tier}" for finding in told)
    return tally


def changed(facts: Facts, change: dict[str, Any]) -> Facts:
    """The same check-in with a red flag in it."""
    return Facts(**{**vars(facts), **change})


def panel(treatment: Treatment, patients: int, assumed: Assumed = Assumed(), seed: int = SEED) -> Tally:
    """So many patients on one treatment; the same seed makes the same panel."""
    tally = Tally()
    for number in range(patients):
        tally += live(treatment, Random(f"{seed} {number}"), assumed)
    return tally


def report(name: str, tally: Tally) -> None:
    """Figures in lines."""
    print(f"\n{name}: {tally.unseeded + tally.seeded} check-ins")
    print(f"  ordinary {tally.ordinary}, told {tally.ordinary_told} = {tally.share:.1%}")
    print(f"  all but the seeded {tally.unseeded}, told {tally.unseeded_told / tally.unseeded:.1%}")
    print(f"  seeded red flags {tally.seeded}, told {tally.seeded_told}; missed {tally.missed or 'none'}")
    print(f"  low mood told again although it was not worse: {tally.repeated or 'never'}")
    each = ", ".join(f"{rule} {count / tally.ordinary:.1%}" for rule, count in tally.rules.most_common())
    print(f"  of ordinary ones by rule: {each}")


def test_a_panel_of_a_thousand_patients_through_six_courses() -> None:
    kidney = round(PATIENTS * KIDNEY_SHARE)
    on_hiv, on_kidney = panel(HIV, PATIENTS - kidney), panel(KIDNEY, kidney)
    report("HIV plans", on_hiv)
    report("Kidney plans", on_kidney)
    report("The panel", on_hiv + on_kidney)
    assert not (on_hiv + on_kidney).missed
    assert not (on_hiv + on_kidney).repeated
    assert (on_hiv + on_kidney).share < 0.10


def test_how_the_figures_move_with_what_is_assumed() -> None:
    print("\nshare of ordinary check-ins told, HIV plans | kidney plans (100 patients each)")
    for words, assumed in (
        ("as above", Assumed()),
        ("severe 6 %", Assumed(severe=0.06)),
        ("severe 1 %", Assumed(severe=0.01)),
        ("every effect twice as often", Assumed(often=2)),
        ("effects last 6 days", Assumed(lasts_days=6)),
        ("everybody measures", Assumed(measures=1)),
        ("nobody takes fever medicine", Assumed(takes_medicine=0)),
        ("everybody takes fever medicine", Assumed(takes_medicine=1)),
    ):
        shares = [panel(treatment, 100, assumed).share for treatment in (HIV, KIDNEY)]
        print(f"  {words:32} {shares[0]:6.1%} | {shares[1]:6.1%}")
