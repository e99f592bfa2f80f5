"""What was given of each course: how many injections of how many, how much of how much. Sums are exact (Decimal MIU).

What was not taken counts as nothing; what nobody recorded is said so and counted in neither sum; an injection outside
the plan stands apart. A course that was stopped keeps what it was planned to hold.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cycles.models import Cycle, Injection, PlannedDose
from il2tracker import ui

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Delivered:
    """One course. `unrecorded`: past, still wanted, and without a record. Amounts in MIU.

    `unknown`: the same of a course from before the diary, about which nobody is asked.
    """

    planned: int = 0
    planned_amount: Decimal = NOTHING
    given: int = 0
    in_part: int = 0
    given_amount: Decimal = NOTHING
    not_taken: int = 0
    unrecorded: int = 0
    unknown: int = 0
    off_plan: int = 0
    off_plan_amount: Decimal = NOTHING

    @property
    def words(self) -> str:
        """ "9 of 10, 67.5 of 75 million units"."""
        facts = {
            "given": self.given,
            "planned": self.planned,
            "amount": ui.number(self.given_amount),
            "total": ui.miu(self.planned_amount),
        }
        return _("%(given)s of %(planned)s, %(amount)s of %(total)s") % facts

    @property
    def notes(self) -> list[str]:
        """What the figures leave out: "1 in part", "1 not taken", "1 outside the plan: …"."""
        off_plan = ngettext("%(n)s outside the plan: %(amount)s", "%(n)s outside the plan: %(amount)s", self.off_plan)
        said = {
            _("%(n)s in part") % {"n": self.in_part}: self.in_part,
            _("%(n)s not taken") % {"n": self.not_taken}: self.not_taken,
            _("%(n)s not recorded") % {"n": self.unrecorded}: self.unrecorded,
            _("%(n)s not known") % {"n": self.unknown}: self.unknown,
            off_plan % {"n": self.off_plan, "amount": ui.miu(self.off_plan_amount)}: self.off_plan,
        }
        return [words for words, count in said.items() if count]

    @property
    def notes_words(self) -> str:
        """The notes in one line."""
        return "; ".join(self.notes)


def of_courses(cycles: Collection[Cycle], now: datetime) -> dict[int, Delivered]:
    """What was given of each of one patient's courses, by primary key: three statements, however many courses."""
    known = {cycle.pk: cycle for cycle in cycles}
    found = {pk: Delivered() for pk in known}
    if not known:
        return found
    standing = Injection.objects.standing().filter(planned_dose=OuterRef("pk"))
    rows = PlannedDose.objects.filter(cycle__in=known).annotate(
        outcome=Subquery(standing.values("state")[:1]), got=Subquery(standing.values("amount")[:1])
    )
    for dose in rows:
        cycle = known[dose.cycle_id]
        is_open = dose.due_at <= now and cycle.wants(dose)
        found[dose.cycle_id] = _with(found[dose.cycle_id], dose, is_open=is_open)
    for pk, cycle in known.items():
        if cycle.entered_later:
            found[pk] = replace(found[pk], unrecorded=0, unknown=found[pk].unrecorded)
    _add_off_plan(found, next(iter(known.values())).patient_id)
    return found


def _with(sums: Delivered, dose: PlannedDose, *, is_open: bool) -> Delivered:
    outcome, got = dose.__dict__["outcome"], dose.__dict__["got"]
    skipped = outcome == Injection.State.SKIPPED
    given = outcome is not None and not skipped
    return replace(
        sums,
        planned=sums.planned + 1,
        planned_amount=sums.planned_amount + dose.amount,
        given=sums.given + given,
        in_part=sums.in_part + (outcome == Injection.State.PARTIAL),
        given_amount=sums.given_amount + (got if given else NOTHING),
        not_taken=sums.not_taken + skipped,
        unrecorded=sums.unrecorded + (outcome is None and is_open),
    )


def _add_off_plan(found: dict[int, Delivered], patient_id: int) -> None:
    """Each injection outside the plan belongs to the patient's course that had started last on its day."""
    taking_place = Cycle.objects.filter(patient=patient_id).exclude(state=Cycle.State.CANCELLED)
    starts = list(taking_place.order_by("starts_on").values_list("starts_on", "pk"))
    loose = Injection.objects.given().filter(patient=patient_id, planned_dose=None)
    for at, zone, amount in loose.values_list("given_at", "zone", "amount"):
        on = at.astimezone(ZoneInfo(zone)).date()
        pk = next((pk for starts_on, pk in reversed(starts) if starts_on <= on), None)
        if pk in found:
            sums = found[pk]
            found[pk] = replace(sums, off_plan=sums.off_plan + 1, off_plan_amount=sums.off_plan_amount + amount)
