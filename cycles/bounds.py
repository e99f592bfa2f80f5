"""What may stand in a plan: amounts within what a treatment uses, and within what was studied. Pure; amounts in MIU."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from cycles.doubts import MOST_PER_INJECTION
from cycles.regimen import Regimen

SINGLE_UNITS = Decimal(100_000)  # app's own: a number this large was meant as single units, not millions of them
MILLION = Decimal(1_000_000)
UNDER_THE_SKIN, HIV = "sc", "hiv"
MOST_PER_HIV_INJECTION = Decimal(9)  # W6, H04
MOST_A_DAY, MOST_A_HIV_DAY = MOST_PER_INJECTION, Decimal(15)  # the largest studied days under the skin (P04, K03)


def injection_ceiling(most: Decimal | None, *, route: str, indication: str) -> Decimal:
    """The most that one injection may hold (W6, H04); `most` is what the protocol says.

    A protocol for the ward may say far more than anybody injects at home: under the skin 18 MIU is the end, 9 for HIV.
    """
    return _at_home(most, MOST_PER_HIV_INJECTION, MOST_PER_INJECTION, route, indication) or MOST_PER_INJECTION


def daily_ceiling(most: Decimal | None, *, route: str, indication: str) -> Decimal | None:
    """The largest day that was studied by this route (W6, P62); None where a protocol for the ward names none."""
    return _at_home(most, MOST_A_HIV_DAY, MOST_A_DAY, route, indication)


def _at_home(most: Decimal | None, hiv: Decimal, other: Decimal, route: str, indication: str) -> Decimal | None:
    if route != UNDER_THE_SKIN:
        return most
    end = hiv if indication == HIV else other
    return min(most or end, end)


class Outside(NamedTuple):
    """The amount of a day that lies outside the studied range, and the end of the range that it passes."""

    is_above: bool
    daily: Decimal
    limit: Decimal


def outside_studied(regimen: Regimen, *, most: Decimal | None, least: Decimal | None) -> Outside | None:
    """The first phase whose largest day is above `most` or below `least` a day (W6, P62); None where all are within."""
    for phase in regimen.phases:
        daily = phase.daily_total()
        if daily is not None and most is not None and daily > most:
            return Outside(True, daily, most)
        if daily is not None and least is not None and daily < least:
            return Outside(False, daily, least)
    return None


def probably_meant(amount: Decimal, ceiling: Decimal, doses_a_day: int) -> Decimal | None:
    """What was probably meant by an amount above the ceiling of one injection (H04, H06); None where nothing is near.

    7500000 is single units for 7.5; 15 twice a day is 7.5 each; 45 is 4.5.
    """
    if amount >= SINGLE_UNITS:
        meant = amount / MILLION
    elif doses_a_day > 1 and amount / doses_a_day <= ceiling:
        meant = amount / doses_a_day
    else:
        meant = amount / 10
    return meant.normalize() if 0 < meant <= ceiling and meant == round(meant, 3) else None
