"""Names on a list of medicines that the sources have a word about (P32, P33, H21). Pure: no Django.

It knows generic names and a few brands. A name it does not know says nothing, and the pages say that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ANTIHISTAMINE, PROTEASE_INHIBITOR, ANTI_INFLAMMATORY = "antihistamine", "protease_inhibitor", "anti_inflammatory"

KNOWN = {
    ANTIHISTAMINE: (
        *("acrivastine", "astemizole", "bilastine", "cetirizine", "chlorphenamine", "chlorpheniramine", "clemastine"),
        *("cyproheptadine", "desloratadine", "dimetindene", "diphenhydramine", "ebastine", "fexofenadine"),
        *("hydroxyzine", "ketotifen", "levocetirizine", "loratadine", "mizolastine", "promethazine", "rupatadine"),
        *("terfenadine", "antihistamine", "antihistamines"),
    ),
    PROTEASE_INHIBITOR: (
        *("atazanavir", "darunavir", "fosamprenavir", "indinavir", "lopinavir", "nelfinavir", "ritonavir"),
        *("saquinavir", "tipranavir", "evotaz", "kaletra", "norvir", "prezista", "reyataz", "rezolsta", "symtuza"),
    ),
    ANTI_INFLAMMATORY: (
        *("aspirin", "celecoxib", "diclofenac", "etoricoxib", "ibuprofen", "indometacin", "indomethacin"),
        *("ketoprofen", "mefenamic acid", "meloxicam", "naproxen", "piroxicam"),
    ),
}
PATTERNS = {group: re.compile(rf"\b(?:{'|'.join(names)})\b", re.IGNORECASE) for group, names in KNOWN.items()}


@dataclass(frozen=True)
class Found:
    """The lines of a list by what they hold, each as it was written."""

    antihistamines: tuple[str, ...]
    protease_inhibitors: tuple[str, ...]
    anti_inflammatories: tuple[str, ...]

    @property
    def may_interact(self) -> tuple[str, ...]:
        """Antihistamines and protease inhibitors where both are on the list, else nothing (P33, A58)."""
        both = self.antihistamines and self.protease_inhibitors
        return tuple(dict.fromkeys(self.antihistamines + self.protease_inhibitors)) if both else ()


def find(lines: Iterable[str]) -> Found:
    """Which of these lines name a medicine of each group; one line may name several."""
    listed = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    groups = {group: tuple(line for line in listed if pattern.search(line)) for group, pattern in PATTERNS.items()}
    return Found(groups[ANTIHISTAMINE], groups[PROTEASE_INHIBITOR], groups[ANTI_INFLAMMATORY])
