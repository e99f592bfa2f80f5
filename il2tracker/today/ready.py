"""Before a course on one page: what was answered, what the diary itself knows, what needs a person (2.11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles import asking, confirming, preparation, questions
from cycles.asking import Asked, ToDo
from cycles.models import Cycle
from il2tracker import ui
from il2tracker.accounts import access
from il2tracker.accounts.models import Clinic, Patient
from labs import course_tests, facts, loads
from labs.facts import CD4, VIRAL_LOAD

SAID_NEAR = 1  # days before day 1 from which a start without the clinic's word is said aloud (R12)


@dataclass(frozen=True)
class Known:
    """Something the diary knows by itself. `needs_a_person` in words of the questions; `code` as it is kept."""

    code: str
    name: str
    words: str
    needs_a_person: bool


@dataclass(frozen=True)
class Page:
    """What the template reads. `asked` is None when no course is planned."""

    patient: Patient
    today: date
    clinic: Clinic | None
    asks_clinic: bool
    asked: Asked | None
    todo: ToDo | None
    known: list[Known]

    @property
    def cycle(self) -> Cycle | None:
        """The course to get ready for."""
        return self.asked.cycle if self.asked else None

    @property
    def look(self) -> list[Known]:
        """What the diary knows and a person needs to look at."""
        return [each for each in self.known if each.needs_a_person]

    @property
    def settled(self) -> list[Known]:
        """What the diary knows and nobody needs to look at for it."""
        return [each for each in self.known if not each.needs_a_person]

    @property
    def count(self) -> int:
        """How many things need a person."""
        return len(self.look) + (len(self.asked.look) if self.asked else 0)

    @property
    def outcome(self) -> str:
        """Never more than what there is to look at: nobody is cleared by a page (ux 2.8)."""
        if not self.count:
            return ""
        if self.clinic:
            words = ngettext(
                "Your clinic needs to look at %(n)s thing before you start.",
                "Your clinic needs to look at %(n)s things before you start.",
                self.count,
            )
        else:
            words = ngettext(
                "Speak with your care team about %(n)s thing before you start.",
                "Speak with your care team about %(n)s things before you start.",
                self.count,
            )
        return words % {"n": self.count}

    @property
    def is_near(self) -> bool:
        """Whether day 1 is tomorrow or has come."""
        return self.cycle is not None and (self.cycle.starts_on - self.today).days <= SAID_NEAR

    @property
    def may_confirm(self) -> bool:
        """Whether there is something to confirm: not on hold, and not confirmed yet."""
        return self.asked is not None and self.asked.cycle.goes_ahead and not self.asked.is_confirmed


def compose(patient: Patient, cycles: QuerySet[Cycle], now: datetime) -> Page:
    """The page about the next of these courses of the patient, in a fixed number of statements."""
    today = patient.today(now)
    cycle = confirming.next_course(cycles.annotate(**course_tests.facts(today)), today)  # type: ignore[arg-type]
    return Page(
        patient=patient,
        today=today,
        clinic=access.open_clinic(patient),
        asks_clinic=confirming.is_asked_of(patient),
        asked=asking.read(cycle, patient, today) if cycle else None,
        todo=asking.to_do(cycle) if cycle else None,
        known=known(cycle, patient, now) if cycle else [],
    )


def known(cycle: Cycle, patient: Patient, now: datetime) -> list[Known]:
    """Results and viral load as plain facts; nothing on plans for which they do not matter."""
    if not cycle.version.timing_matters:
        return []
    return [_results(cycle, patient), *_viral_load(patient, now), *_companion(cycle, patient)]


def _results(cycle: Cycle, patient: Patient) -> Known:
    """P66, R17: reported and reliable, best with the results in hand before day 1."""
    names = {CD4: "CD4+", VIRAL_LOAD: _("viral load")}
    lacking = [names[code] for code in course_tests.lacking(cycle, patient)]
    words = _("Not in yet, or taken too soon: %(tests)s") % {"tests": _(" and ").join(lacking)}
    return Known("results", _("Blood results"), words if lacking else _("Reported, and they count"), bool(lacking))


def _viral_load(patient: Patient, now: datetime) -> list[Known]:
    """P20, W8, P67: detectable is only said; a rise needs a person."""
    record = facts.load([patient], now, facts.SERIES)[patient.pk]
    points = record.series(VIRAL_LOAD)
    if not points:
        return []
    newest = max(points, key=lambda point: point.on)
    rises = loads.is_rising(points)
    said = {"value": record.label(newest), "day": ui.long_day(newest.on)}
    words = _("Up: %(value)s on %(day)s") if rises else _("%(value)s on %(day)s")
    return [Known("viral_load", _("Viral load"), words % said, rises)]


def _companion(cycle: Cycle, patient: Patient) -> list[Known]:
    """P36: in the first course somebody stays overnight."""
    if cycle.number > 1 or not patient.companion_name:
        return []
    return [Known("companion", _("Who stays"), patient.companion_name, needs_a_person=False)]


def to_keep(page: Page) -> dict[str, str]:
    """The diary's own facts as they are kept beside the answers that are sent."""
    return {each.code: questions.YES if each.needs_a_person else questions.NO for each in page.known}


def is_time_to_get_ready(cycle: Cycle | None, today: date) -> bool:
    """Whether Today shows what is still to do before this course."""
    return cycle is not None and cycle.goes_ahead and preparation.is_time(cycle.starts_on, today)
