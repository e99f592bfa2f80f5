"""Makes the outbox agree with what is wanted. May run any number of times, anywhere, at once.

Rows that were ever marked are never touched; a row that is planned or cancelled follows the facts, both ways (A1).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from cycles import course_actions, plan_actions
from cycles.models import Cycle, Plan
from il2tracker.reminders import (
    clocks,
    facts_of_clinics,
    forgetting,
    heartbeat,
    kinds,
    one_tap_actions,
    reports,
    sources,
)
from il2tracker.reminders.models import Heartbeat, Reminder, State
from il2tracker.reminders.sources import Found
from il2tracker.reminders.wishes import SHOWN_ALL_THE_SAME, Reason, Wish
from labs import import_actions as labs

logger = logging.getLogger(__name__)

BATCH = 2000
MOVED_BATCH = 200  # a statement that gives every row its own values grows with the square
SAYS = ("says_at", "says_amount", "says_on", "says_from", "says_to", "slot_local", "zone")
TIMES = ("due_at", "expires_at")
ONE_DAY = timedelta(days=1)
_UNMARKED = Q(state__in=[State.PLANNED, State.CANCELLED])


class Planned(NamedTuple):
    """What one tick changed."""

    opened: int
    added: int
    restored: int
    cancelled: int
    rezoned: int = 0


class _Known(NamedTuple):
    pk: int
    key: str
    kind: str
    state: str
    cancel_reason: str
    patient_id: int | None
    due_at: datetime
    expires_at: datetime
    says: tuple[Any, ...]


def plan(now: datetime | None = None) -> Planned:
    """One tick: open the courses that follow started ones (A14) and put those to come on their patients' present
    clock (H09), bring the outbox up to date, then forget uploads that nobody confirmed and mails and links of long
    ago.

    `now` (aware) is the database's clock unless a test gives another. No heartbeat is left when nothing at all could
    be found out about a family of kinds: staff are told, and the next tick looks as far back as this one.
    """
    now = now or clocks.database_now()
    opened, rezoned = open_next_cycles(now), follow_patients(now)
    beat = Heartbeat.read()
    found = sources.find(now, _planned_until(beat, now))
    tick = settle(found, now, beat=beat)
    reports.note(now)
    if not found.unknown_kinds:
        heartbeat.planned(now)
    _forget(now)
    return tick._replace(opened=opened, rezoned=rezoned)


def _forget(now: datetime) -> None:
    for forget in (
        lambda: labs.forget_uploads(now=now),
        lambda: forgetting.forget(now),
        lambda: one_tap_actions.forget(now),
    ):
        try:
            forget()
        except DatabaseError:
            raise
        except Exception as error:  # it is tried again at the next tick
            logger.error("Something old cannot be forgotten: %s", type(error).__name__)


def plan_reports() -> None:
    """Only the mails about urgent reports: a sweep asks for it, so that they do not wait for the next tick. One
    statement while no report is open."""
    if facts_of_clinics.is_report_open():
        now = clocks.database_now()
        source = sources.SOURCE_OF[kinds.RED_FLAG]
        settle(sources.find(now, now, [source]), now, source.kinds)
        reports.note(now)


def _planned_until(beat: Heartbeat, now: datetime) -> datetime:
    """What expired after the last tick but was never planned still gets its row, as far back as any kind lives."""
    last = beat.planned_at or now
    return min(max(last, now - kinds.LOOK_BACK), now)


def open_next_cycles(now: datetime) -> int:
    """Call the action for every plan whose newest course has started where the patient lives."""
    opened = 0
    for row in _without_a_next_course(now):
        try:
            opened += _open_next_cycle(row, row.patient.today(now))
        except Exception:  # one plan that cannot go on must not silence everybody else's reminders
            logger.exception("No next course for plan %s", row.ref)
    return opened


def follow_patients(now: datetime) -> int:
    """Call the action for every course whose patient has moved to another time zone before it starts."""
    rezoned = 0
    for cycle in Cycle.objects.on_an_old_clock(now.date() - ONE_DAY).select_related("patient", "version"):
        try:
            rezoned += course_actions.follow_patient(cycle=cycle, now=now)
        except Exception:  # the hours of one course must not silence everybody's reminders
            logger.exception("Course %s stays on its old clock", cycle.ref)
    return rezoned


def _open_next_cycle(plan: Any, today: date) -> bool:
    """Unless the newest one is still to come where the patient lives."""
    is_to_come = plan.newest_on is not None and plan.newest_on > today
    if is_to_come and plan.newest_state != Cycle.State.CANCELLED:
        return False
    return plan_actions.open_next_cycle(plan=plan, today=today) is not None


def _without_a_next_course(now: datetime) -> QuerySet[Plan]:
    """Plans whose newest course has started somewhere on earth, or that have none."""
    newest = Cycle.objects.filter(plan=OuterRef("pk")).order_by("-number")
    plans = Plan.objects.active().annotate(
        newest_state=Subquery(newest.values("state")[:1]), newest_on=Subquery(newest.values("starts_on")[:1])
    )
    begun = Q(newest_on__lte=now.date() + ONE_DAY) & ~Q(newest_state=Cycle.State.HELD)
    none = Q(newest_on=None) | Q(newest_state=Cycle.State.CANCELLED)
    return plans.filter(begun | none).select_related("patient")


def settle(found: Found, now: datetime, of: Collection[str] = kinds.PLANNED, beat: Heartbeat | None = None) -> Planned:
    """Insert, restore, move and cancel rows of the kinds `of` until they say what was found.

    What was due before a backup was put back may have been sent after the backup was made: it ends as too late.
    """
    restored_at = (beat or Heartbeat.read()).restored_at
    by_key = {wish.key: wish for wish in found.wishes}
    known = {row.key: row for keys in _batches(list(by_key)) for row in _known(Q(key__in=keys))}
    missing = [wish for key, wish in by_key.items() if key not in known and _makes_row(wish)]
    new = [_row(wish, now, restored_at) for wish in missing]
    Reminder.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
    live = [(row, by_key[key]) for key, row in known.items() if row.state in {State.PLANNED, State.CANCELLED}]
    wished = [(row, wish) for row, wish in live if not wish.unwanted and wish.expires_at > now]
    _lapse([row.pk for row, wish in wished if _may_have_left(wish, restored_at)], now)
    restored = _restore([(row, wish) for row, wish in wished if not _may_have_left(wish, restored_at)], now)
    cancelled = _cancel([(row, wish.unwanted) for row, wish in live if wish.unwanted])
    return Planned(0, len(missing), restored, cancelled + _cancel(_orphans(by_key, found, now, of)))


def _makes_row(wish: Wish) -> bool:
    return wish.unwanted is None or wish.unwanted in SHOWN_ALL_THE_SAME


def _may_have_left(wish: Wish, restored_at: datetime | None) -> bool:
    return restored_at is not None and wish.due_at <= restored_at


def _lapse(pks: list[int], now: datetime) -> None:
    for some in _batches(pks):
        _unmarked(some).update(state=State.EXPIRED, cancel_reason="", expires_at=now)


def _row(wish: Wish, now: datetime, restored_at: datetime | None) -> Reminder:
    if restored_at is not None and _may_have_left(wish, restored_at):
        state, ends = State.EXPIRED, min(wish.expires_at, restored_at)
    else:
        state, ends = State.PLANNED, wish.expires_at
    return Reminder(
        key=wish.key,
        kind=wish.kind,
        occurrence=wish.occurrence,
        recipient_id=wish.recipient_id,
        patient_id=wish.patient_id,
        state=State.CANCELLED if wish.unwanted else state,
        cancel_reason=wish.unwanted or "",
        due_at=wish.due_at,
        expires_at=wish.expires_at if wish.unwanted else ends,
        next_attempt_at=wish.first_try(now),
        urgency=kinds.POLICIES[wish.kind].urgency,
        **{name: getattr(wish, name) for name in SAYS},
    )


def _known(which: Q) -> Iterator[_Known]:
    fields = ("pk", "key", "kind", "state", "cancel_reason", "patient_id", *TIMES)
    for row in Reminder.objects.filter(which).values_list(*fields, *SAYS):
        yield _Known._make((*row[: len(fields)], row[len(fields) :]))


def _restore(pairs: list[tuple[_Known, Wish]], now: datetime) -> int:
    """Back from cancelled, or to another hour; what already stands right is left alone, with its back-off."""
    gone = [(row, wish) for row, wish in pairs if row.state == State.CANCELLED and not _differs(row, wish)]
    back = [row.pk for row, wish in gone if wish.wait is None]
    moved = [pair for pair in pairs if _differs(*pair)] + [pair for pair in gone if pair[1].wait is not None]
    fresh = {"state": State.PLANNED, "cancel_reason": "", "waits_for": "", "attempts": 0}
    count = sum(_unmarked(pks).update(next_attempt_at=F("due_at"), **fresh) for pks in _batches(back))
    rows = [
        Reminder(
            pk=row.pk, next_attempt_at=wish.first_try(now), **fresh, **{n: getattr(wish, n) for n in (*TIMES, *SAYS)}
        )
        for row, wish in moved
    ]
    names = [*fresh, *TIMES, *SAYS, "next_attempt_at"]
    return count + Reminder.objects.filter(_UNMARKED).bulk_update(rows, names, batch_size=MOVED_BATCH)


def _differs(row: _Known, wish: Wish) -> bool:
    if row.due_at != wish.due_at or row.says != tuple(getattr(wish, name) for name in SAYS):
        return True
    if kinds.POLICIES[wish.kind].waits_in_quiet_hours:
        return row.expires_at < wish.expires_at  # quiet hours may have put it off
    return row.expires_at != wish.expires_at


def _orphans(
    by_key: Mapping[str, Wish], found: Found, now: datetime, of: Collection[str]
) -> Iterator[tuple[_Known, Reason | None]]:
    """Rows that wait for something of which the facts no longer speak, or speak of as over: what quiet hours put off
    lives longer than its wish."""
    waiting = Q(state=State.PLANNED) | Q(state=State.CANCELLED, cancel_reason__in=SHOWN_ALL_THE_SAME)
    rows = [row for row in _known(waiting & Q(expires_at__gt=now, kind__in=of)) if row.key not in by_key]
    rows = [row for row in rows if found.is_known(row.kind, row.patient_id)]
    put_off = [row for row in rows if kinds.POLICIES[row.kind].waits_in_quiet_hours]
    since = min((row.due_at for row in put_off), default=now)
    older = sources.find(now, since, {sources.SOURCE_OF[row.kind] for row in put_off})
    still = {wish.key: wish.unwanted for wish in older.wishes}
    for row in rows:
        if row.key in still:
            yield row, still[row.key]
        elif older.is_known(row.kind, row.patient_id):
            yield row, sources.SOURCE_OF[row.kind].gone


def _cancel(pairs: Iterable[tuple[_Known, Reason | None]]) -> int:
    by_reason: dict[str, list[int]] = defaultdict(list)
    for row, reason in pairs:
        if reason and row.cancel_reason != reason:
            by_reason[reason].append(row.pk)
    return sum(
        _unmarked(pks).update(state=State.CANCELLED, cancel_reason=reason)
        for reason, all_pks in by_reason.items()
        for pks in _batches(all_pks)
    )


def _unmarked(pks: list[int]) -> Any:
    return Reminder.objects.filter(_UNMARKED, pk__in=pks)


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
