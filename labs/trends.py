"""When a CD4+ count or viral load counts, and what a series of them says (domain 2.3, corrections D1–D8).

Pure. Civil dates decide; moments only where both the draw and the dose have one (A11). Nothing here is ever stored.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import NamedTuple

from cycles import schedule
from cycles.advice import Reading

ONE_DAY = timedelta(days=1)
BY_DAY = itemgetter(0)  # of points, whose first field is their day


class Verdict(Enum):
    """Whether a reading can be trusted as the level between courses."""

    RELIABLE = "reliable"
    BORDERLINE = "borderline"
    UNRELIABLE = "unreliable"
    BASELINE = "baseline"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"

    def __init__(self, value: str) -> None:
        # Whether the reading belongs on the trend line, in goals and in comparisons: asked of every point there is.
        self.counts = value in {"reliable", "baseline", "not applicable"}


TOO_SOON = {Verdict.UNRELIABLE, Verdict.BORDERLINE}


class Reason(Enum):
    """Why a reading has its verdict."""

    BEFORE_ANY = "before any injection"
    EARLIER_UNKNOWN = "earlier treatment not known"
    BEFORE_EARLIER = "before the last injection of an earlier treatment"
    DURING = "during a course"
    TOO_SOON = "within 28 days"
    FEW_DAYS_EARLY = "not yet a month"
    LONG_ENOUGH = "a month or more"
    TIMING_OFF = "timing does not matter"
    PRELIMINARY = "not final yet"


class GivenDose(NamedTuple):
    """An injection taken in full or in part: its civil date where it was given, its moment if known.

    `course` numbers the course of `plan` it belongs to; `timing` = the plan says that IL-2 timing matters here.
    """

    on: date
    at: datetime | None = None
    course: int | None = None
    timing: bool = True
    plan: int = 0


class UnloggedDose(GivenDose):
    """A dose that was due and about which nothing was recorded: it counts as given, and makes a verdict unconfirmed."""


class Draw(NamedTuple):
    """When blood was taken: the civil date, the moment if known."""

    on: date
    at: datetime | None = None


@dataclass(frozen=True)
class EarlierIL2:
    """What is known of IL-2 before this record: `known` False = nobody knows; `last_on` None = there was none (D3)."""

    known: bool = True
    last_on: date | None = None


class Judgement(NamedTuple):
    """Verdict on one draw with what it rests on. `days` counts from the last dose; `course` is that dose's."""

    verdict: Verdict
    reason: Reason
    last_dose_on: date | None = None
    days: int | None = None
    course: int | None = None
    unconfirmed: bool = False

    @property
    def reliable_from(self) -> date | None:
        """First day on which a draw after that dose counts."""
        return schedule.reliable_from(self.last_dose_on) if self.last_dose_on else None


def until_final(judgement: Judgement) -> Judgement:
    """What a preliminary result is worth: nothing until the laboratory has finished it (domain 2.3: never a guess)."""
    return Judgement(Verdict.UNKNOWN, Reason.PRELIMINARY) if judgement.verdict.counts else judgement


TIMING_OFF = Judgement(Verdict.NOT_APPLICABLE, Reason.TIMING_OFF)


class _Doses:
    """Doses in order, so that the last one before a draw is found without reading them all."""

    def __init__(self, doses: Iterable[GivenDose]) -> None:
        self.doses = sorted(doses, key=lambda dose: dose.on)
        self.dates = [dose.on for dose in self.doses]
        self.last_of_course = {(dose.plan, dose.course): dose for dose in self.doses}

    def last_before(self, draw: Draw) -> GivenDose | None:
        """The dose that was given last before the draw; on the same day without both moments it counts as before."""
        index = bisect_right(self.dates, draw.on + ONE_DAY)
        while index and not _not_after(self.doses[index - 1], draw):
            index -= 1
        return self.doses[index - 1] if index else None

    def goes_on_after(self, dose: GivenDose, draw: Draw) -> bool:
        """Whether the course of this dose has a dose after the draw."""
        return dose.course is not None and not _not_after(self.last_of_course[dose.plan, dose.course], draw)


class DoseRecord:
    """All the injections of a patient, against which draws are judged (2.3 with D1–D3, A11; strictest of C1).

    Skipped, voided, held and cancelled doses must not be passed; the last injection of an earlier treatment is one
    dose more (D3). `applies` False = every plan has timing switched off.
    """

    def __init__(
        self,
        doses: Sequence[GivenDose],
        unlogged: Sequence[UnloggedDose] = (),
        *,
        earlier: EarlierIL2 = EarlierIL2(),
        applies: bool = True,
    ) -> None:
        self.earlier, self.applies = earlier, applies
        before_all = [GivenDose(earlier.last_on)] if earlier.last_on else []
        everything = [*before_all, *doses, *unlogged]
        self.timed = _Doses(dose for dose in everything if dose.timing)
        known = (dose for dose in (*before_all, *doses) if dose.timing)
        self.confirmed = _Doses(known) if unlogged else self.timed
        self.untimed = _Doses(dose for dose in everything if not dose.timing)

    def judge(self, draw: Draw) -> Judgement:
        """Verdict on this draw. `unconfirmed` = leaving the unlogged doses out would change the verdict."""
        if not self.applies:
            return TIMING_OFF
        judgement = self._judge(draw, self.timed)
        if self.confirmed is self.timed:
            return judgement
        without = self._judge(draw, self.confirmed)
        return judgement if without.verdict is judgement.verdict else judgement._replace(unconfirmed=True)

    def _judge(self, draw: Draw, timed: _Doses) -> Judgement:
        last = timed.last_before(draw)
        judgement = _without_dose(self.earlier) if last is None else _after_dose(last, draw, timed)
        other = self.untimed.last_before(draw)
        newer = other is not None and (last is None or other.on >= last.on)
        return TIMING_OFF if newer and judgement.verdict not in TOO_SOON else judgement


