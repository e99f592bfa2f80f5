"""CTCAE v5.0 grades of blood tests, for terms that are numbers only (domain 3.4, P61, S23, S25, S26, S51). Pure.

For clinicians to read; a patient is told "outside your laboratory's range" and no grade. A grade rests on the limit
that the laboratory printed beside that very result: without it nothing is graded, even where a number alone would do.
Everything is compared as a fraction: a value on a boundary is on it in every unit.
CD4+ is no term here: its grades do not hold for people with HIV. What needs a person ("intervention indicated") is left
out, so no grade 4 of albumin or haemoglobin exists here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from labs.units import figure

VERSION = "CTCAE v5.0"
MG_DL_TO_MMOL_L = Decimal("0.4114")  # magnesium, whose printed bounds are in mmol/L (3.5)


@dataclass(frozen=True)
class Limit:
    """One end of a printed range, exact in the test's own unit; `words`: as it was printed, with its unit."""

    value: Fraction
    words: str


@dataclass(frozen=True)
class Limits:
    """The range that the laboratory printed beside one result; None where it is not printed."""

    low: Limit | None = None
    high: Limit | None = None


class Kind(Enum):
    """Why there is no grade."""

    NONE_MET = "no grade is met"
    CANNOT = "cannot grade"
    NOT_A_TERM = "not graded here"


@dataclass(frozen=True)
class NoGrade:
    """No grade, and why in words."""

    kind: Kind
    why: str


@dataclass(frozen=True)
class Grade:
    """A grade from 1 to 4 with its term, the version that says so, and the comparison that it rests on.

    `with_symptoms`: it is what it is because symptoms were recorded.
    """

    number: int
    term: str
    why: str
    version: str = VERSION
    with_symptoms: bool = False


@dataclass(frozen=True)
class Step:
    """A grade begins strictly beyond `bound`; None = at the laboratory's limit, `times` = that many times the limit."""

    grade: int
    bound: Decimal | None
    times: bool = False


@dataclass(frozen=True)
class Term:
    """One term: which side it looks at, its steps from grade 1 up, and what else has to be known.

    `unit` is that of the bounds, `factor` turns the test's own unit into it. `baseline`: only where the value before
    treatment was not above the limit. `corrected`: means the value corrected for albumin. `symptomatic`: grade 1 is 2
    with symptoms.
    """

    name: str
    high: bool
    steps: tuple[Step, ...]
    unit: str = ""
    factor: Decimal = Decimal(1)
    baseline: bool = False
    corrected: bool = False
    symptomatic: bool = False


def _above(name: str, *times: str, baseline: bool = False) -> Term:
    steps = (Step(grade, Decimal(factor), times=True) for grade, factor in enumerate(times, 2))
    return Term(name, high=True, steps=(Step(1, None), *steps), baseline=baseline)


def _from_limit(*bounds: tuple[int, str]) -> tuple[Step, ...]:
    return (Step(1, None), *(Step(grade, Decimal(bound)) for grade, bound in bounds))


def _below(name: str, unit: str, *bounds: tuple[int, str]) -> Term:
    return Term(name, high=False, steps=_from_limit(*bounds), unit=unit)


COUNTED = "× 10⁹/L"
LIVER = ("3", "5", "20")
TERMS: dict[str, tuple[Term, ...]] = {
    "alt": (_above("Alanine aminotransferase increased", *LIVER, baseline=True),),
    "ast": (_above("Aspartate aminotransferase increased", *LIVER, baseline=True),),
    "bilirubin": (_above("Blood bilirubin increased", "1.5", "3", "10", baseline=True),),
    "creatinine": (_above("Creatinine increased", "1.5", "3", "6"),),
    "albumin": (_below("Hypoalbuminemia", "g/dL", (2, "3"), (3, "2")),),
    "potassium": (
        Term("Hyperkalemia", True, _from_limit((2, "5.5"), (3, "6.0"), (4, "7.0")), "mmol/L"),
        replace(_below("Hypokalemia", "mmol/L", (3, "3.0"), (4, "2.5")), symptomatic=True),
    ),
    "magnesium": (
        replace(_below("Hypomagnesemia", "mmol/L", (2, "0.5"), (3, "0.4"), (4, "0.3")), factor=MG_DL_TO_MMOL_L),
    ),
    "calcium": (
        Term("Hypercalcemia", True, _from_limit((2, "11.5"), (3, "12.5"), (4, "13.5")), "mg/dL", corrected=True),
        replace(_below("Hypocalcemia", "mg/dL", (2, "8.0"), (3, "7.0"), (4, "6.0")), corrected=True),
    ),
    "hemoglobin": (_below("Anemia", "g/dL", (2, "10"), (3, "8")),),
    "platelets": (_below("Platelet count decreased", COUNTED, (2, "75"), (3, "50"), (4, "25")),),
    "white_cells": (_below("White blood cell decreased", COUNTED, (2, "3.0"), (3, "2.0"), (4, "1.0")),),
    "neutrophils": (_below("Neutrophil count decreased", COUNTED, (2, "1.5"), (3, "1.0"), (4, "0.5")),),
    "lymphocytes": (Term("Lymphocyte count increased", True, (Step(2, Decimal(4)), Step(3, Decimal(20))), COUNTED),),
}
MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def grade(
    test: str,
    value: Decimal | Fraction | None,
    comparator: str,
    limits: Limits | None,
    *,
    symptoms: bool | None = None,
    baseline_high: bool | None = None,
    albumin_inside: bool | None = None,
) -> Grade | NoGrade:
    """The grade of one result, or why there is none.

    test: the test's code. value, limits: in the test's own unit; None = not known, or not a number. comparator: one of
    "=", "<", "<=", ">", ">="; a limit of the method is graded only where every value it may stand for has that grade.
    symptoms: whether symptoms of a low potassium are recorded; nobody said = grade 1 (tie-break of 3.4).
    baseline_high: whether the value before treatment was above its own limit; nobody knows = the grade says so.
    albumin_inside: whether albumin of the
    same draw was inside its limits, without which total calcium is not graded.
    """
    terms = TERMS.get(test, ())
    if not terms:
        return NoGrade(Kind.NOT_A_TERM, "This test is not graded here.")
    if value is None:
        return NoGrade(Kind.CANNOT, "Cannot grade: there is no number in a known unit.")
    if terms[0].corrected and albumin_inside is not True:
        return NoGrade(Kind.CANNOT, "Cannot grade: the term means calcium corrected for albumin.")
    found = [_of_term(term, Fraction(value), comparator, limits, symptoms, baseline_high) for term in terms]
    graded = [each for each in found if isinstance(each, Grade)]
    unknown = [each for each in found if isinstance(each, NoGrade) and each.kind is Kind.CANNOT]
    return [*graded, *unknown, *found][0]


