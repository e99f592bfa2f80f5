"""What verdicts and values are called on pages. The rules themselves know no language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from cycles.advice import EarlyFinding, Progress
from labs import units
from labs.kept import Result
from labs.models import LabResult
from labs.trends import Judgement, Reason, Verdict

TAGS = {
    Verdict.RELIABLE: ("ok", "check"),
    Verdict.BASELINE: ("ok", "check"),
    Verdict.UNRELIABLE: ("soon", "clock"),
    Verdict.BORDERLINE: ("soon", "clock"),
    Verdict.UNKNOWN: ("soon", "clock"),
}


def long_day(on: date) -> str:
    """ "Wednesday 4 November 2026"."""
    return dateformat.format(on, "l j F Y")


def verdict_word(judgement: Judgement) -> str:
    """The word on the tag; nothing where timing does not matter."""
    return {
        Verdict.RELIABLE: _("reliable"),
        Verdict.BASELINE: _("before any injection"),
        Verdict.UNRELIABLE: _("too soon"),
        Verdict.BORDERLINE: _("a few days early"),
        Verdict.UNKNOWN: _("not known"),
        Verdict.NOT_APPLICABLE: "",
    }[judgement.verdict]


def reason(judgement: Judgement) -> str:
    """Why a result counts or not, as a phrase: "17 days after course 2"."""
    words = _reason(judgement)
    if judgement.unconfirmed:
        words += "; " + _("not confirmed, because an injection before it was not recorded")
    return words


def _reason(judgement: Judgement) -> str:
    fixed = {
        Reason.BEFORE_ANY: _("before any injection"),
        Reason.EARLIER_UNKNOWN: _("nobody has noted whether there was IL-2 before this diary"),
        Reason.BEFORE_EARLIER: _("before the last injection of an earlier treatment"),
        Reason.TIMING_OFF: _("on this plan the time of an injection does not matter for this test"),
        Reason.DURING: _("during course %(number)s") % {"number": judgement.course or ""},
    }
    if judgement.reason in fixed:
        return fixed[judgement.reason].strip()
    words = _days_after(judgement)
    if judgement.reason is Reason.FEW_DAYS_EARLY and judgement.reliable_from:
        words += "; " + _("counts from %(day)s") % {"day": dateformat.format(judgement.reliable_from, "j F")}
    return words


def _days_after(judgement: Judgement) -> str:
    days = judgement.days or 0
    if days == 0:
        return _("on the day of an injection")
    facts = {"days": days, "number": judgement.course}
    if judgement.course:
        one, more = "%(days)s day after course %(number)s", "%(days)s days after course %(number)s"
    else:
        one, more = "%(days)s day after the last injection", "%(days)s days after the last injection"
    return ngettext(one, more, days) % facts


def value(result: Result, *, unit: bool = False) -> str:
    """A result in its test's own unit: "612", "less than 20", "below 100 (file: 1.699)", "22,999 (file: 4.3617)"."""
    rule, written = result.analyte.rule, result.reading
    words = units.in_words(rule, units.in_own_unit(rule, written), unit=unit)
    if result.comparator == "<" and "<" not in result.raw and _is_number(result.raw):
        limit = units.figure(result.value or Decimal(0))
        return _("below %(limit)s (file: %(raw)s)") % {"limit": limit, "raw": result.raw}
    if result.unit == rule.canonical_unit or result.value is None:
        return words
    if result.batch_id:
        return _("%(value)s (file: %(raw)s)") % {"value": words, "raw": result.raw}
    return _("%(value)s (written: %(written)s)") % {"value": words, "written": units.in_words(rule, written)}


def short(result: Result) -> str:
    """A result beside its mark in a drawing: "612", "less than 20", "not detected"."""
    own = units.in_own_unit(result.analyte.rule, result.reading)
    if own.value is not None and own.detected is not None:
        own = replace(own, detected=None)
    return units.in_words(result.analyte.rule, own, unit=False)


def _is_number(raw: str) -> bool:
    return raw.replace(".", "", 1).isdigit()


def entered_by(result: Result, viewer_pk: int | None) -> str:
    """Who entered a result: "you", the clinic's member by name, or from which side."""
    person = result.entered_by
    if person is not None and person.pk == viewer_pk:
        return pgettext("entered by", "you")
    if person is None:
        return _("an import")
    if result.source == LabResult.Source.PATIENT:
        return _("the patient")
    return person.name


def change(amount: Decimal) -> str:
    """A difference: "190 higher", "35 lower", "the same"."""
    whole = amount.quantize(Decimal(1))
    if whole == 0:
        return _("the same as")
    text = _("%(amount)s higher than") if whole > 0 else _("%(amount)s lower than")
    return text % {"amount": units.figure(abs(whole))}


def no_clear_rise(found: EarlyFinding) -> str:
    """For clinicians, after six months at one dose and route without a rise; nothing else is ever said (D8, R20)."""
    if found.outcome is not Progress.NO_CLEAR_RISE:
        return ""
    return _("No clear rise after 6 months at this dose; review whether to go on. See the evidence.")


@dataclass(frozen=True)
class Version:
    """One version of a result: what it said, who wrote it, when."""

    what: str
    value: str
    on: date
    at: datetime
    by: str


def versions(result: LabResult, viewer_pk: int | None) -> list[Version]:
    """Every version of a result, the newest first; nothing is ever overwritten without a trace (H18)."""
    rows = result.history.select_related("history_user", "analyte").order_by("-history_date", "-history_id")
    return [_version(row, viewer_pk) for row in rows]


def _version(row: Any, viewer_pk: int | None) -> Version:
    old = row.instance
    what = _("added") if row.history_type == "+" else _("removed") if old.voided_at else _("changed")
    user = row.history_user
    by = "" if user is None else pgettext("entered by", "you") if user.pk == viewer_pk else user.name
    return Version(what, value(old), old.drawn_on, row.history_date.astimezone(old.patient.zone), by)
