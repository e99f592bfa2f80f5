"""What the patient said last about how he or she felt, and whether a check-in is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from il2tracker import ui
from il2tracker.today import hardest
from il2tracker.today.board import Board
from sideeffects import asking, fever, handover
from sideeffects.cadence import Ask, asked
from sideeffects.models import CheckIn, DayOfReports, SymptomReport
from sideeffects.patterns import TAIL


@dataclass(frozen=True)
class Felt:
    """`words`: the last check-in in a sentence, or "". `ask`: why one is asked for now. `fever`: the question about a
    reading over the limit, or "". `told`: what was said on the days of the courses that tell which days are hardest.
    """

    words: str
    ask: Ask | None
    fever: str
    told: Mapping[date, DayOfReports]


def read(board: Board, clock: str) -> Felt:
    """Three statements at most, and one more after a reading: over which limit it would be."""
    patient, newest = board.patient, check_ins(board)
    last = newest[0] if newest else None
    is_measured = any(each.reading for each in newest)
    version = asking.version_in_force(patient, board.today) if is_measured else None
    over = fever.newest_over(newest, version)
    now = board.now.astimezone(patient.zone)
    days = asking.course_days([board.courses.current, board.courses.coming], board.today)
    ask = asked(days, now, last.felt_on if last else None, over.felt_on if over else None)
    return Felt(
        words=said(last, board.today, clock) if last else "",
        ask=ask,
        fever=fever.words(over, board.today, clock) if over and ask is Ask.FEVER else "",
        told=_by_day(newest),
    )


def check_ins(board: Board) -> list[CheckIn]:
    """The newest check-in, the newest with a temperature, and those of the courses that tell which days are hardest,
    with their symptoms, the newest first: two statements."""
    rows, courses = CheckIn.objects.of(board.patient), hardest.measures(board)
    wanted = rows.newest_and_newest_measured()
    if courses:
        last_on = courses[0].last_dose_on + timedelta(days=TAIL)
        wanted = wanted | rows.felt_between(courses[-1].starts_on, last_on)
    return list(wanted.prefetch_related(Prefetch("reports", SymptomReport.objects.select_related("symptom"))))


def _by_day(check_ins: list[CheckIn]) -> dict[date, DayOfReports]:
    days: dict[date, DayOfReports] = {}
    for check_in in check_ins:
        days.setdefault(check_in.felt_on, DayOfReports(check_in.felt_on)).add(check_in)
    return days


def said(check_in: CheckIn, today: date, clock: str) -> str:
    """ "At 2:10pm you wrote: 38.3 °C, tired (moderate)."; with the day when it was not today."""
    parts = [str(check_in.reading)] if check_in.reading else []
    parts += handover.flag_words(check_in) if check_in.flags else []
    parts += handover.symptom_words(check_in)
    parts += [_("no other symptoms")] if check_in.no_symptoms else []
    parts += [handover.measured_words(check_in)] if handover.measured_words(check_in) else []
    parts += [_("a note")] if check_in.note else []
    at = check_in.local_felt_at
    facts = {
        "day": ui.long_day(at),
        "time": ui.clock(at, clock),
        "what": ", ".join(part[:1].lower() + part[1:] for part in parts) or _("none of the urgent signs"),
    }
    if at.date() == today:
        return _("Written today at %(time)s: %(what)s.") % facts
    return _("Written on %(day)s at %(time)s: %(what)s.") % facts