def asks_for_symptoms(test: str) -> bool:
    """Whether a grade of this test depends on symptoms."""
    return any(term.symptomatic for term in TERMS.get(test, ()))


def sides(test: str) -> set[str]:
    """The sides of a test's range that any term looks at: "low", "high"."""
    return {"high" if term.high else "low" for term in TERMS.get(test, ())}


def _of_term(
    term: Term,
    value: Fraction,
    comparator: str,
    limits: Limits | None,
    symptoms: bool | None,
    baseline_high: bool | None,
) -> Grade | NoGrade:
    limit = (limits.high if term.high else limits.low) if limits else None
    if limit is None:
        side = "upper" if term.high else "lower"
        return NoGrade(Kind.CANNOT, f"Cannot grade: the laboratory’s {side} limit is not on this result.")
    if term.baseline and baseline_high:
        return NoGrade(Kind.CANNOT, "Cannot grade: the value before treatment was above the limit as well.")
    for step in reversed(term.steps):
        reached = _beyond(term, _bound(term, step, limit), value, comparator)
        if reached is None:
            return NoGrade(Kind.CANNOT, "Cannot grade: the result is only a limit, and could mean more than one grade.")
        if reached:
            inside = _beyond(term, limit.value * Fraction(term.factor), value, comparator) is False
            notes = _notes(term, limit, inside=inside, baseline_high=baseline_high)
            return _grade(term, step, limit, notes, symptoms)
    return NoGrade(Kind.NONE_MET, f"Not {'above' if term.high else 'below'} what is graded.")


def _bound(term: Term, step: Step, limit: Limit) -> Fraction:
    """Where a grade begins, in the unit of the bounds."""
    if step.bound is not None and not step.times:
        return Fraction(step.bound)
    return limit.value * Fraction(term.factor) * Fraction(step.bound or 1)


def _beyond(term: Term, bound: Fraction, value: Fraction, comparator: str) -> bool | None:
    """Whether the value lies strictly beyond the bound, to the term's side; None where a limit leaves it open."""
    value *= Fraction(term.factor)
    if not term.high:
        value, bound, comparator = -value, -bound, MIRRORED[comparator]
    if comparator == "=":
        return value > bound
    if comparator in {"<", "<="}:
        return False if value <= bound else None
    surely = value >= bound if comparator == ">" else value > bound
    return True if surely else None


def _grade(term: Term, step: Step, limit: Limit, notes: Sequence[str], symptoms: bool | None) -> Grade:
    why, counts = _why(term, step, limit), term.symptomatic and step.grade == 1
    if counts:
        notes = [", with symptoms" if symptoms else "; 2 with symptoms", *notes]
    raised = counts and bool(symptoms)
    return Grade(2 if raised else step.grade, term.name, why + "".join(notes), with_symptoms=raised)


def _why(term: Term, step: Step, limit: Limit) -> str:
    side = "above" if term.high else "below"
    if step.bound is None:
        return f"{side} the laboratory’s limit of {limit.words}"
    if step.times:
        return f"{side} {figure(step.bound)} × the laboratory’s limit of {limit.words}"
    return f"{side} {figure(step.bound)} {term.unit}"


def _notes(term: Term, limit: Limit, *, inside: bool, baseline_high: bool | None) -> list[str]:
    """What else has to be read with a grade."""
    side = "above" if term.high else "below"
    notes = [f", though not {side} the laboratory’s limit of {limit.words}"] if inside else []
    if term.baseline and baseline_high is None:
        notes.append("; the value before treatment is not known")
    return notes
