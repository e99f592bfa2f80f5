"""The list of reminders: the machine's own rows as their recipient reads them, so that mail is never the only way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.http import Http404

from il2tracker.accounts.models import Clinic, User
from il2tracker.reminders import due_links, due_words
from il2tracker.reminders.due_links import Link, Links
from il2tracker.reminders.due_words import Said
from il2tracker.reminders.models import Reminder, ReminderQuerySet, State
from il2tracker.reminders.wishes import SHOWN_ALL_THE_SAME

PAGE = 30  # app's own: rows of one page of the last days
LAST_DAYS = timedelta(days=14)  # app's own: as far back as the list goes


@dataclass(frozen=True)
class Line:
    """One row in words. `at` stands on the clock it was planned for; `link` leads to what it is about, if anywhere."""

    title: str
    at: datetime
    said: Said
    link: Link | None

    @property
    def day(self) -> date:
        """The civil day under which it stands."""
        return self.at.date()


@dataclass(frozen=True)
class Page:
    """`coming`: soonest first. `past`: newest first. `older`: the key of the next page, None at the end."""

    coming: list[Line]
    past: list[Line]
    older: int | None
    is_first: bool


def read(user: User, now: datetime, *, before: int | None = None) -> Page:
    """What comes and what became of the last 14 days, in a fixed number of statements. `before`: a key of a page.

    Raises Http404 for a key that is no row of the person's.
    """
    mine = Reminder.objects.filter(recipient=user)
    live = _live(now)
    coming = [] if before else list(mine.filter(live).order_by("due_at", "pk"))
    ended = mine.exclude(live).filter(due_at__lte=now, due_at__gte=now - LAST_DAYS)
    found = list(_older(ended, mine, before).order_by("-due_at", "-pk")[: PAGE + 1])
    page, older = found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None
    links, zone = due_links.find(user, now, [*coming, *page]), _zone_of(user)
    lines = [_line(row, user, now, zone, links) for row in (*coming, *page)]
    return Page(lines[: len(coming)], lines[len(coming) :], older, before is None)


def _live(now: datetime) -> Q:
    """What may still be sent, and what only stands in the list though its time is not over."""
    shown = Q(state=State.CANCELLED, cancel_reason__in=SHOWN_ALL_THE_SAME)
    return Q(state=State.SENDING) | (Q(state=State.PLANNED) | shown) & Q(expires_at__gt=now)


def _older(rows: ReminderQuerySet, mine: ReminderQuerySet, before: int | None) -> ReminderQuerySet:
    if before is None:
        return rows
    last = mine.filter(pk=before).values_list("due_at", "pk").first()
    if last is None:
        raise Http404
    return rows.filter(Q(due_at__lt=last[0]) | Q(due_at=last[0], pk__lt=last[1]))


def _line(row: Reminder, user: User, now: datetime, zone: str, links: Links) -> Line:
    if row.patient_id is None:
        row.zone = zone  # about no diary: on the reader's own clock
    said = due_words.said(row, now, user.clock)
    at = row.due_at.astimezone(ZoneInfo(row.zone))
    return Line(due_words.title(row, user.clock), at, said, links.of(row))


def _zone_of(user: User) -> str:
    """The reader's own clock: of the diary, else of the first clinic, else of the installation."""
    if user.patient_or_none is not None:
        return user.patient_or_none.time_zone
    clinics = Clinic.objects.filter(memberships__user=user).order_by("pk")
    return clinics.values_list("time_zone", flat=True).first() or settings.DEFAULT_TIME_ZONE
