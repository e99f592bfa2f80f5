"""What is asked about a typed draw before it is kept, beneath the box that it is about; one question a value (H11)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from labs import facts, written
from labs.actions import Entry
from labs.boxes import Box
from labs.facts import CD4, CD4_PERCENT
from labs.grouped import doubt
from labs.last_report import newest_of_each_test
from labs.models import Analyte, LabResult
from labs.trends import TOO_SOON, Point

if TYPE_CHECKING:
    from labs.forms import DrawForm

NEAR_PERCENT = 5  # app's own: a count this near to the percentage beside it may be the percentage again


@dataclass(frozen=True)
class Asked:
    """One filled box with what is asked about its value and about its range; "" = nothing."""

    box: Box
    value: str = ""
    range: str = ""

    @property
    def is_odd(self) -> bool:
        """Whether anything is asked about it."""
        return bool(self.value or self.range)


def asked(form: DrawForm) -> list[Asked]:
    """Every filled box of a valid form, with its questions."""
    entries = form.entries()
    percent, before = _percent_is_another_number(entries), _values_before(form, entries)
    found = []
    for box in form.filled():
        rule, reading = box.analyte.rule, entries[box.analyte].reading
        odd = written.questions(rule, reading, before=before.get(rule.code), percent_given=percent)
        found.append(Asked(box, doubt(rule, reading) or " ".join(odd), _of_range(box)))
    return found


def _of_range(box: Box) -> str:
    if not box.is_doubtful:
        return ""
    return _("It stands here from the last report. Does this report print it too?")


def _percent_is_another_number(entries: Mapping[Analyte, Entry]) -> bool:
    """Whether a percentage was given that the count cannot be by a slip into the wrong box (H11)."""
    values = {analyte.code: entry.reading.value for analyte, entry in entries.items()}
    count, percent = values.get(CD4), values.get(CD4_PERCENT)
    return percent is not None and (count is None or abs(count - percent) > NEAR_PERCENT)


def _values_before(form: DrawForm, tests: Collection[Analyte]) -> dict[str, Decimal]:
    """The last value of each test before this draw, in its own unit; where timing matters the last that counts."""
    on = form.drawn().on
    earlier = LabResult.objects.standing().of(form.patient).filter(
        drawn_on__lt=on, comparator="=", value__isnull=False
    ).exclude(unit="")  # fmt: skip
    rows = newest_of_each_test(earlier, [test for test in tests if not test.timing_matters])
    found = {row.analyte.code: row.own_value for row in rows if row.own_value is not None}
    timed = [test.code for test in tests if test.timing_matters]
    known = facts.load([form.patient], form.now, timed)[form.patient.pk] if timed else None
    for code in timed:
        earlier_ones = [point for point in known.series(code) if point.on < on and point.counted] if known else []
        last = _last(earlier_ones)
        if last is not None:
            found[code] = last
    return found


def _last(points: Sequence[Point]) -> Decimal | None:
    """The last that counts; while none does, the last that was not taken too soon."""
    not_soon = (point for point in reversed(points) if point.judgement.verdict not in TOO_SOON)
    best = next((point for point in reversed(points) if point.counts), next(not_soon, None))
    return best.value if best else None
