"""The units of blood tests, the rules of each test, and results as values: converted exactly, said in words. Pure.

A unit is found by any way in which laboratories write it. One that is not known is kept as printed and never guessed:
such a value is neither converted nor compared. How people's writing is read stands in `written`.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).with_name("analytes.json")
MOST_DECIMALS = 6
SIGNIFICANT = 20  # digits of a conversion that no decimal holds exactly: more than any result has
SHOWN = 4  # digits of such a conversion on pages
WHOLE_COPIES = Decimal(1)
HIGHEST_POWER = 9
EXACT = Context(prec=60, traps=[Inexact])
ROUNDED = Context(prec=SIGNIFICANT, traps=[])
LEADS = {"<": "less than ", "<=": "at most ", ">": "more than ", ">=": "at least "}


class ReadingError(ValueError):
    """What was written cannot be a result of this test; the message says so in words for the writer."""


@dataclass(frozen=True)
class Unit:
    """One way of writing a quantity: its code here, its words on pages, its UCUM code, how reports spell it.

    `whole` units count things; a `power_of_ten` is the log10 of such a count.
    """

    code: str
    words: str
    ucum: str
    spelled: str = ""
    whole: bool = False
    power_of_ten: bool = False

    @cached_property
    def spellings(self) -> frozenset[str]:
        """Every spelling, folded."""
        written = (self.code, self.ucum, self.words, *self.spelled.split("|"))
        return frozenset(folded(text) for text in written if text)


PLAIN_TEXT = str.maketrans({"μ": "u", "×": "x", "−": "-", "·": ".", "_": " ", "\\": "/"})
POWER = re.compile(r"^x?10(?:\*\*|\*|\^|e\+?|)0?(3|6|9|12)(?=/|[a-z])")


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """A unit without the accidents of writing: µ and μ, 10⁹ and 10*9 and x10E9, "mmol.l-1" and "mmol/L", {} and []."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(PLAIN_TEXT)
    plain = re.sub(r"[ .]([a-z]{1,3})\^?-1$", r"/\1", plain.strip())
    plain = plain.replace(" per ", "/").replace("mcl", "ul").replace("mcmol", "umol")
    return POWER.sub(r"10^\1", re.sub(r"[\s(){}\[\]]", "", plain))


CELLS = "/uL|uL|cells|cell/uL|cells/mm3|cell/mm3|/mm3|mm3|#/uL|count/uL|/cumm|cumm|cells/cumm|cells/cu mm|/cu mm"
THOUSANDS = "K/uL|K/mm3|10*3/mm3|10*3 cells/uL|thou/uL|thousand/uL|thousands/uL|thou/mm3|Tsd/uL|K/cumm|10*3/cumm"
GIGAS = "G/L|giga/L|giga l|giga.l-1|Gpt/L|10*9 cells/L|bil/L|billion/L"
MILLIONS = "M/uL|M/mm3|mil/uL|mill/uL|million/uL|millions/uL|Mio/uL|10*6/mm3|10*6 cells/uL|M/cumm|10*6/cumm"
TERAS = "T/L|tera/L|tera.l-1|Tpt/L|10*12 cells/L"
COPIES = (
    "copies/mL|c/mL|cp/mL|cps/mL|copy/mL|copies|copies ml|HIV copies/mL|RNA copies/mL|copies RNA/mL|copies/mL plasma"
)
LOGS = (
    "log|log10|log copies/mL|log10 copies/mL|log c/mL|log10 c/mL|log cp/mL|log10 cp/mL|log10 cps/mL|log10/mL|log/mL"
    "|lg copies/mL|{Log_copies}/mL|{Log10_copies}/mL|log10 copies ml|log(copies/mL)"
)
MASS = "mg/100mL|mg%|mgs/dL"
UNITS = {
    unit.code: unit
    for unit in (
        Unit("cells_ul", "cells/mm³", "{cells}/uL", CELLS, whole=True),
        Unit("thousand_ul", "10³/µL", "10*3/uL", THOUSANDS),
        Unit("giga_l", "10⁹/L", "10*9/L", GIGAS),
        Unit("million_ul", "10⁶/µL", "10*6/uL", MILLIONS),
        Unit("tera_l", "10¹²/L", "10*12/L", TERAS),
        Unit("percent", "%", "%", "percent|per cent|pct|percentage"),
        Unit("fraction", "L/L", "L/L", "fraction|vol/vol"),
        Unit("ratio", "", "{ratio}", "ratio|1|:1"),
        Unit("copies_ml", "copies per mL", "{copies}/mL", COPIES, whole=True),
        Unit("log10_copies_ml", "log10 copies per mL", "{Log10_copies}/mL", LOGS, power_of_ten=True),
        Unit("u_l", "U/L", "U/L", "IU/L|units/L|unit/L|[IU]/L|E/L|UI/L"),
        Unit("ukat_l", "µkat/L", "ukat/L", "microkat/L"),
        Unit("mg_dl", "mg/dL", "mg/dL", MASS),
        Unit("bun_mg_dl", "mg/dL of urea nitrogen", "mg/dL", MASS + "|mg/dL BUN|mg/dL N|mg N/dL"),
        Unit("urea_mg_dl", "mg/dL of urea", "mg/dL", MASS + "|mg/dL urea"),
        Unit("umol_l", "µmol/L", "umol/L", "micromol/L|mcmol/L"),
        Unit("mmol_l", "mmol/L", "mmol/L", "millimol/L"),
        Unit("meq_l", "mEq/L", "meq/L", "mval/L"),
        Unit("mmol_mol", "mmol/mol", "mmol/mol", "mmol/mol Hb|mmol/molHb|mmol/mol{Hb}"),
        Unit("g_dl", "g/dL", "g/dL", "gm/dL|gms/dL|gr/dL|g/100mL|g%"),
        Unit("g_l", "g/L", "g/L", "gm/L|gms/L|gr/L"),
        Unit("ng_dl", "ng/dL", "ng/dL", "ng/100mL|ng%"),
        Unit("ng_l", "ng/L", "ng/L", "pg/mL"),
        Unit("pmol_l", "pmol/L", "pmol/L", "picomol/L"),
        Unit("miu_l", "mIU/L", "m[IU]/L", "mU/L|uIU/mL|u[IU]/mL|uU/mL|mcIU/mL|mcU/mL|mUnits/L|uUnits/mL"),
    )
}


