"""Numbers whose point can stand for thousands: "1.250" is 1.25 or 1250. Pure.

Only for what people type: a message has a point for decimals by its standard.
"""

from __future__ import annotations

import re
from decimal import Decimal

from labs.units import UNITS, Reading, Rule, canonical, figure

GROUPED = re.compile(r"(?<![0-9.,])([1-9][0-9]{0,2}\.[0-9]{3})(?![0-9.,])")
THOUSAND = 1000


def doubt(rule: Rule, reading: Reading) -> str:
    """What is asked about such a number, in words; "" where only one of the two is possible for the test (H11)."""
    found = GROUPED.search(reading.raw)
    if found is None or not reading.unit or reading.value != Decimal(found[1]) or UNITS[reading.unit].power_of_ten:
        return ""
    other = Decimal(found[1]) * THOUSAND
    if not rule.hard_low <= canonical(rule, other, reading.unit) <= rule.hard_high:
        return ""
    return f"Is {found[1]} {figure(reading.value)}, or {figure(other)}?"
