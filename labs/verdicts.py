"""What becomes of each reading of a file, compared with what is stored. One way for every format."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import groupby

from django.utils.translation import gettext as _

from cycles import schedule
from il2tracker.accounts.models import Patient
from labs import units, written
from labs.files import people
from labs.files.asking import Asked
from labs.files.candidates import OTHER, Line, Person, Status
from labs.files.formats import File
from labs.files.rows import Answers, plain
from labs.matching import Known, Match, Shelf, known
from labs.stock import Stock, stood_before

LEFT_OUT, ODD, REPLACED, STRANGER = "left out", "looks odd", "replaced", "somebody else?"
HIDDEN = "taken back"  # by the laboratory: the stored result is hidden, and kept
CHUNK = 2_000  # readings compared, and then written, at a time
SAYS_CELLS = re.compile(r"^(?!.*(%|percent|pct|perc\b)).*(cell|mm|ul|µl)", re.IGNORECASE)  # the unit of a count
EVERYBODY = "*"  # all rows of a file are one person's, whatever names stand in it
ORDER = (
    STRANGER,
    Match.NEW.value,
    Match.CORRECTS.value,
    REPLACED,
    HIDDEN,
    Status.WITHDRAWN.value,
    Match.THERE.value,
    Match.OLDER.value,
    Match.CONFLICT.value,
    ODD,
    Status.NEEDS_DATE.value,
    Status.NOT_UNDERSTOOD.value,
    Status.PENDING.value,
    Status.CANCELLED.value,
    LEFT_OUT,
)


@dataclass(frozen=True)
class Outcome:
    """What becomes of one reading of the file: its state in a word, why, and for whom.

    `meets` is the stored result whose place it takes, may take (a conflict: the first one of the file, no other), or
    that it takes back; without a key it is an earlier row of the same file.
    """

    line: Line
    state: str
    reason: str = ""
    patient: Patient | None = None
    meets: Known | None = None
    identity: Known | None = None

    @property
    def at(self) -> datetime | None:
        """The moment of the draw, when the file holds a time."""
        return self.identity.at if self.identity else None

    @property
    def on(self) -> date | None:
        """The day of the draw, on the patient's calendar; on that of the file where nobody was chosen."""
        if self.identity:
            return self.identity.on
        moment = self.line.moment
        if moment is None or self.patient is None:
            return moment.date() if moment else self.line.on
        return _when(self.line, self.patient)[0]

    @property
    def asks(self) -> bool:
        """Whether somebody has to look at it."""
        return self.state in _ASKS

    @property
    def in_words(self) -> str:
        """What was understood of the value: "less than 20 copies per mL"."""
        if self.line.reading is None or self.line.analyte not in units.library():
            return ""
        return units.in_words(units.library()[self.line.analyte], self.line.reading)


@dataclass(frozen=True)
class Stranger:
    """A person whom a message names, and the patient chosen here, who clearly differ. `key` is what a yes is about."""

    person: Person
    patient: Patient
    differs: tuple[str, ...]

    @property
    def key(self) -> str:
        """Another person or another patient needs another yes."""
        return f"{self.patient.code}|{self.who}"

    @property
    def who(self) -> str:
        """Whom the file names."""
        return people.in_words(self.person)

    @property
    def says(self) -> str:
        """What differs, in words."""
        both = set(self.differs) == {people.NAME, people.BIRTH}
        only = _("The name is another one.") if people.NAME in self.differs else _("The year of birth is another one.")
        return _("Both the name and the year of birth differ.") if both else only


