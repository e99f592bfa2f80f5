"""What can become of a reading of a file, in a word each, and whom a file may be about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from cycles import schedule
from il2tracker.accounts.models import Patient
from labs import units
from labs.files import people
from labs.files.candidates import Line, Person, Status
from labs.matching import Known, Match

LEFT_OUT, ODD, REPLACED, STRANGER = "left out", "looks odd", "replaced", "somebody else?"
NOT_IN_PLAN = "not part of this plan"
HIDDEN = "taken back"  # by the laboratory: the stored result is hidden, and kept
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
    NOT_IN_PLAN,
    Status.NEEDS_DATE.value,
    Status.NOT_UNDERSTOOD.value,
    Status.PENDING.value,
    Status.CANCELLED.value,
    LEFT_OUT,
)
ASKS = {STRANGER, Match.CONFLICT.value, ODD, NOT_IN_PLAN, Status.NEEDS_DATE.value, Status.NOT_UNDERSTOOD.value}
NOTHING = "nothing"  # of what a file says about a person can be compared


class Outcome(NamedTuple):
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
        return taken(self.line, self.patient)[0]

    @property
    def asks(self) -> bool:
        """Whether somebody has to look at it."""
        return self.state in ASKS

    @property
    def in_words(self) -> str:
        """What was understood of the value: "less than 20 copies per mL"."""
        if self.line.reading is None or self.line.analyte not in units.library():
            return ""
        return units.in_words(units.library()[self.line.analyte], self.line.reading)


def taken(line: Line, patient: Patient) -> tuple[date | None, datetime | None]:
    """Day of the draw on the patient's calendar, and its moment if a time is known."""
    if line.moment is not None:
        try:
            return line.moment.astimezone(patient.zone).date(), line.moment
        except OverflowError:  # the first and the last day of the calendar
            return None, None
    if line.on is None or line.at is None:
        return line.on, None
    return line.on, schedule.moment(line.on, line.at, patient.zone)


@dataclass(frozen=True)
class Stranger:
    """A person whom a message names, and the patient chosen here, who clearly differ, or have NOTHING to compare.

    `key` is what a yes is about.
    """

    person: Person
    patient: Patient
    differs: tuple[str, ...]

    @classmethod
    def met(cls, person: Person, patient: Patient, *, was_named: bool) -> Stranger | None:
        """None where both may be one person. `was_named`: somebody said already whom this name of the file means."""
        names = [patient.name, patient.user.name if patient.user else ""]
        if differs := people.differences(person, names, patient.birth_year):
            return cls(person, patient, differs)
        if was_named or people.can_be_compared(person, names, patient.birth_year, patient.code):
            return None
        return cls(person, patient, (NOTHING,))

    @property
    def key(self) -> str:
        """Another person or another patient needs another yes."""
        return f"{self.patient.code}|{self.who}"

    @property
    def who(self) -> str:
        """Whom the file names; "" = nobody."""
        return people.in_words(self.person)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing could be compared."""
        return self.differs == (NOTHING,)

    @property
    def asks(self) -> str:
        """What has to be said, as the label of a box."""
        words = {"who": self.who, "patient": self.patient.label}
        if self.is_unknown:
            return _("Yes: these are results of %(patient)s. I have checked it.") % words
        return _("Yes: %(who)s is %(patient)s. I have checked it.") % words

    @property
    def says(self) -> str:
        """What differs, in words."""
        if self.is_unknown:
            return self._says_nothing
        both = set(self.differs) == {people.NAME, people.BIRTH}
        only = _("The name is another one.") if people.NAME in self.differs else _("The year of birth is another one.")
        return _("Both the name and the year of birth differ.") if both else only

    @property
    def _says_nothing(self) -> str:
        if self.person.name.strip() or self.person.born_on or self.person.birth_year:
            return _("Nothing that the file says of a person can be compared with this diary.")
        return _("The file does not say whose results these are.")

    @property
    def waits(self) -> str:
        """Why a row of this person is not added yet."""
        if self.is_unknown:
            return _("%(says)s Say first whether they are this person’s.") % {"says": self.says}
        return _("The file says %(who)s. Say first whether this is the same person.") % {"who": self.who}
