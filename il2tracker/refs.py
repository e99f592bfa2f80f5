"""Random public names for rows: a URL never holds a number that can be counted up, nor by accident a word."""

import re
import secrets

# No 0/O, 1/I/L and no vowels: nothing to misread on the telephone, and no accidental words.
LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"
# Each word that no mail may say, whole or only so much of it that it could be taken for one.
ACCIDENTS = (
    *("aid", "aldes", "bloo", "canc", "carc", "cd4", "cell", "copies", "coun", "cour", "cycl"),
    *("diag", "disea", "doc", "dose", "dosi", "drug", "effec", "feve", "heal", "hiv", "hosp", "ibup", "il-2", "il2"),
    *("illn", "immu", "infec", "injec", "inter", "iu", "kidn", "lab", "load", "medi", "mg", "milli", "miu", "ml"),
    *("needl", "nurs", "onco", "pain", "parac", "patie", "pharm", "prole", "regi", "rena", "resu", "rna", "samp"),
    *("skip", "subcu", "sympt", "syri", "tcell", "t-cell", "test", "thera", "treat", "tumo", "unit", "valu", "vial"),
    *("viral", "virus", "ward"),
)


_EVEN = 256 // len(LETTERS) * len(LETTERS)  # bytes from here on would draw some letters more often than others
_AS_LETTERS = bytes(ord(LETTERS[byte % len(LETTERS)]) for byte in range(256))
_UNEVEN = bytes(range(_EVEN, 256))
_ACCIDENT = re.compile("|".join(map(re.escape, ACCIDENTS)))


def is_harmless(text: str) -> bool:
    """Whether nothing in it reads like a word that mails never say, however it is spelt."""
    small = text.lower()
    return not any(accident in small for accident in ACCIDENTS)


def new_ref() -> str:
    """Ten random characters, about 47 bits: the name of a row in a URL."""
    return _drawn(10).lower()


def new_refs(count: int) -> list[str]:
    """So many of them, all different, drawn together: a long file needs a hundred thousand."""
    found: dict[str, None] = {}
    while len(found) < count:
        drawn = secrets.token_bytes(11 * (count - len(found)) + 10).translate(_AS_LETTERS, _UNEVEN).decode().lower()
        found |= dict.fromkeys(
            ref for n in range(0, len(drawn) - 9, 10) if not _ACCIDENT.search(ref := drawn[n : n + 10])
        )
    return list(found)[:count]


def new_code() -> str:
    """Four random characters: what a clinic calls a patient by."""
    return _drawn(4)


def _drawn(length: int) -> str:
    while not is_harmless(drawn := "".join(secrets.choice(LETTERS) for _ in range(length))):
        pass
    return drawn
