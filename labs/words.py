"""What verdicts and values are called on pages. The rules themselves know no language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from cycles import schedule
from cycles.advice import EarlyFinding, Progress
from il2tracker.accounts.models import User
from labs import units
from labs.files.candidates import OTHER
from labs.kept import Result
from labs.models import LabResult
from labs.trends import TOO_SOON, Judgement, Reason, Verdict

TAGS = {
    Verdict.RELIABLE: ("ok", "check"),
    Verdict.BASELINE: ("ok", "check"),
    Verdict.UNRELIABLE: ("soon", "clock"),
    Verdict.BORDERLINE: ("soon", "clock"),
    Verdict.UNKNOWN: ("soon", "clock"),
}


GROUPS = {
    "immune": gettext_lazy("CD4+ and viral load"),
    "liver": gettext_lazy("Liver"),
    "kidney": gettext_lazy("Kidneys"),
    "salts": gettext_lazy("Salts and minerals"),
    "blood": gettext_lazy("Blood cells"),
    "thyroid": gettext_lazy("Thyroid"),
    "sugar": gettext_lazy("Sugar and lactate"),
}


def group(code: str) -> str:
    """What the tests of a group are about."""
    return str(GROUPS.get(code) or _("Other tests"))


def long_day(on: date) -> str:
    """ "Wednesday 4 November 2026"."""
    return dateformat.format(on, "l j F Y")


def verdict_word(judgement: Judgement) -> str:
    """The word on the tag; nothing where timing does not matter."""
    if judgement.reason is Reason.PRELIMINARY:
        return _("preliminary")
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
        Reason.PRELIMINARY: _("the laboratory has not finished it; it counts when it is final"),
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


def too_soon(judgement: Judgement, *, typed: bool, running_until: date | None = None) -> str:
    """Beneath CD4+: that blood of this day is too soon, with the dates (2.3); "" when it is not.

    `typed` False = nobody has said a day yet, and the judgement is about today. `running_until`: the planned end of the
    course in which the last injection was; only its end decides from when a test counts.
    """
    if judgement.verdict not in TOO_SOON or judgement.last_dose_on is None or judgement.reliable_from is None:
        return ""
    if running_until is not None:
        return _during(judgement, running_until, typed=typed)
    dates = {"last": long_day(judgement.last_dose_on), "from": long_day(judgement.reliable_from)}
    if not typed:
        return _("After the last injection, on %(last)s, a test counts from %(from)s. Before, it is too soon.") % dates
    why = {"reason": _reason(judgement), "word": verdict_word(judgement)} | dates
    return _(
        "%(reason)s: %(word)s to count. The last injection was on %(last)s, a test counts from %(from)s. "
        "We keep it, and leave it off the line."
    ) % (why | {"reason": why["reason"][:1].upper() + why["reason"][1:]})


def _during(judgement: Judgement, ends: date, *, typed: bool) -> str:
    dates = {"last": long_day(ends), "from": long_day(schedule.reliable_from(ends))}
    said = (
        _("If the course that runs now ends on %(last)s, a test counts from %(from)s. Before, it is too soon.") % dates
    )
    why = _reason(judgement)
    return said if not typed else f"{why[:1].upper()}{why[1:]}: {verdict_word(judgement)}. {said}"


def name(result: Result) -> str:
    """What a test is called: one outside the catalogue as its report calls it."""
    printed = getattr(result, "test_name", "") if result.analyte.code == OTHER else ""
    return printed or result.analyte.name


def as_written(result: Result) -> str:
    """A result in the unit of its report, or in the report's words: "97 µmol/L", "less than 5 mg/L", "no growth"."""
    return units.in_words(result.analyte.rule, result.reading)


def name_and_value(result: LabResult) -> str:
    """ "CD4+ count 612 cells/mm³", "Creatinine 97 µmol/L"."""
    said = value(result, unit=True) if result.analyte.timing_matters else as_written(result)
    return f"{name(result)} {said}"


