"""Whether a message is about the patient it is added to. Pure: a difference stops for a human, nothing is guessed.

Names are compared without case, accents, order and titles; one side may leave out middle names or write initials.
"""

import re
import unicodedata
from collections.abc import Iterable

from labs.files.candidates import Person

TITLES = {"mr", "mrs", "ms", "miss", "dr", "prof", "sir", "jr", "sr", "herr", "frau", "mme", "mlle"}
SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss", "æ": "ae", "œ": "oe", "ł": "l"}
)
NAME, BIRTH = "name", "birth"


def differences(person: Person | None, names: Iterable[str], birth_year: int | None) -> tuple[str, ...]:
    """What clearly differs between a message's person and a patient (NAME, BIRTH); () where nothing can be compared.

    `names` are all names the patient goes by; one that fits is enough.
    """
    if person is None:
        return ()
    theirs, ours = _words(person.name), [words for name in names if (words := _words(name))]
    said = person.born_on.year if person.born_on else person.birth_year
    found = [NAME] if theirs and ours and not any(_fit(theirs, words) for words in ours) else []
    found += [BIRTH] if said and birth_year and said != birth_year else []
    return tuple(found)


def can_be_compared(person: Person, names: Iterable[str], birth_year: int | None, code: str) -> bool:
    """Whether a message's person and a patient have anything in common to compare: names, years of birth, our code."""
    named = bool(_words(person.name)) and any(map(_words, names))
    born = bool(birth_year and (person.born_on or person.birth_year))
    return named or born or (bool(person.number) and person.number == code)


def _words(name: str) -> list[set[str]]:
    """The words of a name, each as the set of its spellings: "Müller" is {"muller", "mueller"}."""
    letters = unicodedata.normalize("NFC", name).casefold().replace("'", "").replace("’", "")
    words = [word for word in re.split(r"[\W\d_]+", letters) if word and word not in TITLES]
    return [{_plain(word), _plain(word.translate(SPELT))} for word in words]


def _plain(word: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFKD", word) if not unicodedata.combining(mark))


def _fit(one: list[set[str]], other: list[set[str]]) -> bool:
    """Every word of the shorter name stands in the longer one, and at least one of them in full."""
    few, many = sorted((one, other), key=len)
    left, full = list(many), 0
    for word in sorted(few, key=lambda spellings: -max(map(len, spellings))):
        same = next((each for each in left if each & word), None)
        near = same or next((each for each in left if _initial(word, each)), None)
        if near is None:
            return False
        left.remove(near)
        full += same is not None and max(map(len, word)) > 1
    return full > 0


def _initial(one: set[str], other: set[str]) -> bool:
    return any(b.startswith(a) or a.startswith(b) for a in one for b in other if 1 in (len(a), len(b)))


def in_words(person: Person) -> str:
    """Whom a message names, as a phrase: "NOVAK, ANNA, born 5 May 1980"."""
    born = person.born_on
    said = f"{born.day} {born:%B} {born.year}" if born else str(person.birth_year or "")
    return ", ".join(part for part in (person.name.strip(), f"born {said}" if said else "") if part) or person.number
