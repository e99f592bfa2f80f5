"""Answers before a course that need a person, and starts that wait for the clinic's word, for the clinic's list."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from cycles import questions
from cycles.models import ReadinessAnswer
from cycles.reactions import Joined
from il2tracker import ui

if TYPE_CHECKING:
    from il2tracker.clinic.worklist import Seen

NAMES = {"viral_load": "Viral load is up", **{question.code: question.name for question in questions.HAZARDS}}
ASKED_FOR_BEFORE = timedelta(days=7)  # app's own: from then on a start without the clinic's word stands on the list
NAMED = 3


def answers_to_look_at() -> Subquery:
    """For rows of courses: the questions answered with yes or not sure that nobody of the clinic has seen with a
    confirmed start; None where there is none."""
    seen = Q(readiness__confirmed_for=F("readiness__cycle__starts_on"), answered_at__lte=F("readiness__confirmed_at"))
    rows = ReadinessAnswer.objects.filter(
        readiness__cycle=OuterRef("pk"), answer__in=[questions.YES, questions.UNSURE], question__in=list(NAMES)
    )
    found = rows.exclude(seen).order_by().values("readiness__cycle").annotate(codes=Joined("question"))
    return Subquery(found.values("codes"))


def course_to_look_at(current: Seen | None, coming: Seen | None, today: date) -> Seen | None:
    """The course about which a person has to decide: the running one first, then the one that starts soon."""
    running = current if current and today <= current.cycle.last_dose_on else None
    soon = coming if coming and questions.opens_on(coming.cycle.starts_on) <= today else None
    return next((seen for seen in (running, soon) if seen and _waits(seen, today)), None)


def _waits(seen: Seen, today: date) -> bool:
    if seen.cycle.stopped_on is not None:
        return False
    near = seen.cycle.starts_on - today <= ASKED_FOR_BEFORE
    return bool(seen.looks) or (seen.is_unconfirmed and (near or seen.sent_at is not None))


def looks_in_words(codes: str) -> str:
    """ "Readiness answers need a person: infection, low mood", in the order in which they are asked."""
    found = codes.split(",")
    names = [_(name) for code, name in NAMES.items() if code in found]
    more = _(" and %(n)s more") % {"n": len(names) - NAMED} if len(names) > NAMED else ""
    said = ", ".join(name[0].lower() + name[1:] for name in names[:NAMED])
    return _("Readiness answers need a person: %(what)s") % {"what": said + more}


def detail(seen: Seen, today: date) -> str:
    """Which course, when, and what the reminders do meanwhile."""
    facts = {"number": seen.cycle.number, "when": ui.ago(seen.cycle.starts_on, today)}
    words = [_("Course %(number)s, %(when)s.") % facts]
    if seen.is_unconfirmed and seen.looks:
        words.append(_("Start not confirmed."))
    if not seen.looks:
        words.append(_("Answers are sent.") if seen.sent_at else _("The questions are not sent yet."))
    if seen.is_unconfirmed:
        words.append(_("No reminder to inject leaves until it is."))
    return " ".join(words)