@dataclass(frozen=True)
class Upload:
    """A file with everything said about it so far.

    `patients` maps the file's names to patients; "" = rows without a name, or all rows of a file that names one person;
    EVERYBODY = all rows. `sure` = somebody looked at the values that look odd and said yes. `same` = keys of those of
    whom somebody said that they are the same person; EVERYBODY = all. `batch` = the import that is being written.
    """

    file: File
    answers: Answers
    patients: Mapping[str, Patient]
    rules: Mapping[str, units.Rule]
    now: datetime
    sure: bool = False
    same: Collection[str] = ()
    batch: int | None = None
    claimed: dict[int, Known] = field(default_factory=dict)
    met: dict[tuple[int, Person], Stranger | None] = field(default_factory=dict)
    todays: dict[int, date] = field(default_factory=dict)

    @cached_property
    def asked(self) -> Asked:
        """The questions of this file."""
        return self.file.asked(self.rules)

    def owner_of(self, name: str) -> Patient | None:
        """Whose row it is by the answers. Rows of several people are never one person's unless that was said."""
        one = self.patients.get(name) or self.patients.get(EVERYBODY)
        return one or (self.patients.get("") if "" in self.patients and len(self.asked.patients) <= 1 else None)

    @property
    def strangers(self) -> list[Stranger]:
        """Those who clearly differ, once every line was read."""
        return [stranger for stranger in self.met.values() if stranger]

    def outcomes(self) -> Iterator[Outcome]:
        """Every reading of the file with what becomes of it. Two passes give the same answer."""
        for chunk in self.chunks():
            yield from chunk

    def chunks(self, *, forgets: bool = False) -> Iterator[list[Outcome]]:
        """The outcomes some thousands at a time. `forgets`: the caller stores each chunk before asking for the next."""
        stock = Stock(self.rules, self.batch, forgets)
        self.claimed.clear()
        for rows in self._rows():
            owners = (self.owner_of(line.patient) for row in rows for line in row)
            shelf = stock.bring(owner.pk for owner in owners if owner)
            yield [outcome for row in rows for outcome in self._together(row, shelf)]

    def _rows(self) -> Iterator[list[list[Line]]]:
        """The lines that stand together in one row of the file, some thousands of lines at a time."""
        chunk, count = [], 0
        lines = self.file.lines(self._answers, self.rules, today=self._today)
        for _line, row in groupby(lines, lambda line: line.line):
            chunk.append(list(row))
            count += len(chunk[-1])
            if count >= CHUNK:
                yield chunk
                chunk, count = [], 0
        if chunk:
            yield chunk

    @cached_property
    def _answers(self) -> Answers:
        """What was said; and what the dates of the file themselves show of their order."""
        return self.answers if self.answers.order else replace(self.answers, order=self.asked.order_seen)

    @cached_property
    def _floors(self) -> set[tuple[str, Decimal | None]]:
        """The numbers that may be limits: where they were said to be, their readings are limits by now."""
        return {(test, number) for (test, _unit), number, _count in self.asked.floors}

    @cached_property
    def _today(self) -> date:
        return max([patient.today(self.now) for patient in self.patients.values()], default=self.now.date())

    def _together(self, row: list[Line], shelf: Shelf) -> Iterator[Outcome]:
        analytes = {line.analyte for line in row}
        for line in row:
            yield self._outcome(line, shelf, analytes)

    def _outcome(self, line: Line, shelf: Shelf, together: Collection[str]) -> Outcome:
        patient = self.owner_of(line.patient)
        if patient is None and line.status in _NEEDS_SOMEBODY:
            return Outcome(line, LEFT_OUT, _("Nobody here was chosen for “%(name)s”.") % {"name": line.patient})
        if patient is None or line.status not in _ACTS:
            return Outcome(line, line.status.value, line.reason, patient)
        if line.person and (stranger := self._stranger(line.person, patient)):
            return Outcome(line, STRANGER, _who(stranger), patient)
        if line.status is not Status.READY:
            return self._taken_back(line, patient, shelf)
        return self._ready(line, patient, shelf, together)

    def _ready(self, line: Line, patient: Patient, shelf: Shelf, together: Collection[str]) -> Outcome:
        on, at = _when(line, patient)
        if line.reading is None or on is None:
            return Outcome(line, Status.NOT_UNDERSTOOD.value, _("It has no value, or no day."), patient)
        wrong = self._wrong_day(on, at, patient)
        if wrong:
            return Outcome(line, Status.NEEDS_DATE.value, wrong, patient)
        return self._compared(line, patient, self._identity(line, patient, on, at), shelf, together)

    def _identity(self, line: Line, patient: Patient, on: date, at: datetime | None) -> Known:
        rule, reading = self.rules[line.analyte], line.reading or _NOTHING
        more = {"name": line.name, "external_id": line.external_id, "stage": line.stage,
                "laboratory": line.laboratory}  # fmt: skip
        return known(patient.pk, rule, reading, on, at, line.specimen, **more)  # type: ignore[arg-type]

    def _wrong_day(self, on: date, at: datetime | None, patient: Patient) -> str:
        """In words what cannot be right about the day; files of every format are asked the same."""
        today = self.todays.get(patient.pk) or self.todays.setdefault(patient.pk, patient.today(self.now))
        if on > today or (at is not None and at > self.now):
            return _("%(day)s has not come yet.") % {"day": on.isoformat()}
        if on < schedule.EARLIEST:
            return _("%(day)s is too long ago to be right.") % {"day": on.isoformat()}
        return ""

    def _compared(
        self, line: Line, patient: Patient, identity: Known, shelf: Shelf, together: Collection[str]
    ) -> Outcome:
        match, meets = shelf.match(identity)
        again = match is Match.CORRECTS and meets and meets.key and not identity.says_the_same(meets)
        if again and meets and stood_before(meets.key or 0, identity):
            words = _("This value stood there before, and was corrected since.")
            return Outcome(line, Match.OLDER.value, words, patient, meets, identity)
        if match in {Match.THERE, Match.OLDER}:
            return Outcome(line, match.value, _why_left(match, meets), patient, meets, identity)
        odd = "" if self.sure else self._odd(line, identity, shelf, together)
        if odd:
            return Outcome(line, ODD, odd, patient, None, identity)
        if match is Match.NEW:
            shelf.add(identity)
            return Outcome(line, match.value, line.reason or _not_drawn(line), patient, None, identity)
        assert meets is not None
        if match is Match.CONFLICT:
            return self._conflict(line, patient, identity, meets)
        shelf.replace(meets, identity._replace(key=meets.key))
        words = _("It takes the place of %(value)s, which stays in the history.") % {"value": self._in_words(meets)}
        return Outcome(line, match.value, words, patient, meets, identity)

    def _taken_back(self, line: Line, patient: Patient, shelf: Shelf) -> Outcome:
        """A result that the laboratory withdrew or cancelled: the stored one is hidden, and kept."""
        on, at = _when(line, patient)
        identity = self._identity(line, patient, on or date.min, at)
        there = shelf.called(identity)
        if there is None and line.status is Status.WITHDRAWN and on is not None:
            same = [o for o in shelf.meeting(identity) if line.reading is None or o.says_the_same(identity)]
            there = same[0] if len(same) == 1 else None
        if there is None or there.withdrawn:
            words = _("It is hidden here already.") if there else line.reason
            return Outcome(line, line.status.value, words, patient)
        shelf.replace(there, there._replace(withdrawn=True))
        words = _("%(why)s The result that is there, %(value)s, is hidden and kept.")
        said = {"why": line.reason, "value": self._in_words(there)}
        return Outcome(line, HIDDEN, words % said, patient, there, identity)

    def _stranger(self, person: Person, patient: Patient) -> Stranger | None:
        key = (patient.pk, person)
        if key not in self.met:
            names = [patient.name, patient.user.name if patient.user else ""]
            differs = people.differences(person, names, patient.birth_year)
            self.met[key] = Stranger(person, patient, differs) if differs else None
        stranger = self.met[key]
        return None if stranger is None or stranger.key in self.same or EVERYBODY in self.same else stranger

    def _odd(self, line: Line, identity: Known, shelf: Shelf, together: Collection[str]) -> str:
        """The questions of the form for the same value (H11), with what the file says of units and percentages."""
        reading, rule = line.reading, self.rules[line.analyte]
        if reading is None or not reading.unit:
            return ""
        if not line.says_unit and not rule.timing_matters and len(set(rule.factors.values())) > 1:
            unit = units.UNITS[reading.unit].words
            return _("The file names no unit. It is read in %(unit)s: is that the unit of the report?") % {"unit": unit}
        if reading.comparator != "=":
            return ""
        if rule.may_be_undetected and (line.analyte, plain(line.raw)) in self._floors:
            words = _("“%(number)s” may mean “less than the test can count”. Say which limit it is, if it is one.")
            return words % {"number": line.raw}
        percent = line.analyte != "cd4" or "cd4_percent" in together or bool(SAYS_CELLS.search(line.name))
        percent = percent or shelf.has(identity.patient, "cd4_percent", identity.on)
        before = shelf.value_before(identity) if rule.jump else None
        return " ".join(written.questions(rule, reading, before=before, percent_given=percent))

    def _conflict(self, line: Line, patient: Patient, identity: Known, meets: Known) -> Outcome:
        """One row of the file may take the place of a stored result; the next that meets the same draw is left out."""
        first = meets if meets.key is None else self.claimed.get(meets.key)
        if first is not None or meets.key is None:
            words = _("Another row of this file has another value for this draw: %(value)s. This one is left out.")
            said = {"value": self._in_words(first or meets)}
            return Outcome(line, Match.CONFLICT.value, words % said, patient, None, identity)
        self.claimed[meets.key] = identity
        words = _("Another value of this test is there for this draw: %(value)s.") % {"value": self._in_words(meets)}
        return Outcome(line, Match.CONFLICT.value, words, patient, meets, identity)

    def _in_words(self, there: Known) -> str:
        rule = self.rules[there.analyte]
        unit = "" if there.unit_text or not rule.units else rule.canonical_unit
        reading = units.Reading(there.comparator, there.value, unit, None, "", there.unit_text, there.text)
        return units.in_words(rule, reading)


