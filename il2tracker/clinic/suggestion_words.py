"""What suggestions are called on the clinician's pages: options with their reasons, never an instruction (domain 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles import advice
from cycles.advice import Dose, DoseFinding
from cycles.intervals import IntervalFinding, Outcome
from cycles.models import AdviceDecision, Cycle
from il2tracker import ui
from il2tracker.clinic import words
from il2tracker.clinic.suggestion_facts import HIGH_LOAD, Known
from il2tracker.clinic.suggestions import AFTER, FROM, Suggestion
from labs import words as labs
from labs.kept import Result
from labs.models import LabResult


@dataclass(frozen=True)
class Card:
    """One suggestion, or why there is none, as a template reads it."""

    suggestion: Suggestion
    sentence: str
    because: list[str]
    rule_text: str
    unknown: list[str]
    stands_against: list[str]

    @property
    def source(self) -> str:
        """Where the rule stands: "Project Inform, IL-2 in HIV, 2007 (lines A95, A128)"."""
        return _("Project Inform, IL-2 in HIV, 2007 (lines %(lines)s)") % {"lines": self.suggestion.rule.lines}

    @property
    def rule_name(self) -> str:
        """ "Rule INT-1, version 1"."""
        rule = self.suggestion.rule
        return _("Rule %(id)s, version %(version)s") % {"id": rule.id, "version": rule.version}

    @property
    def is_about_dose(self) -> bool:
        """Whether it is the dose, not the interval."""
        return isinstance(self.suggestion.finding, DoseFinding)

    @property
    def initials(self) -> str:
        """What stands in lists instead of the name."""
        return words.initials(self.suggestion.known.patient)

    @property
    def decisions(self) -> list[AdviceDecision]:
        """What was decided about this rule, the newest first; also about other inputs."""
        rows = (row for row in self.suggestion.known.decisions if row.rule == self.suggestion.rule.id)
        return sorted(rows, key=lambda row: (row.decided_at, row.pk), reverse=True)

    @property
    def begins(self) -> list[tuple[str, str]]:
        """From when a longer interval can apply, with the days of the courses; [] where that is not asked (D7)."""
        return first_days(self.suggestion)


def card(suggestion: Suggestion) -> Card:
    """The words of a suggestion."""
    finding, known = suggestion.finding, suggestion.known
    against = stands_against(known)
    if isinstance(finding, IntervalFinding):
        said = _interval_asks(finding) if finding.asks else _interval_status(finding, against)
        return Card(
            suggestion, said, _readings(finding, known), _interval_rule(known), _interval_unknown(known), against
        )
    said = _dose_asks(finding, known) if finding.asks else _dose_status(finding, known, against)
    return Card(suggestion, said, _reports(finding, known), _dose_rule(), _dose_unknown(finding), against)


def stands_against(known: Known) -> list[str]:
    """What is held now, in words."""
    reasons = ", ".join(hold.words for hold in known.open_holds)
    return [
        *(_on_hold(cycle, reasons or cycle.reason) for cycle in known.on_hold),
        *([_("on hold (%(reason)s)") % {"reason": reasons}] if reasons and not known.on_hold else []),
        *(_("open alert: %(what)s") % {"what": alert.title} for alert in known.open_alerts),
        *_load(known),
    ]


def _load(known: Known) -> list[str]:
    """What the viral load says against a suggestion: it rises, it was not found before, it is high (P20, P67)."""
    high = _("the newest viral load is high, %(line)s copies/mL or more (this diary’s own line)")
    said = {
        _("the newest viral load is higher than noise explains (P67)"): known.load_rises,
        _("the newest viral load was found, an earlier one was not (P20)"): known.load_is_back and not known.load_rises,
        high % {"line": ui.number(HIGH_LOAD)}: known.load_is_high,
    }
    return [words for words, holds in said.items() if holds]


def _on_hold(cycle: Cycle, reason: str) -> str:
    return _("course %(number)s (%(reason)s)") % {"number": cycle.number, "reason": reason}


def span(days: int) -> str:
    """ "12 weeks", or "75 days"."""
    if days % 7:
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
    return ngettext("%(n)s week", "%(n)s weeks", days // 7) % {"n": days // 7}


def first_days(suggestion: Suggestion) -> list[tuple[str, str]]:
    """The two places where a longer interval can begin: after the coming course, or before it (D7)."""
    finding, known, coming = suggestion.finding, suggestion.known, suggestion.known.coming
    if not isinstance(finding, IntervalFinding) or finding.proposed is None or coming is None:
        return []
    longer = timedelta(days=finding.proposed)
    facts = {
        "course": coming.number,
        "next": coming.number + 1,
        "day": ui.long_day(coming.starts_on),
        "after": ui.long_day(coming.starts_on + longer),
    }
    places = [
        (AFTER, _("After the coming course: course %(course)s stays on %(day)s, course %(next)s on %(after)s") % facts)
    ]
    before = [
        cycle for cycle in known.record.cycles if cycle.plan_id == coming.plan_id and cycle.number < coming.number
    ]
    moved = max(before, key=lambda cycle: cycle.number).starts_on + longer if before else coming.starts_on
    if moved > coming.starts_on:
        facts["moved"] = ui.long_day(moved)
        words = _("From the coming course on: course %(course)s moves from %(day)s to %(moved)s")
        places.append((FROM, words % facts))
    return places


# The interval


def _interval_asks(finding: IntervalFinding) -> str:
    facts = {"new": span(finding.proposed or 0), "old": span(finding.interval or 0)}
    return _(
        "Meets the published rule for a longer interval. "
        "Consider %(new)s from course to course instead of %(old)s; you decide."
    ) % facts  # fmt: skip


def _interval_status(finding: IntervalFinding, against: list[str]) -> str:
    facts = {"course": finding.course, "count": finding.count, "needed": finding.needed, "what": "; ".join(against)}
    return {
        Outcome.NOT_COVERED: _("The published rule is about courses under the skin for HIV, every 8 weeks at first."),
        Outcome.HOLD: _("Nothing is suggested while something is held: %(what)s."),
        Outcome.RUNNING: _("A course is running. The rule is read between courses."),
        Outcome.NO_COURSE: _("No course has been given yet."),
        Outcome.NO_GOAL: _("The plan has no CD4+ goal."),
        Outcome.NO_BASELINE: _("The goal counts from a baseline, and no count from before course 1 is on record."),
        Outcome.CHANGED: _("The plan has another interval already from the coming course on."),
        Outcome.NEEDS_READING: _("Needs a reliable CD4+ count after course %(course)s."),
        Outcome.AT_OR_BELOW: _("The newest reliable CD4+ count is at or below the goal."),
        Outcome.REVIEW_INTERVAL: _("The newest reliable CD4+ count is at or below the goal: review the interval."),
        Outcome.NOT_EVERY: _("Not every reading after course %(course)s is above the goal."),
        Outcome.NOT_SUSTAINED: _("High, not yet sustained: %(count)s of %(needed)s courses in a row."),
        Outcome.COUNTING: _("%(count)s of %(needed)s cycles at this interval."),
        Outcome.GAP_UNKNOWN: _("No reliable CD4+ count after course %(course)s; missing evidence is not a high count."),
        Outcome.GAP_NOT_HIGH: _("A reading after course %(course)s is at or below the goal."),
    }[finding.outcome] % facts


def _readings(finding: IntervalFinding, known: Known) -> list[str]:
    rows = {result.ref: (result, judgement) for result, judgement in known.judged}
    used = [rows[reading.key] for reading in finding.inputs]
    lines = [_reading(result, labs.reason(judgement)) for result, judgement in used]
    if lines and known.record.goal is not None:
        lines.append(_("goal of the plan: above %(goal)s") % {"goal": ui.number(known.record.goal)})
    return lines


def _reading(result: Result, why: str) -> str:
    facts = {"value": labs.value(result), "day": ui.long_day(result.drawn_on), "why": why}
    line = _("CD4+ %(value)s, %(day)s, %(why)s") % facts
    return f"{line}, {_('entered by the patient')}" if result.source == LabResult.Source.PATIENT else line


def _interval_rule(known: Known) -> str:
    return _(
        "When the CD4+ count is above the goal and stays there, eight weeks between courses may become twelve. After "
        "three more courses that stay above it, four weeks more, and so on. The source gives no number for “stays”: "
        "here it is %(n)s courses in a row."
    ) % {"n": known.switches.sustained}  # fmt: skip


def _interval_unknown(known: Known) -> list[str]:
    lines = [
        _("Infections and medicines that nobody entered."),
        _("CD4+ percentage and side effects: the rule does not weigh them. A viral load counts if high or rising."),
    ]
    missing = len(known.record.unlogged)
    if missing:
        said = ngettext(
            "%(n)s injection is not recorded; it counts as given.",
            "%(n)s injections are not recorded; they count as given.",
            missing,
        )
        lines.append(said % {"n": missing})
    return lines


# The dose


def _dose_asks(finding: DoseFinding, known: Known) -> str:
    course, down = finding.course, finding.lower
    assert course is not None
    facts = {"course": course.number, "old": ui.miu(course.daily)}
    if finding.outcome is Dose.REVIEW:
        return _("Course %(course)s had an urgent report: review before any further dose. You decide.") % facts
    if down is None:
        return _(
            "Meets the published rule for a lower dose, but %(old)s a day is the lowest step. "
            "Consider talking about whether to go on; you decide."
        ) % facts  # fmt: skip
    facts |= {"new": ui.miu(down.daily), "each": _each(finding)}
    if known.coming:
        facts |= {"from": _("course %(number)s") % {"number": known.coming.number}}
        return _(
            "Meets the published rule for a lower dose. "
            "Consider %(new)s a day%(each)s instead of %(old)s, from %(from)s; you decide."
        ) % facts  # fmt: skip
    return _(
        "Meets the published rule for a lower dose. Consider %(new)s a day%(each)s instead of %(old)s; you decide."
    ) % facts  # fmt: skip


def _each(finding: DoseFinding) -> str:
    down = finding.lower
    if down is None or down.per_injection is None or finding.course is None or finding.course.doses_a_day == 1:
        return ""
    facts = {"amount": ui.number(down.per_injection), "times": finding.course.doses_a_day}
    return " " + _("(%(times)s × %(amount)s)") % facts


def _dose_status(finding: DoseFinding, known: Known, against: list[str]) -> str:
    facts = {"course": finding.course.number if finding.course else "", "what": "; ".join(against)}
    said = {
        Dose.NOT_COVERED: _("The source names no step for a plan like this one."),
        Dose.HOLD: _("Nothing is suggested while something is held: %(what)s."),
        Dose.RUNNING: _("A course is running. A step applies from the next course only."),
        Dose.NO_COURSE: _("No course has been given yet."),
        Dose.NOT_DIFFICULT: _("Nothing severe was reported in course %(course)s."),
        Dose.CHANGED: _("The coming course has a lower dose already."),
    }[finding.outcome] % facts
    last = known.last_given
    if finding.outcome is Dose.NOT_DIFFICULT and last and last.state == Cycle.State.STOPPED_EARLY:
        reason = {"reason": last.reason or _("no reason given")}
        said += " " + _("It was stopped early (“%(reason)s”); whether for side effects, only you can tell.") % reason
    return said


def _reports(finding: DoseFinding, known: Known) -> list[str]:
    last = known.last_given
    if not finding.asks or last is None or finding.course is None:
        return []
    facts = {"course": last.number, "day": ui.long_day(last.starts_on), "amount": ui.miu(finding.course.daily)}
    lines = [_("course %(course)s from %(day)s: %(amount)s a day") % facts]
    lines += [_("“%(what)s”, severe, %(day)s") % {"what": s.word, "day": ui.long_day(s.on)} for s in known.severe]
    if finding.course.stopped and last.stopped_on:
        stop = {"day": ui.long_day(last.stopped_on), "reason": last.reason or _("no reason given")}
        lines.append(_("stopped early, last day %(day)s: %(reason)s") % stop)
    return lines + [_red(what, on) for what, on in _reds(known, last)]


def _reds(known: Known, course: Cycle) -> list[tuple[str, date]]:
    first, last = known.during(course)
    zone = known.patient.zone
    days = ((alert.title, alert.raised_at.astimezone(zone).date()) for alert in known.alerts if alert.is_urgent)
    return [(title, on) for title, on in days if first <= on <= last]


def _red(what: str, on: date) -> str:
    return _("urgent report: %(what)s, %(day)s") % {"what": what, "day": ui.long_day(on)}


def _dose_rule() -> str:
    return _(
        "After a course that was very difficult, the next one may be given with 3 million units a day less: 15, 12, 9 "
        "and so on. Never within a course, and never up again by a rule. This diary reads “very difficult” as a "
        "symptom called severe, or a course stopped for a symptom; after an urgent report it names no number."
    )


def _dose_unknown(finding: DoseFinding) -> list[str]:
    lines = [
        _("What caused it: the dose, another medicine, an infection, or injections without the medicine before them."),
        _("How severe it was by examination: the words are the patient’s own, not a CTCAE grade."),
    ]
    if finding.lower and finding.lower.is_below_studied:
        least = {"least": ui.miu(advice.LEAST_STUDIED)}
        lines.insert(0, _("Below %(least)s a day the source expects a smaller rise of the CD4+ count (P62).") % least)
    return lines
