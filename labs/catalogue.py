"""Which test of the catalogue is meant: by its LOINC code, or by its name as laboratories write it. Pure.

A name is compared as a set of words, without those that say how a blood sample was taken or counted: "Neutrophils,
Absolute", "Absolute neutrophil count" and "NEUTROPHILS #" are one test, "Creatinine, urine" and "Lymphocytes %" are
none of ours. None = not in the catalogue: the result is kept under its own name.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

from labs.units import LIBRARY, UNITS, folded, known_unit, library

LONGEST_NAME = 160
SAYS_HOW = frozenset(
    word
    for words in (
        "absolute abs count cnt number num level result in of or by with automated manual calculated enzymatic",
        "serum plasma blood ser plas bld whole venous",
    )
    for word in words.split()
)
SAME_WORDS = {"pct": "percent", "perc": "percent", "percentage": "percent"}
OF_VOLUME = re.compile(r"\[[^\]]*(?:volume|activity)[^\]]*\]")
SPECIMEN_BEFORE = re.compile(r"^f?(?:s|p|b|vb)-\s*")
RATIO = re.compile(r"cd4\+?\s*[/:]\s*cd8")
UPSIDE_DOWN = re.compile(r"cd8.*cd4|suppressor.*helper")
MEANT_BY_UNIT = {("urea",): ("urea", "mmol_l")}
"""Names that mean the test in one unit only: "urea" in mg/dL is not urea nitrogen in mg/dL, but twice as much."""
LOINC_BY_UNIT = {"3091-6": "urea_mg_dl", "22664-7": "mmol_l", "14937-7": "mmol_l"}
"""The same for codes: mass of urea, moles of urea, moles of urea nitrogen."""
NEEDS_UNIT = {"3091-6"}


@cache
def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(LIBRARY.read_text("utf-8"))
    return rows


@cache
def _by_loinc() -> dict[str, str]:
    return {loinc: row["code"] for row in _rows() for loinc in (row["loinc"], *row["loincs"]) if loinc}


@cache
def _by_name() -> dict[tuple[str, ...], str]:
    return {words: code for words, code in names() if words not in MEANT_BY_UNIT}


def names() -> Iterator[tuple[tuple[str, ...], str]]:
    """Every name in the catalogue as words, with the code of its test."""
    for row in _rows():
        if row["units"]:
            yield from ((as_words(name), row["code"]) for name in (row["name"], *row["synonyms"]))


@lru_cache(maxsize=4096)
def as_words(name: str) -> tuple[str, ...]:
    """The words of a name that say which test it is, in an order of their own."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    plain = RATIO.sub("cd4 cd8 ratio", SPECIMEN_BEFORE.sub("", OF_VOLUME.sub(" ", plain)))
    plain = plain.replace("%", " percent ").replace("aemo", "emo").replace("aemato", "emato").replace("leuco", "leuko")
    words = [SAME_WORDS.get(word, word) for word in re.findall(r"[a-z0-9]+", plain.replace("ionized", "ionised"))]
    return tuple(sorted({_singular(word) for word in words if word not in SAYS_HOW}))


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 4 else word


def test_called(text: str, unit: str = "") -> str | None:  # noqa: PT028 - not a test of pytest
    """Code of the test that a laboratory calls so, or None. `unit` as printed beside it decides between a count and a
    percentage, and whether "urea" is the test."""
    if len(text) > LONGEST_NAME or UPSIDE_DOWN.search(text.casefold()):
        return None
    words = as_words(text)
    if unit and "percent" not in words and folded(unit) in UNITS["percent"].spellings:
        return _of_percent(words)
    if words in MEANT_BY_UNIT:
        code, needed = MEANT_BY_UNIT[words]
        return code if known_unit(library()[code], unit) == needed else None
    return _by_name().get(words)


def _of_percent(words: tuple[str, ...]) -> str | None:
    code = _by_name().get(words)
    if code and "percent" in library()[code].factors:
        return code
    return _by_name().get(tuple(sorted((*words, "percent"))))


def by_loinc(code: str, unit: str = "") -> str | None:
    """Code of the test with this LOINC, or None. With a `unit` as printed, also None where the two contradict."""
    code = code.strip()
    test, meant = _by_loinc().get(code), LOINC_BY_UNIT.get(code)
    if test is None or meant is None or not (unit or code in NEEDS_UNIT):
        return test
    return test if known_unit(library()[test], unit) == meant else None


def meant(loincs: Iterable[str], names: Iterable[str], unit: str = "") -> str | None:
    """Code of the one test that all LOINC codes beside a result mean; where it has none, its names. None for no test.

    A LOINC that is not in the catalogue is another test, whatever its name: sodium in urine is called sodium too.
    """
    by_code = {by_loinc(code, unit) for code in loincs}
    codes = by_code or {code for name in names if (code := test_called(name, unit))}
    return codes.pop() if len(codes) == 1 else None


def loinc_of(test: str, unit: str = "") -> str:
    """LOINC of a result of this test written in this unit: mass and moles have codes of their own. "" for no test."""
    row = next((row for row in _rows() if row["code"] == test), None)
    return "" if row is None else row["loinc_units"].get(unit, row["loinc"])
