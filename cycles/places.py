"""The twelve places as a page shows them: when each was last used, which rest, which one is suggested and why.

A sore place or a lump rests until it has cleared, across courses (P40, D22): it is never suggested, only warned about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.utils import dateformat
from django.utils.translation import gettext as _

from cycles import sites
from cycles.models import Injection, SiteReaction


@dataclass(frozen=True)
class Place:
    """One radio of the list and one zone of the drawing.

    `state`: "free", "used" (in this course), "sore" (it rests) or "suggested". `reactions`: why it rests.
    """

    site: sites.Site
    number: int
    state: str
    words: str
    is_chosen: bool
    is_last: bool = False
    reactions: tuple[SiteReaction, ...] = ()

    @property
    def side(self) -> str:
        """Right or left, for the list."""
        return _("Right") if self.site.side == sites.RIGHT else _("Left")


@dataclass(frozen=True)
class Places:
    """All places, `why` the suggested one is suggested, and the code that is chosen when the page opens."""

    all: tuple[Place, ...]
    suggested: str | None
    why: str

    def rows(self) -> list[tuple[sites.Site, list[Place]]]:
        """The list, one row per area of the body."""
        grouped = groupby(self.all, key=lambda place: place.site.area)
        return [(row[0].site, row) for row in (list(found) for _area, found in grouped)]

    @property
    def marks(self) -> dict[str, str]:
        """The class of each zone of the drawing."""
        return {place.site.code: "" if place.state == "free" else f" bm-{place.state}" for place in self.all}

    def view(self, name: str) -> list[Place]:
        """The places on one side of the drawing."""
        return [place for place in self.all if place.site.view == name]

    @property
    def front(self) -> list[Place]:
        """Places seen from the front."""
        return self.view(sites.FRONT)

    @property
    def back(self) -> list[Place]:
        """Places seen from behind."""
        return self.view(sites.BACK)


def suggestion(recent: Iterable[Injection], *, helped: bool, resting: Collection[str] = ()) -> str | None:
    """The place to suggest after these injections, never one of the codes that rest (P40).

    `helped` = somebody else injects, so the back is within reach.
    """
    choice = sites.SITES if helped else sites.within_reach(sites.SITES)
    return sites.suggest(choice, _uses(recent), resting)


def lay_out(
    recent: Iterable[Injection],
    *,
    today: date,
    course_from: date | None,
    suggested: str | None,
    chosen: str,
    resting: Collection[SiteReaction] = (),
) -> Places:
    """The places after these injections; "used" means on or after `course_from`. `resting`: reactions still open."""
    days = {code: at.date() for code, at in sites.last_uses(_uses(recent)).items()}
    last = next(reversed(days), "")
    sore = {code: tuple(each for each in resting if each.site == code) for code in sites.BY_CODE}
    places = tuple(
        Place(
            site=site,
            number=number,
            state="sore" if sore[site.code] else _state(site.code, days, course_from, suggested),
            words=rest_words(sore[site.code]) or _words(site.code, days, today, suggested),
            is_chosen=site.code == chosen,
            is_last=site.code == last,
            reactions=sore[site.code],
        )
        for number, site in enumerate(sites.SITES, 1)
    )
    return Places(places, suggested, _why(suggested, days, course_from))


def rest_words(reactions: Collection[SiteReaction]) -> str:
    """ "Rests: lump since 8 October 2026"; empty when nothing is wrong there."""
    if not reactions:
        return ""
    kinds = ", ".join(reaction.word for reaction in sorted(reactions, key=lambda one: one.noticed_on))
    since = min(reaction.noticed_on for reaction in reactions)
    return _("Rests: %(what)s since %(day)s") % {"what": kinds, "day": dateformat.format(since, "j F Y")}


def _uses(recent: Iterable[Injection]) -> list[tuple[str, datetime]]:
    given = ((injection.site, injection.local_given_at) for injection in recent)
    return [(site, at) for site, at in given if site and at]


def _state(code: str, days: dict[str, date], course_from: date | None, suggested: str | None) -> str:
    if code == suggested:
        return "suggested"
    in_course = code in days and course_from is not None and days[code] >= course_from
    return "used" if in_course else "free"


def _words(code: str, days: dict[str, date], today: date, suggested: str | None) -> str:
    if code == suggested:
        return _("Suggested")
    return _used_words(days[code], today) if code in days else _("Free")


def _used_words(on: date, today: date) -> str:
    age = (today - on).days
    if age <= 1:
        return _("Used today") if age <= 0 else _("Used yesterday")
    if age < 7:
        return _("Used %(weekday)s") % {"weekday": dateformat.format(on, "l")}
    return _("Last %(day)s") % {"day": dateformat.format(on, "j F")}


def _why(suggested: str | None, days: dict[str, date], course_from: date | None) -> str:
    if suggested is None:
        return ""
    words = sites.BY_CODE[suggested].words
    place = words[0].upper() + words[1:]
    if suggested not in days:
        return _("%(place)s is suggested: not used before.") % {"place": place}
    if course_from is not None and days[suggested] < course_from:
        return _("%(place)s is suggested: not used in this course.") % {"place": place}
    return _("%(place)s is suggested: of all places the one used longest ago.") % {"place": place}
