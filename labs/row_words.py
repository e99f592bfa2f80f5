"""The words and rows of one table of results, each word looked for once however long the history is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from il2tracker.accounts.models import User
from il2tracker.ui import clock, icon
from labs import words
from labs.kept import Result
from labs.trends import Judgement, Verdict

if TYPE_CHECKING:
    from labs.draws import Drawing

NOTHING = SafeString("")


class Said:
    """Words of one table that come again in its rows. `has_percent`: the table has a column for CD4+ percentages."""

    def __init__(self, viewer: User | None = None, *, has_percent: bool = False) -> None:
        self.viewer, self.has_percent = viewer, has_percent
        self.weekdays, self.months = [str(WEEKDAYS[n]) for n in range(7)], [str(MONTHS[n + 1]) for n in range(12)]
        self.before, self.after = reverse("labs:entry", args=["ref"]).split("ref")
        self.soon = format_html(' class="{}"', "is-soon")
        self.labels = {name: format_html(' data-label="{}"', said) for name, said in _labels().items()}
        self.words: dict[Verdict | Judgement, str] = {}
        self.reasons: dict[Judgement, str] = {}
        self.verdicts: dict[tuple[Judgement, bool], SafeString] = {}
        self.people: dict[tuple[tuple[str, int | None], ...], str] = {}

    def day(self, on: date) -> str:
        """ "Wednesday 4 November 2026"."""
        return f"{self.weekdays[on.weekday()]} {on.day} {self.months[on.month - 1]} {on.year}"

    def time(self, at: datetime | None) -> SafeString:
        """The time of day behind the day, as the viewer reads clocks."""
        return format_html('<span class="meta">, {}</span>', clock(at, self.viewer)) if at else NOTHING

    def word(self, judgement: Judgement) -> str:
        """The verdict in a word."""
        key = judgement.verdict if judgement.verdict is not Verdict.UNKNOWN else judgement
        if key not in self.words:
            self.words[key] = words.verdict_word(judgement)
        return self.words[key]

    def reason(self, judgement: Judgement) -> str:
        """Why a draw counts or not; empty where the word says it."""
        if judgement not in self.reasons:
            self.reasons[judgement] = words.reason(judgement) if judgement.verdict is not Verdict.BASELINE else ""
        return self.reasons[judgement]

    def verdict(self, judgement: Judgement, *, burst: bool) -> SafeString:
        """The verdict's tag with the reason beside it."""
        key = (judgement, burst)
        if key not in self.verdicts:
            look, picture = words.TAGS.get(judgement.verdict, ("", ""))
            word, why = self.word(judgement), self.reason(judgement)
            why += "; " + _("the viral load may be raised for a short time") if burst else ""
            tag = format_html('<span class="tag tag--{}">{}{}</span> ', look, icon(picture), word) if word else NOTHING
            self.verdicts[key] = format_html('{}<span class="meta">{}</span>', tag, why)
        return self.verdicts[key]

    def entered_by(self, results: Sequence[Result]) -> str:
        """Who entered these results, each once."""
        key = tuple((result.source, result.entered_by_id) for result in results)
        if key not in self.people:
            viewer = self.viewer.pk if self.viewer else None
            self.people[key] = ", ".join(dict.fromkeys(words.entered_by(result, viewer) for result in results))
        return self.people[key]

    def label(self, name: str, value: str) -> SafeString:
        """What a cell is called where rows are cards; an empty one has no name."""
        return self.labels[name] if value else NOTHING


def _labels() -> dict[str, str]:
    return {"cd4": "CD4+", "percent": "CD4+ %", "load": _("Viral load"), "by": _("Entered by")}


def row(drawn: Drawing) -> SafeString:
    """One row of the table, ready to stand in a page: what people or laboratories wrote is escaped here, once."""
    said, count, load = drawn.said, escape(drawn.cd4), escape(drawn.viral_load)
    cells = (
        f'<tr id="{drawn.anchor}"{NOTHING if drawn.counts else said.soon}>',
        f'<th scope="row"><a href="{drawn.address}">{drawn.day}</a>{said.time(drawn.at)}</th>',
        f'<td class="num" data-test="cd4"{said.label("cd4", count)}>{count}</td>',
        _percent(drawn) if said.has_percent else "",
        f'<td data-test="hiv_rna"{said.label("load", load)}>{load}</td>',
        f"<td>{said.verdict(drawn.judgement, burst=drawn.burst)}</td>",
        f'<td class="meta"{said.labels["by"]}>{escape(drawn.entered_by)}</td></tr>\n',
    )
    return SafeString("".join(cells))


def _percent(drawn: Drawing) -> str:
    share = escape(drawn.cd4_percent)
    return f'<td class="num"{drawn.said.label("percent", share)}>{share}</td>'
