"""The check-ins of a record that this software wrote, read back. Everything else in the file is left where it is."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from labs.files.candidates import FileError
from labs.files.fhir_json import decoded, mapping, parsed, passage, sequence, text
from labs.files.own_json import FORMAT, VERSION
from sideeffects.models import CheckIn
from sideeffects.restoring import Kept
from sideeffects.units import MOST_STOOLS, PRESSURES, RANGES, WEIGHTS

REF = re.compile(r"[0-9a-z]{10}", re.ASCII)
NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?", re.ASCII)
LONGEST_NOTE = 10_000
MOST = 20_000
"""Check-ins of a file: more than one a day for fifty years. What holds more was not written by this diary."""
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


class EntryError(ValueError):
    """This entry cannot come back. The message says what is wrong with it."""


@dataclass(frozen=True)
class File:
    """What stands in the file: whose it is, and its check-ins as they were written."""

    code: str
    name: str
    entries: list[Any]


@dataclass(frozen=True)
class Content:
    """The check-ins that can be read, and the reason for each one that cannot, by its place in the file."""

    kept: list[Kept]
    refused: list[tuple[int, str]]


def opened(data: bytes) -> File:
    """The file. Raises FileError for what is no record, or one of a version that is not known."""
    try:
        record = mapping(parsed(decoded(data)))
    except json.JSONDecodeError as error:
        raise FileError(
            _("This file cannot be read: something is wrong in line %(n)s.") % {"n": error.lineno}
        ) from None
    if text(record.get("format")) != FORMAT:
        raise FileError(_("This is not a record of this diary: choose the file of the button “Whole diary (JSON)”."))
    if str(record.get("version")) != VERSION:
        raise FileError(_("This record was written by another version of the diary, which is not known here."))
    owner, entries = mapping(record.get("patient")), sequence(record.get("check_ins"))
    if len(entries) > MOST:
        raise FileError(_("There are more than %(n)s check-ins in this file.") % {"n": MOST})
    return File(text(owner.get("code")), text(owner.get("name")), entries)


def read(entries: list[Any], codes: Mapping[str, bool], zone: str, now: datetime) -> Content:
    """Each check-in. `codes`: every symptom that is known, and whether it is asked as a red flag.

    `zone`: where an entry does not say where it was made.
    """
    kept: dict[str, Kept] = {}
    refused = []
    for place, entry in enumerate(entries, 1):
        try:
            found = _entry(mapping(entry), codes, zone, now)
            if found.ref in kept:
                raise EntryError(_("It stands in this file twice; the first one counts."))
            kept[found.ref] = found
        except EntryError as error:
            refused.append((place, str(error)))
    return Content(list(kept.values()), refused)


def _entry(entry: Mapping[str, Any], codes: Mapping[str, bool], zone: str, now: datetime) -> Kept:
    ref = _line(entry.get("ref"))
    if not REF.fullmatch(ref):
        raise EntryError(_("It has no name that tells it from others."))
    named, flags, severities = _line(entry.get("zone")), _flags(entry, codes), _severities(entry, codes)
    temperature, unit = _temperature(mapping(entry.get("temperature")))
    weight, weight_unit = _weight(mapping(entry.get("weight")))
    systolic, diastolic = _pressure(mapping(entry.get("blood_pressure")))
    return Kept(
        ref=ref,
        felt_at=_moment(_line(entry.get("felt_at")), now),
        zone=named if named in available_timezones() else zone,
        flags=flags,
        none_of_flags=entry.get("none_of_the_red_flags") is True and not flags,
        temperature=temperature,
        temperature_unit=unit,
        temperature_typed=_line(mapping(entry.get("temperature")).get("typed"))[:40],
        medicine=_medicine(text(entry.get("fever_medicine"))),
        severities=severities,
        no_symptoms=entry.get("no_symptoms") is True and not any(severities.values()),
        weight=weight,
        weight_unit=weight_unit,
        systolic=systolic,
        diastolic=diastolic,
        stools=_whole(entry.get("stools_in_24_hours"), 0, MOST_STOOLS, _("number of bowel movements")),
        note=passage(_plain(entry.get("note")))[:LONGEST_NOTE],
    )


def _plain(value: Any) -> Any:
    """A number as the text it is after the page in between, so that both readings are the same."""
    return str(value) if isinstance(value, str) else value


def _line(value: Any) -> str:
    return text(_plain(value))


def _moment(written: str, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise EntryError(_("It does not say when it was felt.")) from None
    if at.tzinfo is None:
        raise EntryError(_("Its time has no zone."))
    if at > now:
        raise EntryError(_("Its time has not come yet."))
    if at < EARLIEST:
        raise EntryError(_("Its time is too long ago."))
    return at


def _known(code: str, codes: Collection[str]) -> str:
    if code not in codes:
        raise EntryError(_("It names a sign that is not known here: “%(code)s”.") % {"code": code[:40]})
    return code


def _flags(entry: Mapping[str, Any], codes: Mapping[str, bool]) -> tuple[str, ...]:
    asked = {code for code, is_flag in codes.items() if is_flag}
    found = (_known(text(mapping(flag).get("code")), asked) for flag in sequence(entry.get("red_flags")))
    return tuple(dict.fromkeys(found))


def _severities(entry: Mapping[str, Any], codes: Collection[str]) -> dict[str, int]:
    found = {}
    for symptom in map(mapping, sequence(entry.get("symptoms"))):
        severity = _whole(symptom.get("severity"), 0, 3, _("severity"))
        if severity is None:
            raise EntryError(_("A symptom in it has no severity."))
        found[_known(text(symptom.get("code")), codes)] = severity
    return found


def _medicine(said: str) -> str:
    if said and said not in CheckIn.Medicine.values:
        raise EntryError(_("What it says about a fever medicine is not known here."))
    return said


def _temperature(said: Mapping[str, Any]) -> tuple[Decimal | None, str]:
    return _measured(said, RANGES, _("temperature"))


def _weight(said: Mapping[str, Any]) -> tuple[Decimal | None, str]:
    return _measured(said, WEIGHTS, _("weight"))


def _measured(
    said: Mapping[str, Any], ranges: Mapping[str, tuple[Decimal, Decimal]], what: str
) -> tuple[Decimal | None, str]:
    """A number in its unit, as it was entered; (None, "") where nobody measured."""
    if said.get("value") is None:
        return None, ""
    written, unit = str(said["value"]), text(said.get("unit"))
    if unit not in ranges or not NUMBER.fullmatch(written):
        raise EntryError(_("Its %(what)s cannot be read.") % {"what": what})
    value, (low, high) = Decimal(written), ranges[unit]
    if not low <= value <= high:
        raise EntryError(_("Its %(what)s is outside of what is possible.") % {"what": what})
    return value, unit


def _pressure(said: Mapping[str, Any]) -> tuple[int | None, int | None]:
    words = _("blood pressure")
    high, low = (_whole(said.get(name), *PRESSURES[name], words) for name in ("systolic", "diastolic"))
    if (high is None) != (low is None) or (high is not None and low is not None and high <= low):
        raise EntryError(_("Its %(what)s cannot be read.") % {"what": words})
    return high, low


def _whole(value: Any, low: int, high: int, what: str) -> int | None:
    if value is None:
        return None
    written = str(value)
    if isinstance(value, bool) or not (written.isascii() and written.isdecimal() and len(written) <= 4):
        raise EntryError(_("Its %(what)s cannot be read.") % {"what": what})
    if not low <= int(written) <= high:
        raise EntryError(_("Its %(what)s is outside of what is possible.") % {"what": what})
    return int(written)
