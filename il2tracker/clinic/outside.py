"""Results that nobody of the clinic has seen yet, in the words of the list: outside their range, changed, removed."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from il2tracker import ui
from labs import range_words, words
from labs.models import ToSee

Why = ToSee.Why


def in_words(rows: Sequence[ToSee]) -> str:
    """ "Potassium 7.9 mmol/L, above the range"; of several, how many."""
    if len(rows) == 1:
        return what(rows[0])
    if rows[0].why == Why.OUTSIDE:
        return _("%(n)s results outside the laboratory’s range") % {"n": len(rows)}
    return _("%(n)s results of the clinic changed or removed") % {"n": len(rows)}


def detail(rows: Sequence[ToSee]) -> str:
    """Which they are, when the newest was taken, and who entered it or touched it."""
    newest = max(rows, key=lambda row: (row.result.drawn_on, row.created_at))
    return source(newest) if len(rows) == 1 else "; ".join(map(what, rows)) + ". " + source(newest)


def since(rows: Sequence[ToSee]) -> str:
    """When the first of them came in, which orders the list."""
    return min(row.created_at for row in rows).isoformat()


def what(row: ToSee) -> str:
    """What there is to see: "Potassium 7.9 mmol/L, above the range", "Bilirubin 1.9 mg/dL, changed by the patient"."""
    result = row.result
    facts = {"test": words.name(result), "value": words.as_written(result), "who": _who(row)}
    if row.why == Why.CHANGED:
        return _("%(test)s %(value)s, changed by %(who)s") % facts
    if row.why == Why.REMOVED:
        return _("%(test)s %(value)s, removed by %(who)s") % facts
    if range_words.side_of(result) == "high":
        return _("%(test)s %(value)s, above the range") % facts
    return _("%(test)s %(value)s, below the range") % facts


def source(row: ToSee) -> str:
    """When the blood was taken and who entered the result."""
    facts = {"day": ui.long_day(row.result.drawn_on), "by": row.result.get_source_display()}
    return _("Taken on %(day)s, %(by)s.") % facts


def _who(row: ToSee) -> str:
    """Whoever is not of the clinic: the patient, or by name a person who helps."""
    person = row.raised_by
    if person is None or person.pk == row.patient.user_id:
        return _("the patient")
    return person.name
