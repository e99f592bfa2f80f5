"""What every reader of files makes, whatever the format: one candidate per reading, and what stands against it. Pure.

A reader (tables and rows, FHIR resources, HL7 messages) never raises for a bad reading: it says in words what is wrong.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum

from labs.units import Reading

OTHER = "other"
"""Code of the analyte for every test that the catalogue does not hold: kept as printed, never flagged or drawn."""


def identity(name: str, most: int) -> str:
    """The name itself, or its digest where it is too long to be kept: never a part that two results could share."""
    return name if len(name) <= most else ("sha256:" + hashlib.sha256(name.encode()).hexdigest())[:most]


class FileError(ValueError):
    """The file as a whole cannot be read; the message says why in words."""


class DateError(ValueError):
    """A date that is missing, ambiguous or impossible; the message says which, in words."""


class Status(Enum):
    """What a reader makes of one reading."""

    READY = "new"
    NEEDS_DATE = "needs a date"
    NOT_UNDERSTOOD = "not understood"
    PENDING = "no value yet"
    CANCELLED = "cancelled by the laboratory"
    SKIPPED = "left out"  # it is no result at all: an injection, an appointment
    WITHDRAWN = "entered in error"  # it says that an earlier result was wrong: that one is hidden, and kept


class Stage(Enum):
    """How far the laboratory is with a result that has a value. A correction replaces, and the old value is kept."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"


@dataclass(frozen=True)
class Person:
    """Whom a message is about, as it says; everything may be empty. `born_on` is a full date, else only the year."""

    name: str = ""
    born_on: date | None = None
    birth_year: int | None = None
    number: str = ""


@dataclass(frozen=True)
class Line:
    """One reading of a file: where it stands, whose it is by the file, what it says, what becomes of it.

    `line` is the line of a table, the segment of a message or the place of a resource in its bundle, counted from 1;
    `part` counts the results where one resource or line holds several (0 = it is the only one).
    `patient` names the person inside the file ("" = the file names nobody). `analyte` is a code of the catalogue or
    OTHER. `on` is the civil day where the blood was taken, `at` its clock, both without a zone; `moment` stands instead
    where the file says the zone. `external_id` names the result in the sending system, over all its versions.
    `note` holds what the laboratory wrote beside it. `says_unit` is False where the file names no unit for it.
    """

    line: int
    patient: str
    name: str
    raw: str
    status: Status
    reason: str = ""
    analyte: str = ""
    on: date | None = None
    at: time | None = None
    moment: datetime | None = None
    reading: Reading | None = None
    stage: Stage = Stage.FINAL
    printed_range: str = ""
    flag: str = ""
    laboratory: str = ""
    note: str = ""
    specimen: str = ""
    external_id: str = ""
    person: Person | None = None
    says_unit: bool = True
    part: int = 0

    @property
    def place(self) -> str:
        """Where it stands, for people: "3", or "3.2" where several results stand in one place."""
        return f"{self.line}.{self.part}" if self.part else str(self.line)
