"""What holds for every file that calls itself HL7, made by hypothesis: broken ones, and whole ones read back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from labs.files import hl7_messages
from labs.files.candidates import FileError, Line, Status
from labs.units import library
from tests.labs.hl7_samples import CD4, LOAD, OBR, PID, POTASSIUM, SAMPLES, message, msh, obx, read

SEEDS = [path.read_bytes() for path in sorted(SAMPLES.glob("*.hl7"))]
SEEDS += [
    message(
        *(PID, OBR, obx(POTASSIUM, "NM", "4.1", "mmol/L", f7="3.5-5.1", f8="H"), "NTE|1|L|Hemolyzed"),
        *(obx(LOAD, "SN", "<^20", "copies/mL", "C"), obx(CD4, "ST", "612", "/uL", "P"), "SPM|1|^S1||BLD"),
    ),
    message(
        *(obx("600-7^Culture^LN", "TX", r"no\.br\growth \X41\ "), obx(LOAD, "SN", "^999"), "NTE|1||undetectable"),
        *(PID.replace("4711", "4712"), "ORC|RE|P2|F2", "OBR|1|||x|||20260305"),
        obx(LOAD, "CWE", "1^Not detected^SCT"),
        head=msh(charset="8859/1", at="202603051000+0100"),
    ),
]
SNIPPETS = [b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\0", b"\x0b", b"\x1c\r", b"\xff", b"\xc3\xa9", b'""']
SNIPPETS += [b"\xef\xbb\xbf", b"MSH|^~\\&|", b"\rOBX|1|NM|", b"\rPID|", b"\rNTE|1||see below", b"\\X0D\\", b"\\E\\"]
SNIPPETS += [b"\\.sp99\\", b"999", b"-", b"1e9999", b"9" * 400, b"20260230", b"UNICODE", b"8859/7", b"2.7", b"<", b"."]
SNIPPETS += [b"\xe2\x89\xa4"]
LONGEST = {"name": 120, "printed_range": 60, "flag": 20, "laboratory": 120, "note": 2000, "specimen": 40}
LONGEST |= {"external_id": 160, "patient": 120}
READING_LONGEST = {"raw": 60, "unit_text": 40, "text": 2000}


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A real message with some of its bytes taken away, changed, doubled or put elsewhere."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _time in range(draw(st.integers(1, 12))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from(SNIPPETS) | st.binary(max_size=6) | st.just(bytes(data[start:end])))
        match draw(st.integers(0, 4)):
            case 0:
                del data[start:end]
            case 1:
                data[start:end] = piece
            case 2:
                data[start:start] = piece
            case 3:
                data[:] = data[:start] if start else data
            case 4:
                data[start:start] = data[: draw(st.integers(0, len(data)))][-400:]
    return bytes(data)


def check(data: bytes) -> None:
    """Words or results, never an exception; a result holds only what stands in the file, and fits where it is kept."""
    try:
        lines = list(hl7_messages.lines(data, library()))
    except FileError:
        return
    plain = _plain(data)
    for line in lines:
        _fits(line)
        _was_written(line, plain)


def _fits(line: Line) -> None:
    assert all(len(getattr(line, name)) <= most for name, most in LONGEST.items())
    kept = [line.raw, line.reason, *(getattr(line, name) for name in LONGEST)]
    assert not any("\0" in text or "\r" in text for text in kept)
    if line.status is Status.READY:
        assert line.reading is not None
        assert (line.on is None) != (line.moment is None)
        assert 1980 <= (line.on or line.moment).year <= 2200  # type: ignore[union-attr]
    assert bool(line.reason) or line.status is not Status.NOT_UNDERSTOOD
    if line.reading is not None:
        assert all(len(getattr(line.reading, name)) <= most for name, most in READING_LONGEST.items())
        assert (line.reading.value is None) == (bool(line.reading.text) or (line.reading.detected is False and
                                                line.reading.value is None))  # fmt: skip


def _was_written(line: Line, plain: str) -> None:
    """No number that is not in the file, digit by digit; text only as it stands there."""
    reading = line.reading
    if reading is None or reading.value is None:
        return
    assert reading.value >= 0
    figures = re.search(r"[0-9.][0-9 .,eE+-]*", reading.raw)
    assert figures
    assert _squeezed(figures[0]) in plain
    digits = re.sub(r"[ ,]", "", figures[0].strip(" ,")) if reading.unit else figures[0].strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", digits) and "," not in figures[0]:
        assert reading.value == Decimal(digits)


def _plain(data: bytes) -> str:
    text = data.decode("latin-1").encode("latin-1").decode("utf-8", "replace")
    return _squeezed(
        re.sub(r"\\X((?:[0-9A-Fa-f]{2})+)\\", lambda found: bytes.fromhex(found[1]).decode("latin-1"), text)
    )


def _squeezed(text: str) -> str:
    return re.sub(r"\\[HN]\\|[\s\x00-\x1f]", "", text)


# Whole messages


@dataclass(frozen=True)
class Sent:
    """One result as the laboratory means it."""

    test: str
    kind: str
    sign: str
    digits: str
    text: str
    unit: str
    on: date


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from(" |^~\\&#"), max_size=40)
DECIMALS = st.decimals(Decimal("1.1"), Decimal("11.9"), places=2, allow_nan=False).map(str)
DAYS = st.dates(date(1990, 1, 1), date(2026, 1, 1))
SENT = st.one_of(
    st.builds(Sent, st.just(POTASSIUM), st.just("NM"), st.just(""), DECIMALS, st.just(""), st.just("mmol/L"), DAYS),
    st.builds(Sent, st.just(LOAD), st.just("SN"), st.sampled_from(["", "=", "<", ">", "<=", ">="]),
              st.integers(1, 10**7).map(str), st.just(""), st.just("copies/mL"), DAYS),
    st.builds(Sent, st.just(CD4), st.just("ST"), st.sampled_from(["", "<", ">"]), st.integers(1, 4000).map(str),
              st.just(""), st.just("/uL"), DAYS),
    st.builds(Sent, st.just("x^Remark^L"), st.sampled_from(["TX", "FT", "ST"]), st.just(""), st.just(""),
              WORDS.map(lambda text: f"it says {text}".strip()), st.just(""), DAYS),
)  # fmt: skip
SIGNS = st.permutations("|^~\\&#!$%*").map(lambda signs: "".join(signs[:5]))


def written(results: list[Sent], signs: str, end: str, batch: bool) -> bytes:
    """These results as one message with these separators (field, component, repeat, escape, part) and line ends."""
    field, component, repeat, escape, part = signs
    names = dict(zip(signs, "FSRET", strict=True))

    def plain(text: str) -> str:
        return "".join(f"{escape}{names[sign]}{escape}" if sign in names else sign for sign in text)

    def segment(*fields: str) -> str:
        return field.join(fields)

    rows = [segment("MSH", f"{component}{repeat}{escape}{part}", "LIS", "LAB", "", "", "20260305", "",
                    f"ORU{component}R01", "1", "P", "2.5.1", *[""] * 5, "UNICODE UTF-8"),
            segment("PID", "1", "", "4711"), segment("OBR", "1", "", "F1", "x")]  # fmt: skip
    for number, sent in enumerate(results, start=1):
        value = plain(sent.text) if sent.text else sent.sign + (component if sent.kind == "SN" else "") + sent.digits
        rows.append(segment("OBX", str(number), sent.kind, sent.test.replace("^", component), str(number), value,
                            plain(sent.unit), "", "", "", "", "F", "", "", sent.on.strftime("%Y%m%d")))  # fmt: skip
    if batch:
        rows = [f"BHS{field}{component}{repeat}{escape}{part}", *rows, f"BTS{field}1"]
    return end.join([*rows, ""]).encode()


def comes_back(results: list[Sent], signs: str, end: str, batch: bool) -> None:
    """Every result is read as it was meant: the sign, the number, the text, the day."""
    lines = read(written(results, signs, end, batch))
    assert [_told(line) for line in lines] == [_meant(sent) for sent in results]


def _told(line: Line) -> Any:
    assert (line.status, line.reason) == (Status.READY, "")
    assert line.reading is not None
    return (line.reading.comparator, line.reading.value, line.reading.text, line.on)


def _meant(sent: Sent) -> Any:
    if sent.text:
        return ("=", None, sent.text, sent.on)
    return (sent.sign or "=", Decimal(sent.digits), "", sent.on)