_ASKS = {STRANGER, Match.CONFLICT.value, ODD, Status.NEEDS_DATE.value, Status.NOT_UNDERSTOOD.value}
_NEEDS_SOMEBODY = {Status.READY, Status.NEEDS_DATE, Status.WITHDRAWN}
_ACTS = {Status.READY, Status.WITHDRAWN, Status.CANCELLED}
_NOTHING = units.Reading("=", None, "", None, "")


def _when(line: Line, patient: Patient) -> tuple[date | None, datetime | None]:
    """Day of the draw on the patient's calendar, and its moment if a time is known."""
    if line.moment is not None:
        try:
            return line.moment.astimezone(patient.zone).date(), line.moment
        except OverflowError:  # the first and the last day of the calendar
            return None, None
    if line.on is None or line.at is None:
        return line.on, None
    return line.on, schedule.moment(line.on, line.at, patient.zone)


def _why_left(match: Match, meets: Known | None) -> str:
    if match is Match.THERE or meets is None:
        return ""
    if meets.withdrawn:
        return _("The laboratory took this result back. It stays hidden.")
    return _("A newer version of this result is there.")


def _not_drawn(line: Line) -> str:
    """Why a result that is kept is neither compared with a range nor drawn."""
    reading = line.reading
    if reading is None or line.analyte == OTHER:
        return _("Kept as printed. This diary does not know the test.")
    if reading.text:
        return _("Kept as text: it is no number.")
    if reading.value is not None and not reading.unit:
        words = _("Kept as printed, never flagged or drawn: “%(unit)s” is not a unit that we know for this test.")
        return words % {"unit": reading.unit_text}
    return ""


def _who(stranger: Stranger) -> str:
    return _("The file says %(who)s. Say first whether this is the same person.") % {
        "who": people.in_words(stranger.person)
    }
