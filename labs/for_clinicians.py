"""What clinicians see of a trend and patients do not: lowest reliable count, slopes, what each course was, progress."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cycles.advice import EarlyFinding
from labs import differences, trend_words, words
from labs.charts import Course
from labs.facts import CD4, VIRAL_LOAD, Facts
from labs.slopes import slope


@dataclass(frozen=True)
class Given:
    """One course: its days, what was delivered, and the days since the course before it began."""

    course: Course
    since_before: int | None


@dataclass(frozen=True)
class ForClinicians:
    """Sentences that are ready, and the courses of the time shown, the newest first."""

    lowest: str
    slopes: list[str]
    courses: list[Given]
    progress: str

    @property
    def has_doses(self) -> bool:
        """Whether a delivered dose is drawn."""
        return any(given.course.amount for given in self.courses)


def for_clinicians(known: Facts, since: date, found: EarlyFinding | None) -> ForClinicians:
    """Everything since that day; the lowest count is that of the whole record. Needs no statement."""
    counts, loads = (known.since(code, since) for code in (CD4, VIRAL_LOAD))
    return ForClinicians(
        lowest=trend_words.lowest(differences.lowest(known.series(CD4)), known.patient.nadir_cd4),
        slopes=trend_words.slopes(slope(counts), slope(loads, log=True)),
        courses=_given(known, since),
        progress=words.no_clear_rise(found) if found else "",
    )


def _given(known: Facts, since: date) -> list[Given]:
    courses = known.courses()
    starts = [None, *(course.first_on for course in courses)]
    found = [
        Given(course, (course.first_on - before).days if before else None)
        for before, course in zip(starts, courses, strict=False)
    ]
    return [given for given in reversed(found) if given.course.too_soon_until >= since]