def value(result: Result, *, unit: bool = False) -> str:
    """A result in its test's own unit: "612", "less than 20", "below 100 (file: 1.699)", "22,999 (file: 4.3617)".

    Words of the laboratory, and a number whose unit is not known, stay as they were printed.
    """
    if not unit and is_plain(result):
        return _plain(result)
    rule, written = result.analyte.rule, result.reading
    if not result.unit:
        return units.in_words(rule, written)
    words = units.in_words(rule, units.in_own_unit(rule, written), unit=unit)
    if result.comparator == "<" and "<" not in result.raw and _is_number(result.raw):
        limit = units.figure(result.value or Decimal(0))
        return _("below %(limit)s (file: %(raw)s)") % {"limit": limit, "raw": result.raw}
    if result.unit == rule.canonical_unit or result.value is None:
        return words
    if result.batch_id:
        return _("%(value)s (file: %(raw)s)") % {"value": words, "raw": result.raw}
    return _("%(value)s (written: %(written)s)") % {"value": words, "written": units.in_words(rule, written)}


def is_plain(result: Result) -> bool:
    """Whether it is a number in its test's own unit and nothing else: most of a long history, said without detours."""
    if result.value is None or result.detected is not None or result.text:
        return False
    own = result.unit == result.analyte.rule.canonical_unit
    return own and (result.comparator == "=" or (result.comparator == "<" and "<" in result.raw))


def _plain(result: Result) -> str:
    return units.LEADS.get(result.comparator, "") + units.figure(result.value or Decimal(0))


def short(result: Result) -> str:
    """A result beside its mark in a drawing: "612", "less than 20", "not detected"."""
    if is_plain(result):
        return _plain(result)
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
    return str(person.name)


def person(who: User | None, viewer_pk: int | None) -> str:
    """A person who did something: "you", or the name; "" where nobody is known any more."""
    if who is None:
        return ""
    return pgettext("entered by", "you") if who.pk == viewer_pk else who.name


def changed_by(result: LabResult, version: Any, viewer_pk: int | None) -> str:
    """Who changed what somebody else had entered, and when: "changed by the patient on 21 November 2026"."""
    who = person(version.history_user, viewer_pk)
    if version.history_user_id == result.patient.user_id != viewer_pk:
        who = _("the patient")
    on = version.history_date.astimezone(result.patient.zone).date()
    return _("changed by %(who)s on %(day)s") % {"who": who, "day": dateformat.format(on, "j F Y")}


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
    """One version of a result: what it said, who wrote it, when and why."""

    what: str
    value: str
    on: date
    at: datetime
    by: str
    reason: str = ""
    printed_range: str = ""
    note: str = ""


def versions(result: LabResult, viewer_pk: int | None) -> list[Version]:
    """Every version of a result, the newest first; nothing is ever overwritten without a trace (H18)."""
    rows = result.history.select_related("history_user").order_by("-history_date", "-history_id")
    newest = list(rows)
    return [_version(row, old, result, viewer_pk) for row, old in zip(newest, [*newest[1:], None], strict=True)]


def _version(row: Any, old: Any, result: LabResult, viewer_pk: int | None) -> Version:
    then = row.instance
    then.analyte, then.patient = result.analyte, result.patient
    return Version(
        what=_step(row, old),
        value=value(then) if then.analyte.timing_matters else as_written(then),
        on=then.drawn_on,
        at=row.history_date.astimezone(result.patient.zone),
        by=person(row.history_user, viewer_pk),
        reason=row.history_change_reason or "",
        printed_range=then.printed_range,
        note=then.note if old is None or then.note != old.note else "",
    )


def _step(row: Any, old: Any) -> str:
    if row.history_type == "+":
        return _("added")
    if bool(row.voided_at) != bool(old is not None and old.voided_at):
        return _("taken out as entered in error") if row.voided_at else _("put back")
    return _("changed")
