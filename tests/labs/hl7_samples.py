"""HL7 messages as laboratories send them, put together a segment at a time."""

from __future__ import annotations

from pathlib import Path

from labs.files import hl7_messages
from labs.files.candidates import Line
from labs.units import library

SAMPLES = Path(__file__).parent.parent / "data" / "hl7"
PID = "PID|1||4711^^^LAB^MR||Novak^Anna^Maria||19800315|F"
OBR = "OBR|1|P1|F1^LAB|24323-8^Panel^LN|||20260304081500"
POTASSIUM = "2823-3^Potassium^LN"
CD4, LOAD = "24467-3^CD4 cells^LN", "20447-9^HIV 1 RNA^LN"


def msh(*, kind: str = "ORU^R01", version: str = "2.5.1", charset: str = "", at: str = "20260305100000") -> str:
    """A header: MSH-7, MSH-9, MSH-12 and MSH-18."""
    return rf"MSH|^~\&|LIS|CITYLAB|||{at}||{kind}|1|P|{version}||||||{charset}"


def obx(test: str, kind: str, value: str, unit: str = "", status: str = "F", *, sub: str = "", **fields: str) -> str:
    """A result; `fields` are others by number: f7="3.5-5.1"."""
    parts = ["OBX", "1", kind, test, sub, value, unit, "", "", "", "", status]
    parts += [""] * 14
    for name, text in fields.items():
        parts[int(name[1:])] = text
    return "|".join(parts).rstrip("|")


def message(*segments: str, head: str = "", end: str = "\r") -> bytes:
    """Segments under a header (and under a patient and an order, where none is among them)."""
    own = list(segments)
    if not any(segment.startswith("OBR") for segment in own):
        own.insert(next((n for n, s in enumerate(own) if s.startswith("OBX")), 0), OBR)
    if not any(segment.startswith("PID") for segment in own):
        own.insert(0, PID)
    return (end.join([head or msh(), *own]) + end).encode()


def read(data: bytes) -> list[Line]:
    """Every line of a file."""
    return list(hl7_messages.lines(data, library()))


def one(*segments: str, head: str = "") -> Line:
    """The only line of a message with these segments."""
    (line,) = read(message(*segments, head=head))
    return line
