"""A schedule in words: what is injected on which days, how often, how much in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cycles import schedule
from cycles.bounds import Outside
from cycles.day_runs import write_days
from cycles.models import SLOT_WORDS, PlanVersion
from il2tracker import ui

WEEKDAYS = [
    ("1", gettext_lazy("Monday")),
    ("2", gettext_lazy("Tuesday")),
    ("3", gettext_lazy("Wednesday")),
    ("4", gettext_lazy("Thursday")),
    ("5", gettext_lazy("Friday")),
    ("6", gettext_lazy("Saturday")),
    ("7", gettext_lazy("Sunday")),
]
MOST_LINES = 8


def weekdays(days: Sequence[int]) -> str:
    """ "Friday, Saturday and Sunday"."""
    return listed([str(WEEKDAYS[day - 1][1]) for day in days])


def listed(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}


def hours(minutes: int) -> Decimal:
    """90 minutes are 1.5 hours: two decimals tell every minute."""
    return round(Decimal(minutes) / 60, 2)


def interval(days: int) -> str:
    """ "every 8 weeks", "every 27 days"."""
    if days % 7 == 0:
        return ngettext("every week", "every %(n)s weeks", days // 7) % {"n": days // 7}
    return ngettext("every day", "every %(n)s days", days) % {"n": days}


def days(text: str) -> str:
    """ "1-5 8-12" → "1 to 5 and 8 to 12"; "1-26/3" → "every third day from 1 to 26"."""
    return listed([_run(run) for run in text.split()])


def _run(run: str) -> str:
    span, _slash, step = run.partition("/")
    first, _dash, last = span.partition("-")
    words = {"first": first, "last": last, "step": step}
    if not last:
        return first
    if not step:
        return _("%(first)s to %(last)s") % words
    if step == "2":
        return _("every second day from %(first)s to %(last)s") % words
    if step == "3":
        return _("every third day from %(first)s to %(last)s") % words
    if step == "7":
        return _("once a week from %(first)s to %(last)s") % words
    return _("every %(step)s days from %(first)s to %(last)s") % words


def day_numbers(numbers: Iterable[int]) -> str:
    """ "days 1 to 5"."""
    return _("days %(days)s") % {"days": days(write_days(sorted(numbers)))}


def goal(version: PlanVersion) -> str:
    """ "above 600 cells/mm³", "200 cells/mm³ above the baseline", "200 percent of the baseline"; empty without one."""
    if version.cd4_goal is None:
        return ""
    number, kind = {"n": version.cd4_goal}, PlanVersion.GoalKind
    return {
        kind.ABOVE: _("above %(n)s cells/mm³"),
        kind.RISE: _("more than %(n)s cells/mm³ above the baseline"),
        kind.PERCENT: _("above %(n)s percent of the baseline"),
    }[kind(version.goal_kind)] % number


def slots(names: Sequence[str]) -> str:
    """ "morning and evening"."""
    return listed([str(SLOT_WORDS[name]) for name in names])


def lines(phase: schedule.Phase, unit: str = schedule.MIU) -> list[str]:
    """Each line of a phase: "7.5 million units, morning and evening, on days 1 to 5"."""
    return [
        _("%(amount)s, %(slots)s, on days %(days)s")
        % {"amount": _amount(line["amount"], unit), "slots": slots(line["slots"]), "days": days(line["days"])}
        for line in phase.document()["doses"]
    ][:MOST_LINES]


def _amount(amount: str | None, unit: str) -> str:
    if amount is None:
        return _("an amount to be entered")
    if unit == schedule.MIU:
        return ui.miu(Decimal(amount))
    return f"{ui.number(amount)} {unit.replace('m2', 'm²')}"


def repeats(phase: schedule.Phase) -> str:
    """ "2 courses, every 8 weeks" or "every 8 weeks, until somebody ends the plan"."""
    often = interval(phase.cycle_days)
    if phase.repeat is None:
        return _("a course %(often)s, until somebody ends the plan") % {"often": often}
    if phase.repeat == 1:
        return _("one course of %(n)s days with its rest") % {"n": phase.cycle_days}
    return _("%(n)s courses, one %(often)s") % {"n": phase.repeat, "often": often}


def totals(phase: schedule.Phase) -> str:
    """ "15 million units a day, 75 million units a course in 10 injections"; empty while an amount is missing."""
    daily, course = phase.daily_total(), phase.course_total()
    if daily is None or course is None:
        return ""
    words = {"daily": ui.miu(daily), "course": ui.miu(course), "count": len(phase.doses)}
    if daily * len({dose.offset for dose in phase.doses}) == course:
        return _("%(daily)s a day, %(course)s a course in %(count)s injections") % words
    return _("%(daily)s a day at most, %(course)s a course in %(count)s injections") % words


def outside(found: Outside) -> str:
    """The interruption of an amount that nobody studied, with both numbers (W6, P62)."""
    words = {"amount": ui.miu(found.daily), "limit": ui.miu(found.limit)}
    if found.is_above:
        return _("%(amount)s a day is more than was studied: %(limit)s at most. If it is meant, say why.") % words
    return (
        _(
            "%(amount)s a day is less than was studied: %(limit)s at least. Lower amounts raised CD4+ less. "
            "If it is meant, say why."
        )
        % words
    )
