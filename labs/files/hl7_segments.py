"""HL7 v2 from bytes to messages and their segments: line ends, framing, batches, character sets, separators, escapes.

Pure. The `hl7` library takes apart every field that has repeats, components or parts, one at a time and when it is
asked for, so that a long file stays small and quick. Escapes are read here: the library loses what follows an escape
that is not closed, and takes hexadecimal bytes for Latin-1. It also splits at the usual separators where a message
names fewer: it is told what the message says, and signs that no message uses for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import hl7

from labs.files.candidates import FileError

UTF_8_MARK, UTF_16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
NAME = re.compile("[A-Z][A-Z0-9]{2}")
LINE_END, FRAME = re.compile(rb"\r\n|\r|\n"), re.compile(rb"[\x0b\x1c]")
BATCH = (b"FHS", b"BHS", b"BTS", b"FTS")
MOST_PARTS = 1_000  # app's own: fields, components and repeats of one segment
UNUSED = "\ue000\ue001\ue002\ue003"  # private signs in place of separators that a message does not name
BROKEN, NULL, NOTHING = "\ufffd", '""', [""]
CHARACTER_SETS = {"": "utf-8", "ASCII": "ascii", "UNICODE": "utf-8", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8"}
CHARACTER_SETS |= {"UTF8": "utf-8", "ISO-8859-1": "iso8859-1"}
CHARACTER_SETS |= {f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}
FORMATTING = {"br": "\n", "ce": "\n", "sp": "\n", "sk": " ", "in": " ", "ti": " ", "fi": "", "nf": ""}
MOST_BLANKS, MOST_SHOWN = 10, 200


@dataclass(frozen=True)
class Marks:
    """What separates the parts of one message, and how its bytes are read. "" = the message names no such sign."""

    field: str
    component: str
    repeat: str = ""
    escape: str = ""
    part: str = ""
    codec: str = "utf-8"
    problem: str = ""

    @cached_property
    def header(self) -> str:
        """The begin of a message for the library, with all five signs."""
        signs = (self.component, self.repeat, self.escape, self.part)
        full = "".join(sign or unused for sign, unused in zip(signs, UNUSED, strict=True))
        return f"MSH{self.field}{full}{self.field}"

    def split(self, text: str) -> Any:
        """The repeats, components and parts of a field."""
        if not any(sign and sign in text for sign in (self.component, self.repeat, self.part)):
            return [text]
        return hl7.parse(f"{self.header}\rANY{self.field}{text}")[1][1]

    def read(self, text: str) -> str:
        """The text without its escapes. One that is unknown, or not closed, stays as it stands."""
        if self.escape and self.escape in text:
            text = self._escapes.sub(self._meant, text)
        return _printable(text)

    @cached_property
    def _escapes(self) -> re.Pattern[str]:
        sign = re.escape(self.escape)
        return re.compile(rf"{sign}([FSTREHN]|X(?:[0-9A-Fa-f]{{2}})+|\.[a-z]{{2}}[+-]?[0-9]{{0,2}}){sign}")

    def _meant(self, found: re.Match[str]) -> str:
        said = found[1]
        signs = {"F": self.field, "S": self.component, "T": self.part, "R": self.repeat, "E": self.escape}
        if said in "HN":
            return ""
        if said in signs:
            return signs[said]
        if said.startswith("X"):
            return bytes.fromhex(said[1:]).decode(self.codec, "replace")
        blank = FORMATTING.get(said[1:3])
        return found[0] if blank is None else blank * min(int(said[3:] or 1), MOST_BLANKS)


def _printable(text: str) -> str:
    if text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", BROKEN)
    return "".join(sign if sign >= " " or sign == "\n" else " " for sign in text).strip()


def shortened(text: str, most: int) -> str:
    """The text, or its begin with a sign that there was more."""
    return text if len(text) <= most else text[: most - 1] + "…"


@dataclass(frozen=True)
class Segment:
    """One segment and the line of the file it stands on. `name` is "" for a line that is no segment.

    `problem` says in words why nothing of it may be believed. `open_end` = the file ends within it.
    """

    line: int
    name: str
    written: str
    marks: Marks
    problem: str = ""
    open_end: bool = False
    split: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def fields(self) -> list[str]:
        """The fields as they stand, by number; 0 is the name. MSH-1 is the sign between them."""
        fields = self.written.split(self.marks.field)
        return [*fields[:1], self.marks.field, *fields[1:]] if self.name == "MSH" else fields

    def repeats(self, number: int) -> list[str]:
        """The text of every repeat of a field, with its components as they stand; "" where all of them are empty."""
        written = [str(repeat) for repeat in self._field(number)]
        empty = {self.marks.component, self.marks.part, " "}
        return ["" if text == NULL or set(text) <= empty else self.marks.read(text) for text in written]

    def text(self, number: int, component: int = 1, *, repeat: int = 1) -> str:
        """One component of a field; "" where it is not there, or is HL7's null."""
        text = self.marks.read(str(self._component(number, component, repeat)))
        return "" if text == NULL else text

    def part(self, number: int, component: int = 1) -> str:
        """The first part (sub-component) of one component of a field."""
        found = self._component(number, component, 1)
        text = self.marks.read(found if isinstance(found, str) else str(found[0]))
        return "" if text == NULL else text

    def _component(self, number: int, component: int, repeat: int) -> Any:
        repeats = self._field(number)
        found = repeats[repeat - 1] if repeat <= len(repeats) else ""
        components = [found] if isinstance(found, str) else found
        return components[component - 1] if component <= len(components) else ""

    def _field(self, number: int) -> Any:
        """A list of repeats, each a text or a list of components, each a text or a list of parts."""
        if self.problem or number >= len(self.fields):
            return NOTHING
        if number not in self.split:
            self.split[number] = self.marks.split(self.fields[number])
        return self.split[number]


