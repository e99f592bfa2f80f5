"""The page of a mail, set from its text: so both say the same words and lead to the same places, whatever is written.

A blank line parts paragraphs. A paragraph of one line "Words: https://…" is a link, the first one of a mail its button.
Lines that begin with "- " are a list. What stands behind the line "--" is small print. Nothing else is needed: no
picture, no table, no script. The look itself is in templates/emails/_page.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from django.template.loader import render_to_string

FOOT = "\n\n--\n"
LIST = "- "
_LINK = re.compile(r"(?P<words>[^\n]+): (?P<url>https?://\S+)")
_URL = re.compile(r"(https?://\S+)")


class Shape(StrEnum):
    """How a part of a mail is set."""

    WORDS = "words"
    LIST = "list"
    BUTTON = "button"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Run:
    """Words, or the address of a link that is shown as it is."""

    words: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph or a list with its lines, or one link."""

    shape: Shape
    lines: tuple[tuple[Run, ...], ...] = ()
    link: Run | None = None


def page(subject: str, text: str, *, is_only_shown: bool = False) -> str:
    """The HTML of a mail. With `is_only_shown` its links lead nowhere: for a page that shows what a mail looks like."""
    body, _line, foot = text.partition(FOOT)
    words = {"subject": subject, "body": list(parts(body)), "foot": list(parts(foot)), "is_only_shown": is_only_shown}
    return render_to_string("emails/_page.html", words)


def parts(text: str) -> Iterator[Part]:
    """Its paragraphs, lists and links, in order."""
    has_button = False
    for paragraph in re.split(r"\n{2,}", text.strip("\n")):
        link = _LINK.fullmatch(paragraph)
        if link:
            yield Part(Shape.LINK if has_button else Shape.BUTTON, link=Run(link["words"], link["url"]))
            has_button = True
        elif paragraph:
            yield from _plain(paragraph)


def _plain(paragraph: str) -> Iterator[Part]:
    for is_list, lines in groupby(paragraph.split("\n"), key=lambda line: line.startswith(LIST)):
        shape = Shape.LIST if is_list else Shape.WORDS
        yield Part(shape, tuple(_runs(line.removeprefix(LIST) if is_list else line) for line in lines))


def _runs(line: str) -> tuple[Run, ...]:
    return tuple(Run(piece, piece if _URL.fullmatch(piece) else "") for piece in _URL.split(line) if piece)
