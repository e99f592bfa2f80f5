"""The twelve places for an injection under the skin, and which of them to suggest next. Pure.

A different place each time (K14). Sources A and B name no places: the list is app's own (X5, D22), taken from
patient leaflets: off the navel and the waistline, two at the back only when somebody else injects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

RIGHT, LEFT = "right", "left"
FRONT, BACK = "front", "back"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    """One place: `area` and `side` as the list shows them, `words` as a sentence does, `view` of the drawing."""

    code: str
    area: str
    side: str
    words: str
    view: str
    needs_another: bool = False


def _pair(code: str, area: str, words: str, view: str, *, needs_another: bool = False) -> tuple[Site, Site]:
    right = Site(f"{code}r", area, RIGHT, words.format(RIGHT), view, needs_another)
    left = Site(f"{code}l", area, LEFT, words.format(LEFT), view, needs_another)
    return right, left


SITES: tuple[Site, ...] = (
    *_pair("au", "Abdomen, upper", "abdomen, upper {}", FRONT),
    *_pair("al", "Abdomen, lower", "abdomen, lower {}", FRONT),
    *_pair("tf", "Thigh, front", "{} thigh, front", FRONT),
    *_pair("to", "Thigh, outer side", "{} thigh, outer side", FRONT),
    *_pair("ua", "Upper arm, back", "{} upper arm, back", BACK, needs_another=True),
    *_pair("bu", "Buttock, upper outer", "{} buttock, upper outer", BACK, needs_another=True),
)
BY_CODE = {site.code: site for site in SITES}


def within_reach(sites: Iterable[Site]) -> tuple[Site, ...]:
    """The places where a person can inject without help."""
    return tuple(site for site in sites if not site.needs_another)


def last_uses(used: Iterable[tuple[str, datetime]]) -> dict[str, datetime]:
    """When each place was last used, the last one last, from (code, given at) in any order."""
    latest = dict(sorted(((code, at) for code, at in used if code), key=lambda use: use[1]))
    return dict(sorted(latest.items(), key=lambda use: use[1]))


def suggest(sites: Iterable[Site], used: Iterable[tuple[str, datetime]], sore: Collection[str] = ()) -> str | None:
    """Code of the place unused for longest: never the last one, never a sore one; of equals first the other side.

    None when the last and the sore places leave nothing.
    """
    uses = last_uses(used)
    last = next(reversed(uses), "")
    last_side = BY_CODE[last].side if last in BY_CODE else ""
    free = [site for site in sites if site.code != last and site.code not in sore]
    best = min(free, key=lambda site: (uses.get(site.code, _NEVER), site.side == last_side), default=None)
    return best.code if best else None