@dataclass(frozen=True)
class Message:
    """One message: its header and what follows, in order. `problem` = nothing of it can be read, and why."""

    header: Segment
    rest: tuple[Segment, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class _Piece:
    line: int
    data: bytes
    open_end: bool = False


def messages(data: bytes) -> Iterator[Message]:
    """Every message of a file, one after another or in batches. Raises FileError for what holds no message at all."""
    if not data.strip():
        raise FileError("This file is empty.")
    if data.startswith(UTF_16_MARKS) or data[:1000].count(0) > 2:
        raise FileError("This is not an HL7 message of text in UTF-8. Export it again.")
    if not holds_message(data):
        raise FileError("This is not an HL7 message: no line of it begins with MSH.")
    for pieces in _together(data):
        yield _message(pieces)
    yield from _batches(data)


def holds_message(data: bytes) -> bool:
    """Whether a line of the file begins a message."""
    return any(_begins(piece.data) for piece in _pieces(data))


def _together(data: bytes) -> Iterator[list[_Piece]]:
    """The lines of each message; lines that stand in none come together too, without a header."""
    waiting: list[_Piece] = []
    for piece in _pieces(data):
        begins, frame = _begins(piece.data), _is(piece.data, *BATCH)
        if waiting and (begins or frame):
            yield waiting
            waiting = []
        if not frame:
            waiting.append(piece)
    if waiting:
        yield waiting


def _batches(data: bytes) -> Iterator[Message]:
    """What is missing in the batches of a file: their end, or messages that they are said to hold."""
    batch, count = None, 0
    for piece in _pieces(data):
        if _is(piece.data, b"MSH"):
            count += 1
        elif _is(piece.data, b"BHS"):
            batch, count = piece, 0
        elif _is(piece.data, b"BTS"):
            said = piece.data.split(piece.data[3:4] or b"|")[1:2]
            if batch and said and re.fullmatch(rb"[0-9]{1,9}", said[0]) and int(said[0]) != count:
                yield _unread(piece, f"The batch says that it holds {_shown(said[0])} messages. Here are {count}.")
            batch = None
    if batch:
        yield _unread(batch, "This batch (BHS) has no end (BTS): the file may be cut.")


def _pieces(data: bytes) -> Iterator[_Piece]:
    lines = LINE_END.split(data)
    for number, line in enumerate(lines, start=1):
        for piece in FRAME.split(line):
            bare = piece.removeprefix(UTF_8_MARK).lstrip(b" \t")
            if bare.strip():
                yield _Piece(number, bare, number == len(lines) and not FRAME.search(line))


def _begins(data: bytes) -> bool:
    return len(data) > 3 and _is(data, b"MSH")


def _is(data: bytes, *names: bytes) -> bool:
    return data[:3] in names and not data[3:4].isalnum()


def _message(pieces: list[_Piece]) -> Message:
    header, *rest = pieces
    if not _begins(header.data):
        return _unread(header, "This line stands outside any message (MSH … ). It cannot be read.")
    marks = _marks(header.data, b"".join(piece.data for piece in pieces))
    if marks.problem:
        return _unread(header, marks.problem)
    return Message(_segment(header, marks), tuple(_segment(piece, marks) for piece in rest))


def _unread(piece: _Piece, problem: str) -> Message:
    return Message(Segment(piece.line, "", _shown(piece.data), Marks("|", "^"), problem), problem=problem)


def _shown(data: bytes) -> str:
    return _printable(data[:MOST_SHOWN].decode("utf-8", "replace"))


def _marks(header: bytes, message: bytes) -> Marks:
    """What MSH-1, MSH-2 and MSH-18 say."""
    fields = header.decode("latin-1").split(chr(header[3]))
    signs = fields[1] if len(fields) > 2 else ""
    every = chr(header[3]) + signs
    if not 2 <= len(every) <= 6 or len(set(every)) != len(every) or not all(_may_separate(sign) for sign in every):
        return Marks("|", "^", problem="The separators of this message (MSH-1, MSH-2) cannot be used.")
    said = fields[17].split(signs[1:2] or None)[0:1] if len(fields) > 17 else []
    name = "".join(said).strip().upper()
    codec = CHARACTER_SETS.get(name.replace(NULL, ""))
    if codec is None:
        words = f"The character set of this message (MSH-18) is “{_printable(name)[:40]}”. We cannot read it."
        return Marks("|", "^", problem=words)
    component, repeat, escape, part = (*signs, "", "", "", "")[:4]
    return Marks(chr(header[3]), component, repeat, escape, part, _spoken(codec, message))


def _may_separate(sign: str) -> bool:
    return "!" <= sign <= "~" and not sign.isalnum()


def _spoken(codec: str, message: bytes) -> str:
    """UTF-8 where the bytes are that and say so themselves: no text in a set of single letters looks like it."""
    if not codec.startswith("iso8859") or message.isascii():
        return codec
    try:
        message.decode("utf-8")
    except UnicodeDecodeError:
        return codec
    return "utf-8"


def _segment(piece: _Piece, marks: Marks) -> Segment:
    text = piece.data.decode(marks.codec, "replace")
    name = text[:3] if NAME.fullmatch(text[:3]) and text[3:4] in ("", marks.field) else ""
    return Segment(piece.line, name, text, marks, _trouble(piece.data, marks, text), piece.open_end)


def _trouble(data: bytes, marks: Marks, text: str) -> str:
    if b"\0" in data:
        return "holds a null character"
    if sum(text.count(sign) for sign in (marks.field, marks.component, marks.repeat, marks.part) if sign) > MOST_PARTS:
        return "has too many parts to be a result"
    try:
        data.decode(marks.codec)
    except UnicodeDecodeError:
        return f"holds letters that are not in the character set of the message ({marks.codec.upper()})"
    return ""