@dataclass(frozen=True)
class Operation:
    """What turns a number in one unit into the test's own: "1", "*1000", "/88.4", "+23.5/10.93", or "10^"."""

    plus: Fraction = Fraction(0)
    times: Fraction = Fraction(1)
    power_of_ten: bool = False

    @cached_property
    def is_same(self) -> bool:
        """Whether it leaves every number as it is."""
        return self == SAME

    @cached_property
    def _converted(self) -> Callable[[Decimal], Decimal]:
        """Remembered, since results repeat themselves and fractions are dear; a number is the same with more zeros."""
        return lru_cache(maxsize=2048)(lambda value: _decimal(self.exact(value)))

    def forward(self, value: Decimal) -> Decimal:
        """The number in the test's own unit: exact, or to SIGNIFICANT digits where no decimal is. Copies are whole."""
        if self.power_of_ten:
            return (Decimal(10) ** value).quantize(WHOLE_COPIES)
        return value if self.is_same else self._converted(value)

    def exact(self, value: Decimal) -> Fraction:
        """The number in the test's own unit without rounding, for what is compared; not of a power of ten."""
        return (Fraction(value) + self.plus) * self.times

    def back(self, own: Decimal) -> Decimal:
        """The number in that unit of one in the test's own."""
        if self.power_of_ten:
            return own.log10(ROUNDED)
        return own if self.is_same else _decimal(Fraction(own) / self.times - self.plus)


SAME = Operation()
OPERATION = re.compile(r"(?:\+(?P<plus>[0-9.]+))?(?:(?P<sign>[*/])(?P<number>[0-9.]+))?")


def _decimal(exact: Fraction) -> Decimal:
    top, bottom = Decimal(exact.numerator), Decimal(exact.denominator)
    try:
        return EXACT.divide(top, bottom)
    except Inexact:
        return ROUNDED.divide(top, bottom)


@cache
def operation(text: str) -> Operation:
    """Operation as written in analytes.json. Raises ValueError for anything else."""
    if text in {"1", "10^"}:
        return Operation(power_of_ten=text == "10^")
    parts = OPERATION.fullmatch(text)
    if not parts or not text:
        raise ValueError(f"“{text}” is no operation.")
    number = Fraction(parts["number"] or 1)
    return Operation(Fraction(parts["plus"] or 0), 1 / number if parts["sign"] == "/" else number)


@dataclass(frozen=True)
class Rule:
    """Everything needed to read one test: its own unit, the units people may use, what is refused and what is asked.

    `factors` maps the code of each allowed unit to what turns it into the canonical one. Bounds are in the canonical
    unit: outside hard is refused, outside soft is asked (domain D3.5, app's own). `jump` = a change to more than n
    times or less than 1/n of the value before is asked (app's own). A rule without units takes whatever is printed.
    """

    code: str
    name: str
    canonical_unit: str
    factors: Mapping[str, Operation] = field(hash=False)
    hard_low: Decimal
    hard_high: Decimal
    soft_low: Decimal
    soft_high: Decimal
    jump: Decimal | None = None
    timing_matters: bool = True
    may_be_undetected: bool = False

    @property
    def units(self) -> tuple[str, ...]:
        """Codes of the allowed units, the canonical one first."""
        return tuple(self.factors)


