"""How the range printed beside a result was read on 21 November 2026, for 0006 alone: nothing here follows later rules.

A copy, so that a database of any age is migrated as it was on that day.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

LONGEST = 60
PLAIN = {**dict.fromkeys(map(ord, "–—‒‐‑−"), "-"), **dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\t"), " ")}
NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
UNIT = (
    r"(?:(?:[x×]\s?)?10\s?(?:[*^]|e\+?)?\s?[0-9³⁶⁹¹²]{1,2}\s?/\s?[a-zµμ]+|[^0-9<>≤≥=;|-]*(?:/mm3|/cmm|/1\.73\s?m[2²])?)"
)
FOR_SOME = re.compile(
    r"\b(?:wo)?m[ae]n\b|\b(?:fe)?males?\b|\b[mf]\b|\badult|\bchild|\binfant|\bpregnan|\bfasting|\b(?:year|yr|month|week|day|age)s?\b"
    r"|\bphase|\btrimester|\bsmok"
)
BEFORE = r"(?:(?:normal|reference|ref|range|interval|expected|is)\b[.:\s]*)*"
BETWEEN = re.compile(
    rf"{BEFORE}(?P<low>[+-]?{NUMBER})\s*(?:-|–|to|~|\.\.\.?|and|bis)\s*(?P<high>[+-]?{NUMBER})\s*(?P<unit>{UNIT})"
)
ONE_SIDED = re.compile(rf"{BEFORE}(?P<sign>[<>≤≥=]{{1,2}}|[a-z ]+?)\s*(?P<limit>[+-]?{NUMBER})\s*(?P<unit>{UNIT})")
OR_MORE = re.compile(
    rf"{BEFORE}(?P<limit>[+-]?{NUMBER})\s*(?P<unit>{UNIT}?)\s*(?P<sign>or (?:more|less|above|below|higher|lower))"
)
SIDES = {
    "<": (True, False),
    "less than": (True, False),
    "below": (True, False),
    "under": (True, False),
    "<=": (True, True),
    "=<": (True, True),
    "≤": (True, True),
    "up to": (True, True),
    "at most": (True, True),
    "to": (True, True),
    "or less": (True, True),
    "or below": (True, True),
    "or lower": (True, True),
    ">": (False, False),
    "more than": (False, False),
    "greater than": (False, False),
    "above": (False, False),
    "over": (False, False),
    ">=": (False, True),
    "=>": (False, True),
    "≥": (False, True),
    "at least": (False, True),
    "from": (False, True),
    "or more": (False, True),
    "or above": (False, True),
    "or higher": (False, True),
}
WRITTEN_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
AFTER = re.compile(
    rf"[^0-9]*{WRITTEN_NUMBER}(?:\s*(?:-|–|—|to|~|and|bis|\.{{2,3}})\s*{WRITTEN_NUMBER})?(?P<unit>.*)",
    re.DOTALL | re.IGNORECASE,
)
THOUSANDS = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}\.[0-9]{3}(?![0-9])")
OR_SO = re.compile(r"\bor (?:more|less|above|below|higher|lower)\b", re.IGNORECASE)
WHOLE = {"cells_ul", "copies_ml"}
SPELLED = {
    "cells_ul": "#/ul|/cumm|/mm3|/ul|cell/mm3|cell/ul|cells|cells/cumm|cells/mm3|cells/ul|cellsul|count/ul|cumm|mm3|ul",
    "thousand_ul": "10^3/cumm|10^3/mm3|10^3/ul|10^3cells/ul|k/cumm|k/mm3|k/ul|thou/mm3|thou/ul|thousand/ul|thousands/ul|thousandul|tsd/ul",
    "giga_l": "10^9/l|10^9cells/l|bil/l|billion/l|g/l|giga/l|gigal|gpt/l",
    "million_ul": "10^6/cumm|10^6/mm3|10^6/ul|10^6cells/ul|m/cumm|m/mm3|m/ul|mil/ul|mill/ul|million/ul|millions/ul|millionul|mio/ul",
    "tera_l": "10^12/l|10^12cells/l|t/l|tera/l|teral|tpt/l",
    "percent": "%|pct|percent|percentage",
    "fraction": "fraction|l/l|vol/vol",
    "ratio": "1|:1|ratio",
    "copies_ml": "c/ml|copies|copies/ml|copies/mlplasma|copiesml|copiesrna/ml|copy/ml|cp/ml|cps/ml|hivcopies/ml|rnacopies/ml",
    "log10_copies_ml": "lgcopies/ml|log|log/ml|log10|log10/ml|log10c/ml|log10copies/ml|log10copiesml|log10cp/ml|log10cps/ml|logc/ml|logcopies/ml|logcp/ml",
    "u_l": "e/l|iu/l|u/l|ui/l|ul|unit/l|units/l",
    "ukat_l": "microkat/l|ukat/l|ukatl",
    "mg_dl": "mg%|mg/100ml|mg/dl|mgdl|mgs/dl",
    "bun_mg_dl": "bunmgdl|mg%|mg/100ml|mg/dl|mg/dlbun|mg/dln|mg/dlofureanitrogen|mgn/dl|mgs/dl",
    "urea_mg_dl": "mg%|mg/100ml|mg/dl|mg/dlofurea|mg/dlurea|mgs/dl|ureamgdl",
    "umol_l": "micromol/l|umol/l|umoll",
    "mmol_l": "millimol/l|mmol/l|mmoll",
    "meq_l": "meq/l|meql|mval/l",
    "mmol_mol": "mmol/mol|mmol/molhb|mmolmol",
    "g_dl": "g%|g/100ml|g/dl|gdl|gm/dl|gms/dl|gr/dl",
    "g_l": "g/l|gl|gm/l|gms/l|gr/l",
    "ng_dl": "ng%|ng/100ml|ng/dl|ngdl",
    "ng_l": "ng/l|ngl|pg/ml",
    "pmol_l": "picomol/l|pmol/l|pmoll",
    "miu_l": "mciu/ml|mcu/ml|miu/l|miul|mu/l|munits/l|uiu/ml|uu/ml|uunits/ml",
}
PLAIN_TEXT = str.maketrans({"μ": "u", "×": "x", "−": "-", "·": ".", "_": " ", "\\": "/"})
POWER = re.compile(r"^x?10(?:\*\*|\*|\^|e\+?|)0?(3|6|9|12)(?=/|[a-z])")


@dataclass(frozen=True)
class Range:
    """The limits of a laboratory; None = no limit on that side."""

    low: Decimal | None
    high: Decimal | None
    low_inclusive: bool = True
    high_inclusive: bool = True


def is_outside(
    value: Decimal | None, comparator: str, unit: str, units: Mapping[str, str], own: str, text: str
) -> bool:
    """Whether a result lies outside the range `text`. `units`: what turns each unit of its test into its `own`."""
    if (
        not unit
        or value is None
        or _names_another(text, unit, units, own)
        or (unit in WHOLE and THOUSANDS.search(text))
    ):
        return False
    limits = _printed(text)
    if limits is None:
        return False
    if comparator == "=":
        return _is_low(limits, value) or _is_high(limits, value)
    if comparator in {"<", "<="}:
        bounded = limits.low is not None and not (limits.low == 0 and limits.low_inclusive)
        return bounded and (_is_low(limits, value) or (value == limits.low and comparator == "<"))
    return limits.high is not None and (_is_high(limits, value) or (value == limits.high and comparator == ">"))


def _names_another(text: str, unit: str, units: Mapping[str, str], own: str) -> bool:
    found = AFTER.fullmatch(text)
    named = _folded(OR_SO.sub("", found["unit"]).strip(" ()[]")) if found else ""
    if not named:
        return False
    known = [code for code in SPELLED if code in units and named in SPELLED[code].split("|")]
    meant = unit if unit in known else own if own in known else next(iter(known), "")
    return not meant or units[meant] != units[unit]


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().translate(PLAIN_TEXT)
    plain = re.sub(r"[ .]([a-z]{1,3})\^?-1$", r"/\1", plain.strip())
    plain = plain.replace(" per ", "/").replace("mcl", "ul").replace("mcmol", "umol")
    return POWER.sub(r"10^\1", re.sub(r"[\s(){}\[\]]", "", plain))


def _printed(text: str) -> Range | None:
    plain = " ".join(text.translate(PLAIN).casefold().split())
    if len(plain) > LONGEST or FOR_SOME.search(plain):
        return None
    if plain[:1] + plain[-1:] in {"()", "[]"}:
        plain = plain[1:-1].strip()
    if two := BETWEEN.fullmatch(plain):
        low, high = _number(two["low"]), _number(two["high"])
        return None if low is None or high is None or low > high else Range(low, high)
    one = ONE_SIDED.fullmatch(plain) or OR_MORE.fullmatch(plain)
    return _one_sided(one["sign"].strip(), _number(one["limit"])) if one else None


def _number(text: str) -> Decimal | None:
    """The number; None where a comma before three digits could be either sign."""
    if re.fullmatch(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}", text):
        return None
    return Decimal(text.replace(",", "."))


def _one_sided(sign: str, limit: Decimal | None) -> Range | None:
    if limit is None or sign not in SIDES:
        return None
    upper, inclusive = SIDES[sign]
    return Range(None, limit, high_inclusive=inclusive) if upper else Range(limit, None, low_inclusive=inclusive)


def _is_low(limits: Range, value: Decimal) -> bool:
    return limits.low is not None and (value < limits.low or (value == limits.low and not limits.low_inclusive))


def _is_high(limits: Range, value: Decimal) -> bool:
    return limits.high is not None and (value > limits.high or (value == limits.high and not limits.high_inclusive))
