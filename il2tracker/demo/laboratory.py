"""What the demo's laboratory sent about safety tests: one table, as clinics get it, with the range of each result.

Invented, and shaped as in the weeks of a course: liver values, creatinine and bilirubin rise until its last day;
albumin, salts, platelets and lymphocytes fall, and lymphocytes shoot up in the week after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

FILE_NAME = "laboratory.csv"
DRAWN_AT = time(8, 30)  # as everything else that is drawn: one blood test is one line of the list
HEADER = "date,test,value,unit,reference range"


@dataclass(frozen=True)
class Panel:
    """Blood taken `day` days after day 1 of `course`; the values stand in the order of TESTS."""

    course: int
    day: int
    values: str
    alt_range: str = "7-40"


TESTS = (
    ("ALT", "U/L", ""),
    ("Creatinine", "mg/dL", "0.6-1.2"),
    ("Bilirubin", "mg/dL", "0.1-1.2"),
    ("Albumin", "g/dL", "3.5-5.0"),
    ("Potassium", "mmol/L", "3.5-5.1"),
    ("Magnesium", "mg/dL", "1.7-2.4"),
    ("Hemoglobin", "g/dL", "11.7-15.5"),
    ("Platelets", "10*3/uL", "150-400"),
    ("White blood cells", "10*3/uL", "4.0-11.0"),
    ("Lymphocytes", "10*3/uL", "1.0-4.0"),
)
NEW_RANGE = "7-55"  # the laboratory changed its test in autumn
ANNA = (
    Panel(1, -14, "24 0.8 0.6 4.3 4.2 2.0 13.4 236 5.6 1.6"),
    Panel(1, 2, "38 0.9 0.9 3.9 3.9 1.8 13.0 205 4.9 0.6"),
    Panel(1, 4, "71 1.3 1.4 3.3 3.4 1.6 12.2 141 6.8 0.4"),
    Panel(1, 8, "52 0.9 0.9 3.6 3.8 1.8 12.0 168 9.8 4.6"),
    Panel(1, 42, "27 0.8 0.6 4.2 4.1 2.0 13.1 241 6.1 2.1"),
    Panel(2, 4, "131 1.4 1.6 3.1 3.2 1.5 11.5 122 7.4 0.4", NEW_RANGE),
    Panel(2, 42, "29 0.8 0.6 4.1 4.2 2.0 12.9 229 6.0 2.3", NEW_RANGE),
    Panel(3, 2, "61 1.1 1.2 3.6 3.7 1.7 12.3 171 5.2 0.5", NEW_RANGE),
)


def table(panels: Sequence[Panel], starts: Mapping[int, date]) -> bytes:
    """The file, one result a line. `starts`: day 1 of each course."""
    lines = [HEADER]
    for panel in panels:
        on = starts[panel.course] + timedelta(days=panel.day)
        for (test, unit, limits), value in zip(TESTS, panel.values.split(), strict=True):
            lines.append(f"{on.isoformat()} {DRAWN_AT:%H:%M},{test},{value},{unit},{limits or panel.alt_range}")
    return "\n".join(lines).encode()
