"""What the pages before a course show: its questions with their answers, and its list of things to get ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from cycles import preparation, questions
from cycles.models import Cycle, Preparation, Readiness, ReadinessAnswer
from cycles.preparation import Item
from cycles.questions import Given, Question, Standing
from il2tracker.accounts.models import Patient


@dataclass(frozen=True)
class Line:
    """One question with where it stands, and the row of its answer, if there is one."""

    question: Question
    standing: Standing
    row: ReadinessAnswer | None
    is_stale: bool

    @property
    def answer(self) -> str:
        """The answer in words; empty without one."""
        return str(self.row.get_answer_display()) if self.row else ""


@dataclass(frozen=True)
class Asked:
    """The questions before one course as they stand today. `rows` are all its answers, the diary's own facts too."""

    cycle: Cycle
    today: date
    readiness: Readiness | None
    rows: Sequence[ReadinessAnswer]

    @cached_property
    def lines(self) -> list[Line]:
        """Every question of this course, in order."""
        by_code = {row.question: row for row in self.rows}
        return [self._line(question, by_code.get(question.code)) for question in questions.asked(self.cycle.number)]

    def _line(self, question: Question, row: ReadinessAnswer | None) -> Line:
        given = Given(row.answer, self.cycle.patient.today(row.answered_at)) if row else None
        starts_on = self.cycle.starts_on
        stale = given is not None and questions.is_stale(question, given, starts_on, self.today)
        return Line(question, questions.standing(question, given, starts_on, self.today), row, stale)

    @property
    def is_open(self) -> bool:
        """Whether they can be answered today."""
        undecided = self.cycle.state in {Cycle.State.PLANNED, Cycle.State.HELD}
        return undecided and questions.is_open(self.cycle.starts_on, self.today)

    @property
    def opens_on(self) -> date:
        """The first day on which they can be."""
        return questions.opens_on(self.cycle.starts_on)

    @property
    def is_day_1(self) -> bool:
        """Whether the day has come on which four of them are asked again."""
        return self.today == self.cycle.starts_on

    def of(self, *standings: Standing) -> list[Line]:
        """The questions that stand so."""
        return [line for line in self.lines if line.standing in standings]

    @property
    def look(self) -> list[Line]:
        """What a person needs to look at."""
        return self.of(Standing.LOOK)

    @property
    def answered(self) -> list[Line]:
        """Answers that count and need nobody."""
        return self.of(Standing.ANSWERED)

    @property
    def left(self) -> list[Line]:
        """Without an answer, or with one that is too old."""
        return [line for line in self.lines if line.row is None or line.is_stale]

    @property
    def to_answer(self) -> list[Line]:
        """What stands under "not answered": an old yes stays with what a person looks at."""
        return self.of(Standing.OPEN, Standing.AGAIN)

    def after(self, question: Question) -> Question | None:
        """The next question that is left: behind this one, else from the top; None = all are answered."""
        left = [line.question for line in self.left if line.question != question]
        codes = [line.question.code for line in self.lines]
        behind = [each for each in left if codes.index(each.code) > codes.index(question.code)]
        return next(iter([*behind, *left]), None)

    def place(self, question: Question) -> int:
        """Its number in the list, from 1."""
        return [line.question.code for line in self.lines].index(question.code) + 1

    def before(self, question: Question) -> Question | None:
        """The question above it."""
        place = self.place(question)
        return self.lines[place - 2].question if place > 1 else None

    @property
    def sent_at(self) -> datetime | None:
        """When they were sent last."""
        return self.readiness.sent_at if self.readiness else None

    @property
    def is_sent(self) -> bool:
        """Whether what was sent is what stands now."""
        return bool(self.sent_at and self.newest_at and self.newest_at <= self.sent_at)

    @property
    def newest_at(self) -> datetime | None:
        """When the newest answer was given."""
        return max((row.answered_at for row in self.rows), default=None)

    @property
    def as_shown(self) -> str:
        """The course, its first day and the newest answer in one text: when it differs from what a page was sent
        with, somebody saw another day or other answers there."""
        newest = self.newest_at.isoformat() if self.newest_at else ""
        return f"{self.cycle.ref} {self.cycle.starts_on} {newest}".rstrip()

    @property
    def is_confirmed(self) -> bool:
        """Whether the clinic confirmed this very first day."""
        return self.readiness is not None and self.readiness.confirmed_for == self.cycle.starts_on

    @property
    def news(self) -> list[Line]:
        """What needs a person and was answered after the clinic confirmed the start."""
        if self.readiness is None or self.readiness.confirmed_at is None or not self.is_confirmed:
            return []
        at = self.readiness.confirmed_at
        return [line for line in self.look if line.row and line.row.answered_at > at]


def read(cycle: Cycle, patient: Patient, today: date) -> Asked:
    """The questions of a course: two statements."""
    cycle.patient = patient
    people = ("sent_by", "confirmed_by")
    readiness = Readiness.objects.before(cycle).select_related(*people).first()
    rows = ReadinessAnswer.objects.filter(readiness__cycle=cycle).select_related("answered_by")
    return Asked(cycle, today, readiness, list(rows))


@dataclass(frozen=True)
class ToDo:
    """The list of things to get ready for one course, each with the row that ticks it."""

    cycle: Cycle
    items: tuple[Item, ...]
    rows: Sequence[Preparation]

    @cached_property
    def lines(self) -> list[tuple[Item, Preparation | None]]:
        """Every item, in order."""
        by_item = {row.item: row for row in self.rows}
        return [(item, by_item.get(item.code)) for item in self.items]

    @property
    def done(self) -> int:
        """How many are ready."""
        return sum(row is not None for _item, row in self.lines)

    @property
    def medicines(self) -> list[str]:
        """The before-medicines as the clinician entered them, names only (R27)."""
        return [line.strip() for line in self.cycle.version.premedication.splitlines() if line.strip()]


def wanted(cycle: Cycle) -> tuple[Item, ...]:
    """What a course asks to be got ready."""
    version = cycle.version
    return preparation.items(
        course=cycle.number,
        inpatient=version.inpatient,
        indication=version.indication,
        premedication=version.premedication,
    )


def to_do(cycle: Cycle) -> ToDo:
    """The list of a course: one statement."""
    return ToDo(cycle, wanted(cycle), list(Preparation.objects.before(cycle).select_related("done_by")))
