"""How an entry came to be what it is: every version that was ever saved, by whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from cycles import reasons, sites
from cycles.models import Injection
from il2tracker import ui
from il2tracker.accounts.models import User


@dataclass(frozen=True)
class Change:
    """One fact that was changed, in words."""

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Step:
    """One save: `what` is "recorded", "changed" or "removed"; `at` on the clock of the entry's place."""

    what: str
    at: datetime
    by: User | None
    changes: tuple[Change, ...]


def of(injection: Injection, viewer: User) -> list[Step]:
    """The steps of an entry, the newest first."""
    versions = list(injection.history.select_related("history_user").order_by("history_date", "history_id"))
    zone = ZoneInfo(injection.zone)
    steps = [
        Step(
            what=_what(version, older),
            at=version.history_date.astimezone(zone),
            by=version.history_user,
            changes=tuple(_changes(older, version, viewer)) if older else (),
        )
        for older, version in zip([None, *versions], versions, strict=False)
    ]
    return steps[::-1]


def _what(version: Any, older: Any) -> str:
    if older is None:
        return _("Recorded")
    return _("Removed") if version.voided_at and not older.voided_at else _("Changed")


def _changes(older: Any, newer: Any, viewer: User) -> list[Change]:
    old, new = _in_words(older, viewer), _in_words(newer, viewer)
    return [Change(name, old[name], new[name]) for name in new if old[name] != new[name]]


def _in_words(version: Any, viewer: User) -> dict[str, str]:
    return {
        _("Outcome"): version.get_state_display(),
        _("When"): _moment(version.given_at, version.zone, viewer),
        _("Amount"): ui.miu(version.amount),
        _("Place"): sites.BY_CODE[version.site].words if version.site in sites.BY_CODE else version.site,
        _("Reason"): reasons.in_words(version.reason),
        _("Medicines before it"): {True: _("taken"), False: _("not taken")}.get(version.premedicated, ""),
        _("Given by"): " ".join(filter(None, [version.get_given_by_display(), version.given_by_name])),
        _("Note"): version.note,
        _("Reason for removing"): version.void_reason,
    }


def _moment(at: datetime | None, zone: str, viewer: User) -> str:
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(zone))
    return _("%(time)s on %(day)s") % {"time": ui.clock(local, viewer), "day": ui.long_day(local)}
