"""What becomes of each reading of a file, compared with what is stored. One way for every format."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from cycles import schedule
from il2tracker.accounts.models import Patient
from labs import odd_values, units
from labs.files.candidates import OTHER, Line, Stage, Status
from labs.matching import Beside, Known, Match, Shelf, known
from labs.outcomes import HIDDEN, NOT_IN_PLAN, ODD, Outcome, taken
from labs.stock import Stock, without_timed_tests


class Draft(NamedTuple):
    """A reading whose owner and draw are known, before it is compared. `together` = the tests of its row."""

    line: Line
    patient: Patient
    identity: Known
    together: Collection[str]


@dataclass
class Comparison:
    """One pass over a file. `stock` = what is stored; `limits` = the numbers that may be limits (odd_values.number).

    `sure` = somebody said that the values that look odd are right; `beyond` = that tests without a part in a plan are
    meant. `todays` = each patient's today.
    """

    stock: Stock
    rules: Mapping[str, units.Rule]
    now: datetime
    limits: Collection[object] = ()
    sure: bool = False
    beyond: bool = False
    claimed: dict[int, Known] = field(default_factory=dict)
    todays: dict[int, date] = field(default_factory=dict)
    without: set[int] = field(default_factory=set)

    def bring(self, patients: Collection[int]) -> None:
        """Load what is stored of these patients, in a number of statements that does not grow with them."""
        new = set(patients) - self.stock.there
        self.stock.bring(patients)
        if new and not self.beyond:
            self.without |= without_timed_tests(new)

    def drafted(self, line: Line, patient: Patient, together: Collection[str]) -> Draft | Outcome:
        """The reading with its draw, or what stands against it already."""
        on, at = taken(line, patient)
        if line.status is Status.READY:
            if line.reading is None or on is None:
                return Outcome(line, Status.NOT_UNDERSTOOD.value, _("It has no value, or no day."), patient)
            if wrong := self._wrong_day(on, at, patient):
                return Outcome(line, Status.NEEDS_DATE.value, wrong, patient)
        identity = known(
            patient.id,
            self.rules[line.analyte],
            line.reading or _NO_READING,
            on or date.min,
            at,
            line.specimen,
            name=line.name,
            external_id=line.external_id,
            stage=line.stage,
            laboratory=line.laboratory,
            beside=Beside.of(line.printed_range, line.flag, line.note),
        )
        return Draft(line, patient, identity, together)

    def outcomes(self, drafts: Sequence[Draft | Outcome]) -> Iterator[Outcome]:
        """What becomes of some thousands of readings; the histories of what they may correct are loaded together."""
        shelf, known_now = self.stock.shelf, [draft for draft in drafts if isinstance(draft, Draft)]
        self.stock.versions.bring({key for draft in known_now for key in _correctable(draft, shelf)})
        for draft in drafts:
            if isinstance(draft, Outcome):
                yield draft
            elif draft.line.status is Status.READY:
                yield self._compared(draft, shelf)
            else:
                yield self._taken_back(draft, shelf)

    def _wrong_day(self, on: date, at: datetime | None, patient: Patient) -> str:
        """In words what cannot be right about the day; files of every format are asked the same."""
        today = self.todays.get(patient.id) or self.todays.setdefault(patient.id, patient.today(self.now))
        if on > today or (at is not None and at > self.now):
            return _("%(day)s has not come yet.") % {"day": on.isoformat()}
        if on < schedule.EARLIEST:
            return _("%(day)s is too long ago to be right.") % {"day": on.isoformat()}
        return ""

    def _compared(self, draft: Draft, shelf: Shelf) -> Outcome:
        line, patient, identity, _tests = draft
        match, meets = shelf.match(identity)
        if match is Match.CORRECTS and meets and self._stood_before(meets, identity):
            if identity.says_the_same(meets):
                return Outcome(line, Match.THERE.value, "", patient, meets, identity)
            words = _("This value stood there before, and was corrected since.")
            return Outcome(line, Match.OLDER.value, words, patient, meets, identity)
        if match is Match.THERE or match is Match.OLDER:
            return Outcome(line, match.value, _why_left(match, meets), patient, meets, identity)
        if asked := self._asked(draft, shelf):
            return Outcome(line, *asked, patient, None, identity)
        if match is Match.NEW:
            self.stock.add(identity)
            return Outcome(line, match.value, line.reason or _not_drawn(line), patient, None, identity)
        assert meets is not None
        return self._conflict(draft, meets) if match is Match.CONFLICT else self._corrects(draft, meets, shelf)

    def _stood_before(self, meets: Known, identity: Known) -> bool:
        """Whether it was corrected since; a value that becomes final stood there too, and is no older for it."""
        final = meets.stage is Stage.PRELIMINARY and identity.says_the_same(meets)
        return not final and self.stock.versions.stood_before(meets, identity)

    def _asked(self, draft: Draft, shelf: Shelf) -> tuple[str, str] | None:
        """What has to be said before this goes in: the state in a word, and the question."""
        line, rule = draft.line, self.rules[draft.line.analyte]
        if rule.timing_matters and line.analyte != OTHER and draft.patient.id in self.without and not self.beyond:
            return NOT_IN_PLAN, _("CD4+ and viral load are not part of this person’s plan. Is the right person chosen?")
        if self.sure:
            return None
        limit = rule.may_be_undetected and odd_values.number(line) in self.limits
        odd = odd_values.odd(line, rule, draft.identity, shelf, draft.together, may_be_limit=limit)
        return (ODD, odd) if odd else None

    def _corrects(self, draft: Draft, meets: Known, shelf: Shelf) -> Outcome:
        """A newer version of a stored result. What it does not say of the draw stays as it was said before."""
        line, patient, identity, _tests = draft
        same = identity.on == meets.on
        identity = identity._replace(
            key=meets.key,
            at=identity.at or (meets.at if same else None),
            specimen=identity.specimen or (meets.specimen if same else ""),
            external_id=identity.external_id or meets.external_id,
            laboratory=identity.laboratory or meets.laboratory,
            beside=identity.beside.over(meets.beside) if identity.says_the_same(meets) else identity.beside,
        )
        shelf.replace(meets, identity)
        self.stock.versions.replace(meets)
        return Outcome(line, Match.CORRECTS.value, self._what_changes(identity, meets), patient, meets, identity)

    def _what_changes(self, identity: Known, meets: Known) -> str:
        if identity.says_the_same(meets) and meets.stage is not Stage.PRELIMINARY:
            words = _("The value stays. The laboratory changes %(what)s; the old version stays in the history.")
            return words % {"what": ", ".join(_differs(identity, meets))}
        return _("It takes the place of %(value)s, which stays in the history.") % {"value": self._in_words(meets)}

    def _taken_back(self, draft: Draft, shelf: Shelf) -> Outcome:
        """A result that the laboratory withdrew or cancelled: the stored one is hidden, and kept."""
        line, patient, identity, _tests = draft
        there = shelf.called(identity)
        if there is None and line.status is Status.WITHDRAWN and identity.on != date.min:
            same = [o for o in shelf.meeting(identity) if line.reading is None or o.says_the_same(identity)]
            there = same[0] if len(same) == 1 else None
        if there is None or there.withdrawn:
            words = _("It is hidden here already.") if there else line.reason
            return Outcome(line, line.status.value, words, patient)
        shelf.replace(there, there._replace(withdrawn=True))
        words = _("%(why)s The result that is there, %(value)s, is hidden and kept.")
        said = {"why": line.reason, "value": self._in_words(there)}
        return Outcome(line, HIDDEN, words % said, patient, there, identity)

    def _conflict(self, draft: Draft, meets: Known) -> Outcome:
        """One row of the file may take the place of a stored result; the next that meets the same draw is left out."""
        line, patient, identity, _tests = draft
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


_NO_READING = units.Reading("=", None, "", None, "")


def _correctable(draft: Draft, shelf: Shelf) -> list[int]:
    """The stored results that the reading may correct, by primary key."""
    new, amends = draft.identity, draft.identity.stage is Stage.CORRECTED
    called = shelf.called(new)
    near = [*shelf.meeting(new), *([called] if called else [])]
    return [o.key for o in near if o.key and (not new.says_the_same(o) or (amends and new.says_more(o)))]


def _why_left(match: Match, meets: Known | None) -> str:
    if match is Match.THERE or meets is None:
        return ""
    if meets.withdrawn:
        return _("The laboratory took this result back. It stays hidden.")
    return _("A newer version of this result is there.")


def _differs(new: Known, old: Known) -> list[str]:
    """What a correction changes beside the value, in words."""
    names = (_("the range"), _("the mark"), _("the note"))
    found = [name for name, one, other in zip(names, new.beside, old.beside, strict=True) if one != other]
    return found + ([_("whether anything was found")] if new.detected not in (None, old.detected) else [])


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
