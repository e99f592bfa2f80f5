"""The week in short for one member of a clinic: codes, kinds of reason and ages, nothing else (ux 3.2 #9).

It leaves by mail, so its words say nothing of names, drugs, diseases, tests or values; and it opens nobody's record:
whoever wants to know more follows the link, and that is written down as ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from il2tracker import ui
from il2tracker.accounts.models import Clinic, Patient, Sharing, User
from il2tracker.clinic import suggestions
from il2tracker.clinic.panel import Listed
from il2tracker.clinic.worklist import Facts, Rank, Reason, gather, reasons

MOST = 25  # lines of one list; the panel has them all
DAY = "l j F"
REASONS = {
    Rank.UNANSWERED: gettext_lazy("urgent report, nobody answered"),
    Rank.URGENT: gettext_lazy("urgent report"),
    Rank.DOSES: gettext_lazy("items not recorded"),
    Rank.OUTSIDE: gettext_lazy("something to look at"),
    Rank.READINESS: gettext_lazy("waits for your word"),
    Rank.RESULTS: gettext_lazy("something missing"),
    Rank.CHANGED: gettext_lazy("something was changed"),
    Rank.IN_HAND: gettext_lazy("in hand, not closed"),
    Rank.QUIET: gettext_lazy("quiet"),
}


def read(user: User, clinic_ref: str, now: datetime) -> dict[str, Any]:
    """What the weekly mail says about the clinic's patients, in a number of statements that does not depend on them."""
    clinic = Clinic.objects.get(ref=clinic_ref)
    listed = _listed(user, clinic, now)
    waiting = suggestions.waiting(user, now, among=[one.facts.patient.pk for one in listed])
    acts = [one for one in listed if one.first.rank < Rank.NOTHING]
    missing = [one for one in listed if _has(one, Rank.RESULTS)]
    parts = [
        (_("Needs action:"), [_action(one, now) for one in acts]),
        (_("Starting in 14 days:"), [_start(one.facts, one.reasons) for one in listed if one.facts.starts_soon]),
        (_("Something missing before a start:"), [one.facts.patient.code for one in missing]),
        (_("Suggestions to look at:"), _once(each.known.patient.code for each in waiting)),
        (_("Quiet:"), [one.facts.patient.code for one in listed if _has(one, Rank.QUIET)]),
    ]
    return {
        "clinic": clinic.name,
        "act": len(acts),
        "running": sum(one.facts.in_course for one in listed),
        "missing": len(missing),
        "parts": [(heading, _cut(lines)) for heading, lines in parts if lines],
        "is_empty": not any(lines for _heading, lines in parts),
    }


def _listed(user: User, clinic: Clinic, now: datetime) -> list[Listed]:
    """The clinic's patients in the order of the panel; nobody is his own clinician."""
    shared = Sharing.objects.open().filter(clinic=clinic).values("patient")
    patients = Patient.objects.visible_to(user).of_clinics(user).filter(pk__in=shared).exclude(user=user)
    found = (Listed(facts, reasons(facts, now, user.clock)) for facts in gather(patients, now))
    return sorted(found, key=lambda one: one.key)


def _has(one: Listed, rank: Rank) -> bool:
    return any(reason.rank == rank for reason in one.reasons)


def _action(one: Listed, now: datetime) -> str:
    """ "7KQM: urgent report, 35 minutes ago"."""
    known, why = one.facts, one.first
    facts = {"code": known.patient.code, "why": _class(why), "age": _age(why, known, now)}
    return _("%(code)s: %(why)s, %(age)s") % facts


def _class(why: Reason) -> str:
    if why.is_hold:
        return _("on hold")
    return _("a report to call about") if why.alert and why.rank == Rank.DOSES else str(REASONS[why.rank])


def _age(why: Reason, known: Facts, now: datetime) -> str:
    """How long ago it began; of what is about a start, how far that start is."""
    if "T" in why.since:
        return ui.ago(datetime.fromisoformat(why.since), now)
    return _("start %(when)s") % {"when": ui.ago(date.fromisoformat(why.since), known.today)}


def _start(known: Facts, found: Iterable[Reason]) -> str:
    assert known.coming is not None
    waits = known.coming.is_unconfirmed or any(why.rank in {Rank.READINESS, Rank.RESULTS} for why in found)
    day = dateformat.format(known.coming.cycle.starts_on, DAY)
    facts = {"code": known.patient.code, "day": day, "ready": _("not ready") if waits else _("ready")}
    return _("%(code)s: %(day)s, %(ready)s") % facts


def _once(codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(codes))


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - MOST
    if more <= 0:
        return lines
    return [*lines[:MOST], ngettext("and %(n)s more on the panel", "and %(n)s more on the panel", more) % {"n": more}]