def judge(
    draw: Draw,
    doses: Sequence[GivenDose],
    unlogged: Sequence[UnloggedDose] = (),
    *,
    earlier: EarlierIL2 = EarlierIL2(),
    applies: bool = True,
) -> Judgement:
    """Verdict on one CD4+ count, CD4+ percentage or viral load drawn then: see `DoseRecord`."""
    return DoseRecord(doses, unlogged, earlier=earlier, applies=applies).judge(draw)


def _not_after(dose: GivenDose, draw: Draw) -> bool:
    if dose.at is not None and draw.at is not None:
        return dose.at < draw.at
    return dose.on <= draw.on


def _after_dose(last: GivenDose, draw: Draw, timed: _Doses) -> Judgement:
    verdict, reason = _by_date(last.on, draw.on)
    if timed.goes_on_after(last, draw):
        verdict, reason = Verdict.UNRELIABLE, Reason.DURING
    return Judgement(verdict, reason, last.on, max((draw.on - last.on).days, 0), last.course)


def _without_dose(earlier: EarlierIL2) -> Judgement:
    if not earlier.known:
        return Judgement(Verdict.UNKNOWN, Reason.EARLIER_UNKNOWN)
    if earlier.last_on is None:
        return Judgement(Verdict.BASELINE, Reason.BEFORE_ANY)
    return Judgement(Verdict.UNKNOWN, Reason.BEFORE_EARLIER)


@lru_cache(maxsize=4096)
def _window(last_on: date) -> tuple[date, date]:
    return schedule.too_soon_until(last_on), schedule.reliable_from(last_on)


def _by_date(last_on: date, drawn_on: date) -> tuple[Verdict, Reason]:
    too_soon_until, reliable_from = _window(last_on)
    if drawn_on <= too_soon_until:
        return Verdict.UNRELIABLE, Reason.TOO_SOON
    if drawn_on < reliable_from:
        return Verdict.BORDERLINE, Reason.FEW_DAYS_EARLY
    return Verdict.RELIABLE, Reason.LONG_ENOUGH


# A series


class Point(NamedTuple):
    """One reading in its test's own unit. `value` None = not detected, no limit given. `key` names its row.

    `comparator` is =, < or >: "at most 20" is a limit like "less than 20". `log10` is what the report printed where it
    printed a decimal logarithm: `value` is then rounded to whole copies, and only this is exact.
    """

    on: date
    value: Decimal | None
    comparator: str
    judgement: Judgement
    key: str = ""
    label: str = ""
    log10: Decimal | None = None

    @property
    def counts(self) -> bool:
        """Whether it is joined to others."""
        return self.judgement.verdict.counts

    @property
    def counted(self) -> bool:
        """Whether it is a counted value, not a limit."""
        return self.value is not None and self.comparator == "="


class Series(list[Point]):
    """The points of one test, oldest first. Nothing in it may change: what may be joined is worked out once."""

    @cached_property
    def joined(self) -> list[Point]:
        """Those that count."""
        return [point for point in self if point.judgement.verdict.counts]


def reliable(points: Iterable[Point]) -> list[Point]:
    """The points that may be joined and compared, oldest first."""
    if isinstance(points, Series):
        return points.joined
    return sorted((point for point in points if point.counts), key=BY_DAY)


@dataclass(frozen=True)
class Trend:
    """What is said in one sentence: the newest and the first reading that count, and how many were left out."""

    last: Point | None
    before_first: Point | None
    left_out: int
    unconfirmed: int

    @property
    def change(self) -> Decimal | None:
        """Difference from before the first course; None while one of the two is missing or is only a limit."""
        if self.last is None or self.before_first is None or self.last is self.before_first:
            return None
        if not (self.last.counted and self.before_first.counted):
            return None
        return self.last.value - self.before_first.value  # type: ignore[operator]


def trend(points: Sequence[Point]) -> Trend:
    """Summary of a series. "Before the first course" is the newest baseline reading."""
    joined = reliable(points)
    before = (point for point in reversed(joined) if point.judgement.verdict is Verdict.BASELINE)
    return Trend(
        last=joined[-1] if joined else None,
        before_first=next(before, None),
        left_out=len(points) - len(joined),
        unconfirmed=sum(point.judgement.unconfirmed for point in points),
    )


def readings(points: Iterable[Point]) -> list[Reading]:
    """The points that count and are numbers, oldest first, as rules read them."""
    return [Reading(p.on, p.value, p.comparator, p.key) for p in reliable(points) if p.value is not None]


def between_courses(points: Iterable[Point]) -> list[Reading]:
    """The same without what was drawn before any injection: what may move an interval (2.6)."""
    return readings(point for point in points if point.judgement.verdict is Verdict.RELIABLE)