@dataclass(frozen=True)
class Reading:
    """One result as written. `value` is None only for "not detected" without a limit, and for a result in words.

    `comparator` is =, <, >, <= or >=. `unit` is a code of UNITS; "" = a unit that is not known, kept in `unit_text` as
    printed: such a value is never converted, flagged or drawn. `text` is a result in words ("no growth").
    """

    comparator: str
    value: Decimal | None
    unit: str
    detected: bool | None
    raw: str
    unit_text: str = ""
    text: str = ""

    @property
    def is_upper_limit(self) -> bool:
        """Whether its value is only an upper limit: "<20", "≤ 40"."""
        return is_upper_limit(self.comparator)


def is_upper_limit(comparator: str) -> bool:
    """Whether the comparator makes the number an upper limit."""
    return comparator in {"<", "<="}


def rule_from(row: Mapping[str, Any]) -> Rule:
    """Rule of one entry of analytes.json (or of the same fields of a database row, which keeps no order of units)."""
    bounds = {name: Decimal(row[name]) for name in ("hard_low", "hard_high", "soft_low", "soft_high")}
    codes = sorted(row["units"], key=lambda code: (code != row["canonical_unit"], list(UNITS).index(code)))
    return Rule(
        code=row["code"],
        name=row["name"],
        canonical_unit=row["canonical_unit"],
        factors={code: operation(row["units"][code]) for code in codes},
        jump=None if row["jump"] is None else Decimal(row["jump"]),
        timing_matters=row["timing_matters"],
        may_be_undetected=row["may_be_undetected"],
        **bounds,
    )


@cache
def library() -> dict[str, Rule]:
    """Rules by code, as shipped."""
    return {row["code"]: rule_from(row) for row in json.loads(LIBRARY.read_text("utf-8"))}


def known_unit(rule: Rule, name: str, chosen: str = "") -> str:
    """Code of the unit of this test that is written so; "" when there is none. `chosen` decides where two are."""
    wanted = folded(name)
    if not wanted:
        return chosen if chosen in rule.factors else "ratio" if "ratio" in rule.factors else ""
    codes = [code for code in rule.factors if wanted in UNITS[code].spellings]
    return chosen if chosen in codes else next(iter(codes), "")


def unit_called(rule: Rule, name: str, chosen: str = "") -> Unit:
    """Unit of this test by its code or by any spelling of it. Raises ReadingError for a unit of another test."""
    code = known_unit(rule, name, chosen)
    if code:
        return UNITS[code]
    if folded(name) in {"iu/ml", "log10iu/ml", "logiu/ml"}:
        raise ReadingError("IU/mL cannot be turned into copies: what one unit is differs from test to test.")
    known = ", ".join(UNITS[code].words for code in rule.units if UNITS[code].words)
    raise ReadingError(f"“{name}” is not a unit of this test. It {f'is written in {known}' if known else 'has none'}.")


def canonical(rule: Rule, value: Decimal, unit: str) -> Decimal:
    """The value in the test's own unit. A power of ten is rounded to whole copies; see Operation for the rest."""
    return rule.factors[unit].forward(value)


def in_unit(rule: Rule, own: Decimal, unit: str) -> Decimal:
    """A value of the test's own unit in another of its units."""
    return rule.factors[unit].back(own)


def in_own_unit(rule: Rule, reading: Reading) -> Reading:
    """The same reading in the test's own unit; as it is where its unit is not known."""
    if not reading.unit or reading.unit == rule.canonical_unit:
        return reading
    if reading.value is None:
        return replace(reading, unit=rule.canonical_unit)
    return replace(reading, value=canonical(rule, reading.value, reading.unit), unit=rule.canonical_unit)


def figure(value: Decimal) -> str:
    """The number as people read it: thousands by commas, a leading zero, no trailing zeros.

    Nobody writes more than MOST_DECIMALS decimals, so that such a number was converted: SHOWN digits say enough.
    """
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MOST_DECIMALS:
        value = Context(prec=SHOWN).plus(value)
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_words(rule: Rule, reading: Reading, *, unit: bool = True) -> str:
    """The reading as a phrase in the unit it was written in: "less than 20 copies per mL"."""
    if reading.text:
        return reading.text
    if reading.value is None:
        return "not detected"
    words = UNITS[reading.unit].words if reading.unit else reading.unit_text
    found = {True: ", detected", False: ", not detected", None: ""}[reading.detected]
    phrase = f"{LEADS.get(reading.comparator, '')}{figure(reading.value)}"
    return f"{with_unit(phrase, words)}{found}" if unit else phrase + found


def with_unit(phrase: str, words: str) -> str:
    """A number with its unit: "612 cells/mm³"; "0.5 × 10³/µL", so that the two numbers do not run together."""
    return f"{phrase} {'× ' if words.startswith('10') else ''}{words}" if words else phrase
