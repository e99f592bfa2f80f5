"""What is no result of blood: another material, and facts about a person that are sent among results. Pure.

Such a fact is left out in words, never kept as a result and never dropped silently. A result of another material is
kept as printed under its own name, but is never a test of the catalogue.
"""

import re
from collections.abc import Iterable

from labs.units import folded

MATERIALS = (
    r"urine|csf|cerebr\w*|spinal|stool|fa?eces|saliva|sputum|swab|sweat|semen|fluid|pleural|ascit\w*|lavage|dialys\w*"
    r"|isolate|tissue|marrow"
)
CODES = "ur|urin|stl|sal|spt|swb|flu|bal|isol|tiss|smn|mar"  # HL7 tables 0070 and 0487
OTHER_MATERIAL = re.compile(rf"\b(?:{MATERIALS})\b", re.IGNORECASE)
OTHER_SPECIMEN = re.compile(rf"\b(?:{MATERIALS}|{CODES})\b", re.IGNORECASE)
FACTS = {
    loinc: what
    for what, loincs in (
        ("a person’s age", "30525-0 21612-7 29553-5"),
        ("a person’s sex", "46098-0 76689-9"),
        ("origin", "32624-9 42784-9"),
        ("whether somebody fasted", "49541-6"),
        ("pregnancy", "11449-6 82810-3 8665-2 11884-4 18185-9 49051-6"),
        ("height or weight", "8302-2 3137-7 29463-7 3141-9 39156-5"),
        ("a body temperature", "8310-5"),
        ("a pulse, a breathing rate or a blood pressure", "8867-4 9279-1 85354-9 8480-6 8462-4"),
        ("oxygen measured at a finger", "59408-5"),
        ("oxygen that was breathed", "3150-6 3151-8"),
    )
    for loinc in loincs.split()
}
UNITS_OF_FACTS = {"a": "an age or a time", "cm": "a length", "kg": "a weight", "kg/m2": "a weight for the height",
                  "cel": "a temperature", "degf": "a temperature"}  # fmt: skip
UNITS_OF_FACTS |= dict.fromkeys(("yr", "yrs", "year", "years", "mo", "month", "months", "wk", "week", "weeks"),
                                "an age or a time")  # fmt: skip


def is_named(name: str) -> bool:
    """Whether the name of a test says another material than blood: "Glucose, urine"."""
    return bool(OTHER_MATERIAL.search(name))


def is_specimen(specimen: str) -> bool:
    """Whether a specimen, as words or as a code of HL7, is another material than blood."""
    return bool(OTHER_SPECIMEN.search(specimen))


def fact(loincs: Iterable[str], unit: str = "") -> str:
    """Why this is no blood result, as a sentence; "" where it may be one. `unit` as printed or coded.

    Asked only of what is no test of the catalogue.
    """
    what = next((FACTS[code] for code in loincs if code in FACTS), "") or UNITS_OF_FACTS.get(folded(unit), "")
    return f"Not a blood result: {what}." if what else ""
