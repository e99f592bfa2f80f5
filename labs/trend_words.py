"""How the trend says what the rules found. Figures always stand beside the words."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labs import units, words
from labs.differences import Difference
from labs.slopes import FEWEST_POINTS, Slope
from labs.trends import Point


def load_change(difference: Difference, before: str) -> str:
    """How the viral load stands to the one before the first course; "" where there is nothing to compare it with."""
    if not before:
        return ""
    said = {
        Difference.HIGHER: _("higher than before course 1 (%(before)s)"),
        Difference.LOWER: _("lower than before course 1 (%(before)s)"),
        Difference.ABOUT_THE_SAME: _(
            "about the same as before course 1 (%(before)s; the difference is within the usual variation)"
        ),
        Difference.NOT_COMPARED: _("before course 1: %(before)s"),
    }
    return said[difference] % {"before": before}


def lowest(point: Point | None, nadir: int | None) -> str:
    """The lowest reliable count of the record, and whether the nadir that was entered is above it."""
    if point is None or point.value is None:
        return ""
    facts = {"value": units.figure(point.value), "day": words.long_day(point.on), "nadir": nadir}
    said = _("Lowest reliable CD4+ count of this diary: %(value)s (%(day)s).") % facts
    if nadir is not None and point.value < nadir:
        said += " " + _("It is below the nadir that was entered (%(nadir)s).") % facts
    elif nadir is not None:
        said += " " + _("The nadir that was entered (%(nadir)s) is not above it.") % facts
    return said


def slopes(counts: Slope | None, loads: Slope | None) -> list[str]:
    """The slopes of the time shown; why there is none for CD4+."""
    found = []
    if counts:
        found.append(_slope(counts, _("CD4+ slope: %(change)s cells/mm³ a month."), places=1))
    else:
        found.append(_("No CD4+ slope for this time: it needs %(n)s reliable counts.") % {"n": FEWEST_POINTS})
    if loads:
        found.append(_slope(loads, _("Viral load slope: %(change)s log10 copies per mL a month."), places=2))
    return found


def _slope(slope: Slope, text: str, *, places: int) -> str:
    rounded = round(Decimal(slope.per_month), places)
    sign = "" if rounded == 0 else "+" if rounded > 0 else "\N{MINUS SIGN}"
    change = f"{sign}{units.figure(abs(rounded))}"
    facts = {"n": slope.points, "first": words.long_day(slope.first_on), "last": words.long_day(slope.last_on)}
    basis = _("Least squares through %(n)s reliable results, %(first)s to %(last)s.") % facts
    return " ".join(filter(None, [text % {"change": change}, basis, _left_out(slope.limits)]))


def _left_out(limits: int) -> str:
    if not limits:
        return ""
    one = "%(n)s result beyond what the test can count is not in it."
    more = "%(n)s results beyond what the test can count are not in it."
    return ngettext(one, more, limits) % {"n": limits}
