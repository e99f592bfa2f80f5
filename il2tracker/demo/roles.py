"""What can be said of somebody in the demo. Who they are stands in story.py.

Days are counted from day 1 of a course (1 is the first), or from the day of filling where it says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

from il2tracker.demo.laboratory import Panel


@dataclass(frozen=True)
class Staff:
    """Somebody who signs in and is no patient. `clinic` is a slug; without one he or she runs the installation.

    `rank`: in which order a clinic's members are told of an urgent report.
    """

    email: str
    name: str
    in_words: str
    title: str = ""
    clinic: str = ""
    rank: int = 1


@dataclass(frozen=True)
class Carer:
    """Somebody who helps the patient with the address `of`: sees, records, and is told when something is missing."""

    email: str
    name: str
    in_words: str
    of: str


@dataclass(frozen=True)
class Draw:
    """Blood taken `day` days after day 1 of `course`: values as the laboratory wrote them, by code of the test."""

    course: int
    day: int
    values: dict[str, str]
    by_patient: bool = False


@dataclass(frozen=True)
class Feeling:
    """A check-in at `at` on `day` of `course`: °C, severities by symptom, red flags, what was measured, as typed.

    `clinic_note`: a nurse acknowledged the alert a few minutes later and wrote this.
    """

    course: int
    day: int
    at: time
    celsius: str
    symptoms: dict[str, int]
    flags: tuple[str, ...] = ()
    clinic_note: str = ""
    kilograms: str = ""
    pressure: str = ""


@dataclass(frozen=True)
class Before:
    """What was done for the course to come, two days ago: every question answered "no" but those in `answers` (word and
    note by code) and sent; `ready` things ticked; `confirmed`: the clinic's word with this note."""

    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    ready: tuple[str, ...] = ()
    confirmed: str = ""


@dataclass(frozen=True)
class Place:
    """A reaction at one place, noticed on `day` of `course`; `gone_after` so many days, None = it still rests."""

    course: int
    day: int
    site: str
    kind: str
    size_mm: int | None = None
    note: str = ""
    gone_after: int | None = None

    def noticed_on(self, starts_on: date) -> date:
        """The civil day on which it was noticed, in a course that began on `starts_on`."""
        return starts_on + timedelta(days=self.day - 1)

    def rests_on(self, day: date, starts_on: date) -> bool:
        """Whether nothing is injected there on that day."""
        noticed_on = self.noticed_on(starts_on)
        gone_on = date.max if self.gone_after is None else noticed_on + timedelta(days=self.gone_after)
        return noticed_on <= day < gone_on


@dataclass(frozen=True)
class Earlier:
    """A course from before the diary that began `before` days ahead of its first course.

    `given` injections of it, None = all; it went to its end, or to day `stopped_after`.
    """

    before: int
    given: int | None = None
    stopped_after: int | None = None


@dataclass(frozen=True)
class NewAmount:
    """Another amount from the next course on, million units, signed two days ago and not read yet."""

    amount: str
    reason: str


@dataclass(frozen=True)
class Report:
    """Something that the patient told yesterday between two courses: the next one waits. `kind` is that of a hold."""

    kind: str
    words: str


@dataclass(frozen=True)
class Expects:
    """A symptom that the clinic expects of the patient for so many days from today, up to `worst`."""

    symptom: str
    worst: int
    days: int
    why: str


@dataclass(frozen=True)
class Life:
    """One patient. `first_start` is day 1 of course 1, in days from today; None = Monday of last week.

    Only those with `in_words` can sign in. `open_doses` are (course, day, slot) that nobody recorded; `skipped`
    has a reason for each. `without_medicines` were given without the medicines that the plan names before them.
    `panels` are safety tests, sent by the laboratory in one file. `medicines`: what is taken beside, by name and kind.
    """

    email: str
    name: str
    code: str
    birth_year: int
    protocol: str
    first_start: int | None
    clinic: str = "clinic-north"
    amount: str | None = None
    in_words: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    open_doses: frozenset[tuple[int, int, str]] = frozenset()
    skipped: dict[tuple[int, int, str], str] = field(default_factory=dict)
    draws: tuple[Draw, ...] = ()
    feelings: tuple[Feeling, ...] = ()
    before: Before | None = None
    without_medicines: frozenset[tuple[int, int, str]] = frozenset()
    places: tuple[Place, ...] = ()
    medicines: tuple[tuple[str, str], ...] = ()
    earlier: tuple[Earlier, ...] = ()
    change: NewAmount | None = None
    report: Report | None = None
    panels: tuple[Panel, ...] = ()
    expects: tuple[Expects, ...] = ()

    def starts_on(self, today: date) -> date:
        """Day 1 of course 1."""
        if self.first_start is None:
            return today - timedelta(days=today.weekday() + 7)
        return today + timedelta(days=self.first_start)

    @property
    def signs_in(self) -> bool:
        """Whether the demo's password opens this account."""
        return bool(self.in_words)
