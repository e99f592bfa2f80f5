"""Urgent reports that the clinic has to be told: whom, in which order, how long after one another (B22). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from il2tracker.reminders import kinds
from il2tracker.reminders.wishes import Choices, Reason, Wish, chosen

# App's own: whatever the clinic's minutes are, nobody is told later than this, and nobody waited for longer.
LATEST = timedelta(hours=12)
Step = tuple[datetime, tuple[int, ...]]  # when, and which users


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works in the clinic. `rank`: the place in the order on call; None = told last, with the others."""

    user_id: int
    rank: int | None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Course:
    """What decides when the next one is told. `calls`: when the patient wrote that nobody can be reached, in order;
    `stopped_at`: when the clinic took it in hand, spoke with the patient or closed it last, which ends the telling
    until the next call."""

    raised_at: datetime
    calls: tuple[datetime, ...] = ()
    stopped_at: datetime | None = None

    @property
    def lifted_at(self) -> datetime | None:
        """The first call after the clinic had taken it in hand."""
        stop = self.stopped_at
        return None if stop is None else next((call for call in self.calls if call > stop), None)

    @property
    def last_at(self) -> datetime:
        """From when on the telling is counted: the report itself, or what lifted it again."""
        return self.lifted_at or self.raised_at

    def moments(self, wait: timedelta) -> Iterator[datetime]:
        """When the first is told, the second and so on: the clinic's minutes apart, each at once when a call comes."""
        at = self.raised_at
        while True:
            yield at
            at = self._following(at, wait)

    def _following(self, at: datetime, wait: timedelta) -> datetime:
        call = next((call for call in self.calls if call > at), None)
        planned = min(at + wait, max(at, self.last_at + LATEST))
        if call is None:
            return planned
        is_stopped = self.stopped_at is not None and at <= self.stopped_at < planned
        return call if is_stopped else min(planned, call)


@dataclass(frozen=True, slots=True)
class Team:
    """A clinic that the patient shares with now. The patient is never a member of it, even if he works there."""

    clinic_id: int
    name: str
    wait: timedelta  # until the next one is told
    members: tuple[Member, ...]

    def steps(self, course: Course, refused: Collection[int]) -> list[Step]:
        """Who is told when: one by one by rank, then all others at once.

        Whoever cannot get mail is left out, so that the next one is told in that place and not a step later.
        """
        able = [member for member in self.members if member.is_active and member.user_id not in refused]
        ranked = sorted((member.rank, member.user_id) for member in able if member.rank is not None)
        rest = tuple(member.user_id for member in able if member.rank is None)
        groups = [(user_id,) for _rank, user_id in ranked] + ([rest] if rest else [])
        return list(zip(course.moments(self.wait), groups, strict=False))


@dataclass(frozen=True, slots=True)
class Report:
    """The urgent alerts that one entry raised at one moment: the clinic is told of them together, by the first one's
    name."""

    refs: tuple[str, ...]
    patient_id: int
    zone: str
    raised_at: datetime
    is_open: bool  # one of them at least waits for the clinic
    is_emergency: bool
    answer: str  # what the patient says came of calling; empty = nothing yet
    teams: tuple[Team, ...]
    calls: tuple[datetime, ...] = ()  # when the patient wrote that nobody can be reached, as long as that stands
    stopped_at: datetime | None = None  # when the clinic did something about it last; None = not acknowledged

    @property
    def occurrence(self) -> str:
        """Its name. Without the step: a person is told once, wherever he stands in the order by then."""
        return f"a{self.refs[0]}"

    @property
    def course(self) -> Course:
        """When the next one is told."""
        return Course(self.raised_at, self.calls, self.stopped_at)

    @property
    def expires_at(self) -> datetime:
        """Until when it is of use to tell anybody."""
        return self.course.last_at + kinds.RED_FLAG_EXPIRES

    @property
    def people(self) -> set[int]:
        """Everybody whom it concerns, told or not."""
        return {member.user_id for team in self.teams for member in team.members}

    def silent_from(self, refused: Collection[int], last_told_at: datetime | None) -> datetime | None:
        """From when on it counts as having reached nobody: the clinic's minutes after the last one was to be told, or
        was told. At once where nobody can be told; None without a clinic."""
        ends = [_end(self, team, refused, last_told_at) for team in self.teams]
        return max(ends, default=None)


def _end(report: Report, team: Team, refused: Collection[int], last_told_at: datetime | None) -> datetime:
    steps = team.steps(report.course, refused)
    if not steps:
        return report.raised_at
    last = steps[-1][0]
    return max(last, last_told_at or last) + min(team.wait, LATEST)


@dataclass(frozen=True, slots=True)
class Telling:
    """How one person is told of a report: when, for which clinic, and whether anybody is told later."""

    at: datetime
    team: Team
    is_on_call: bool
    is_last: bool


def tellings(report: Report, refused: Collection[int]) -> dict[int, Telling]:
    """User → how he is told; a member of two of the patient's clinics at the earlier of his two moments."""
    found: dict[int, Telling] = {}
    for team in report.teams:
        steps, ranks = team.steps(report.course, refused), {each.user_id: each.rank for each in team.members}
        for at, group in steps:
            for user_id in group:
                telling = Telling(at, team, ranks[user_id] is not None, is_last=at == steps[-1][0])
                if user_id not in found or at < found[user_id].at:
                    found[user_id] = telling
    return found


def of_alerts(reports: Iterable[Report], choices: Choices) -> Iterator[Wish]:
    """ "Action needed: urgent report" to the clinic's members, until somebody acknowledges it or a day has passed."""
    return chosen((wish for report in reports for wish in _of_report(report, choices.refused)), choices)


def _of_report(report: Report, refused: Collection[int]) -> Iterator[Wish]:
    told = tellings(report, refused)
    active = {member.user_id: member.is_active for team in report.teams for member in team.members}
    lifted_at, stopped_at = report.course.lifted_at, report.stopped_at
    for user_id, is_active in active.items():
        gone = None if is_active else Reason.NO_RECIPIENT
        # Who is refused stands in nobody's way, and is tried all the same: the refusal may be a server's mistake.
        at = told[user_id].at if user_id in told else report.raised_at
        wish = _wish(report, user_id, at, gone)
        yield wish
        if lifted_at and stopped_at and at <= stopped_at:  # was told before the clinic took it in hand
            yield replace(_wish(report, user_id, lifted_at, gone), occurrence=again(report.occurrence, lifted_at))


def _wish(report: Report, user_id: int, at: datetime, gone: Reason | None) -> Wish:
    return Wish(
        kind=kinds.RED_FLAG,
        occurrence=report.occurrence,
        recipient_id=user_id,
        patient_id=report.patient_id,
        due_at=at,
        expires_at=report.expires_at,
        zone=report.zone,
        says_at=report.raised_at,
        unwanted=gone if report.is_open else Reason.ANSWERED,
        wait=at - max(each for each in (report.raised_at, *report.calls) if each <= at),
    )


def again(occurrence: str, lifted_at: datetime) -> str:
    """The name under which those who know a report are told that the patient cannot reach them."""
    return f"{occurrence}/{lifted_at:%Y%m%d%H%M%S}"


def report_of(occurrence: str) -> str:
    """The report's own name in the name of a mail about it."""
    return occurrence.partition("/")[0]
