"""The regimen document: it says every schedule on record, comes back as it was, and refuses the rest with a place."""

import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles.regimen import LONGEST_CYCLE, SLOTS, Dose, Phase, Regimen, RegimenError, parse, parse_days, plain

LIBRARY = {row["slug"]: row for row in json.loads(Path("cycles/library.json").read_text(encoding="utf-8"))}


def document(*phases, unit="MIU"):
    return {"unit": unit, "phases": list(phases)}


def phase(days="1-5", slots=("am", "pm"), amount="7.5", *, repeat=None, cycle_days=56):
    doses = [{"days": days, "slots": list(slots), "amount": amount}]
    return {"repeat": repeat, "cycle_days": cycle_days, "doses": doses}


def several(*lines, repeat=None, cycle_days=28):
    doses = [{"days": days, "slots": list(slots), "amount": amount} for days, slots, amount in lines]
    return {"repeat": repeat, "cycle_days": cycle_days, "doses": doses}


# Every schedule of domain.md 3.3 that is made of single doses: document, doses, days with a dose, amount of course 1.
ON_RECORD = {
    "HIV, 9 million units a day (P06)": (document(phase(amount="4.5")), 10, 5, "45"),
    "HIV, 12 million units a day (ILIADE)": (document(phase(amount="6", repeat=3)), 10, 5, "60"),
    "HIV, 15 million units a day (P06)": (document(phase(amount="7.5")), 10, 5, "75"),
    "HIV, 1.5 twice a day every 4 weeks": (document(phase(amount="1.5", cycle_days=28)), 10, 5, "15"),
    "HIV, 4.5 twice a day every 6 weeks": (document(phase(amount="4.5", cycle_days=42)), 10, 5, "45"),
    "HIV, 3 by surface twice a day": (document(phase(amount="3"), unit="MIU/m2"), 10, 5, "30"),
    "low dose every day (P15)": (document(phase("1-28", ["pm"], "1", cycle_days=28)), 28, 28, "28"),
    "kidney, label profile": (
        document(
            several(
                ("1-5 8-9 15-16 22-23", ["bedtime"], "18"),
                ("10-12 17-19 24-26", ["bedtime"], "9"),
                cycle_days=35,
            )
        ),
        20,
        20,
        "279",
    ),
    "kidney, twice on two days and once on three, by surface, 4 weeks, every 4 months": (
        document(
            several(
                ("1-2 8-9 15-16 22-23", ["am", "pm"], "1"),
                ("3-5 10-12 17-19 24-26", ["am"], "1"),
                cycle_days=120,
            ),
            unit="MIU/m2",
        ),
        28,
        20,
        "28",
    ),
    "8 weeks daily, 4 weeks pause, then on": (
        document(
            phase("1-56", ["pm"], "1", repeat=1, cycle_days=84),
            phase("1-28", ["pm"], "1", cycle_days=28),
            unit="MIU/m2",
        ),
        56,
        56,
        "56",
    ),
    "three times a week": (document(phase("1 3 5", ["pm"], "4.5", repeat=26, cycle_days=7)), 3, 3, "13.5"),
    "every other day for 2 weeks, 2 weeks off, three times": (
        document(phase("1-14/2", ["pm"], "1", repeat=3, cycle_days=28)),
        7,
        7,
        "7",
    ),
    "every third day": (document(phase("1-27/3", ["am"], "0.26", cycle_days=27), unit="MIU/m2"), 9, 9, "2.34"),
    "a first course of its own, then three at weeks 3, 6, 9": (
        document(
            phase(slots=["am"], amount="1.5", repeat=1, cycle_days=14),
            phase(slots=["am"], amount="3", repeat=3, cycle_days=21),
        ),
        5,
        5,
        "7.5",
    ),
    "5 days every 28 for 18 months": (document(phase(slots=["am"], amount="2", repeat=19, cycle_days=28)), 5, 5, "10"),
    "5 days of 1, then every 2 weeks": (
        document(
            phase(slots=["am"], amount="1", repeat=1, cycle_days=14),
            phase("1", ["am"], "1", repeat=13, cycle_days=14),
        ),
        5,
        5,
        "5",
    ),
    "0.33 million units on 5 days": (
        document(phase(slots=["am"], amount="0.33", repeat=1, cycle_days=5)),
        5,
        5,
        "1.65",
    ),
}


@pytest.mark.parametrize(("source", "doses", "days", "total"), ON_RECORD.values(), ids=ON_RECORD)
def test_every_schedule_on_record_can_be_said(source, doses, days, total):
    regimen = parse(source)
    first = regimen.phase(1)
    assert len(first.doses) == doses
    assert len({dose.offset for dose in first.doses}) == days
    assert regimen.course_total() == Decimal(total)
    assert parse(regimen.document()) == regimen


@pytest.mark.parametrize(
    ("amount", "daily", "course"),
    [("7.5", "15", "75"), ("6", "12", "60"), ("4.5", "9", "45"), ("3", "6", "30"), ("1.5", "3", "15")],
)
def test_totals_follow_the_amount(amount, daily, course):
    """The totals of O9: five days, twice a day."""
    regimen = parse(document(phase(amount=amount)))
    assert (regimen.daily_total(), regimen.course_total()) == (Decimal(daily), Decimal(course))


def test_the_daily_total_is_that_of_the_fullest_day():
    regimen = parse(document(several(("1-2", ["am", "pm"], "1"), ("3-5", ["am"], "1.5"))))
    assert regimen.daily_total() == 2
    assert regimen.doses_a_day == 2


def test_totals_are_those_of_the_phase_the_course_belongs_to():
    regimen = parse(document(phase(amount="1.5", repeat=1), phase(amount="3", repeat=3)))
    assert [regimen.course_total(number) for number in (1, 2, 4)] == [15, 30, 30]


@pytest.mark.parametrize(("number", "cycle_days"), [(1, 14), (2, 21), (3, 21), (4, 21)])
def test_a_course_belongs_to_the_phase_its_number_falls_in(number, cycle_days):
    regimen = parse(document(phase(repeat=1, cycle_days=14), phase(repeat=3, cycle_days=21)))
    assert regimen.phase(number).cycle_days == cycle_days


@pytest.mark.parametrize("number", [0, -1, 5])
def test_there_is_no_course_outside_the_phases(number):
    regimen = parse(document(phase(repeat=1), phase(repeat=3)))
    assert regimen.courses == 4
    with pytest.raises(LookupError):
        regimen.phase(number)


def test_an_open_regimen_has_no_last_course():
    regimen = parse(document(phase(repeat=2), phase()))
    assert regimen.courses is None
    assert regimen.phase(500) == regimen.phases[1]


def test_slots_come_in_the_order_of_the_day():
    assert parse(document(phase(slots=["bedtime", "am"]))).slots == ("am", "bedtime")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("3", (3,)),
        ("1-5", (1, 2, 3, 4, 5)),
        ("1-7/3", (1, 4, 7)),
        ("1-8/3", (1, 4, 7)),
        ("8-9 1-2", (1, 2, 8, 9)),
        ("4-4", (4,)),
    ],
)
def test_days_are_read(text, days):
    assert parse_days(text) == days


def test_days_may_be_a_list_of_numbers():
    assert parse(document(phase(days=[1, 3, 5]))) == parse(document(phase(days="1-5/2")))


BROKEN = {
    "no object": ([], "document", "must be an object"),
    "empty": ({}, "document", "phases, unit"),
    "an unknown key": ({**document(phase()), "colour": "red"}, "document", "check colour"),
    "an unknown unit": (document(phase(), unit="mL"), "unit", "must be one of MIU"),
    "units of insulin": (document(phase(), unit="U"), "unit", "must be one of MIU"),
    "no phase": (document(), "phases", "at least one"),
    "phases as an object": ({"unit": "MIU", "phases": phase()}, "phases", "must be a list"),
    "a phase that is text": (document("1-5"), "phases[0]", "must be an object"),
    "an unknown key in a phase": (document({**phase(), "days": "1"}), "phases[0]", "check days"),
    "a phase without its length": (document({"repeat": None, "doses": []}), "phases[0]", "check cycle_days"),
    "an open phase that is not the last": (document(phase(), phase()), "phases[0].repeat", "only the last phase"),
    "no courses": (document(phase(repeat=0)), "phases[0].repeat", "whole number from 1"),
    "true as a number": (document(phase(repeat=True)), "phases[0].repeat", "whole number from 1"),
    "a cycle of no days": (document(phase(cycle_days=0)), "phases[0].cycle_days", "must be 1 to 3660"),
    "a cycle too long": (document(phase(cycle_days=3661)), "phases[0].cycle_days", "must be 1 to 3660"),
    "half a day": (document(phase(cycle_days=56.5)), "phases[0].cycle_days", "must be 1 to 3660"),
    "no doses": (document({**phase(), "doses": []}), "phases[0].doses", "at least one"),
    "an unknown key in a dose": (
        document({**phase(), "doses": [{"days": "1", "slots": ["am"], "amount": "1", "site": "arm"}]}),
        "phases[0].doses[0]",
        "check site",
    ),
    "a day after the cycle": (document(phase(days="1-57")), "phases[0].doses[0].days", "day 57 is outside"),
    "day 0": (document(phase(days="0-3")), "phases[0].doses[0].days", "from 1 on"),
    "no day": (document(phase(days=" ")), "phases[0].doses[0].days", "from 1 on"),
    "backwards": (document(phase(days="5-1")), "phases[0].doses[0].days", "runs backwards"),
    "standing still": (document(phase(days="1-5/0")), "phases[0].doses[0].days", "stands still"),
    "words": (document(phase(days="Mon-Fri")), "phases[0].doses[0].days", "cannot read 'Mon-Fri'"),
    "days as text in a list": (document(phase(days=["1"])), "phases[0].doses[0].days", "from 1 on"),
    "no slot": (document(phase(slots=[])), "phases[0].doses[0].slots", "at least one"),
    "an unknown slot": (document(phase(slots=["evening"])), "phases[0].doses[0].slots", "must be among am"),
    "the same slot twice": (document(phase(slots=["am", "am"])), "phases[0].doses[0]", "day 1 am stands twice"),
    "the same day twice": (document(phase(days="1-5 5-6")), "phases[0].doses[0]", "day 5 am stands twice"),
    "the same dose in two lines": (
        document(several(("1-5", ["am"], "1"), ("5-8", ["am"], "2"))),
        "phases[0].doses[1]",
        "day 5 am stands twice",
    ),
    "an amount of nothing": (document(phase(amount="0")), "phases[0].doses[0].amount", "greater than 0"),
    "an amount of nothing, longer": (document(phase(amount="0.000")), "phases[0].doses[0].amount", "greater than 0"),
    "less than nothing": (document(phase(amount="-1")), "phases[0].doses[0].amount", "decimal as text"),
    "a number in place of text": (document(phase(amount=7.5)), "phases[0].doses[0].amount", "decimal as text"),
    "a comma": (document(phase(amount="7,5")), "phases[0].doses[0].amount", "decimal as text"),
    "an exponent": (document(phase(amount="1e3")), "phases[0].doses[0].amount", "decimal as text"),
    "not a number": (document(phase(amount="NaN")), "phases[0].doses[0].amount", "decimal as text"),
    "four decimals": (document(phase(amount="0.3333")), "phases[0].doses[0].amount", "decimal as text"),
    "a number from another script": (document(phase(amount="٧")), "phases[0].doses[0].amount", "decimal as text"),
    "the second phase": (document(phase(repeat=1), phase(amount="x")), "phases[1].doses[0].amount", "decimal as text"),
}


@pytest.mark.parametrize(("broken", "place", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_document_is_refused_with_place_and_reason(broken, place, reason):
    with pytest.raises(RegimenError) as refused:
        parse(broken)
    assert refused.value.place == place
    assert reason in refused.value.reason
    assert str(refused.value).startswith(place)


def test_a_regimen_without_amounts_needs_them_by_phase_and_week():
    regimen = parse(LIBRARY["kidney-5-week"]["document"])
    assert regimen.needs_amounts
    assert regimen.blanks == ((1, 1), (1, 2), (1, 3), (1, 4))
    assert (regimen.daily_total(), regimen.course_total(), regimen.largest_amount()) == (None, None, None)


def test_amounts_fill_the_blanks_and_nothing_else():
    half = document(several(("1-5", ["am"], "1"), ("8-12", ["am"], None)))
    regimen = parse(half).with_amounts({(1, 2): Decimal(2), (1, 1): Decimal(9)})
    assert [dose.amount for dose in regimen.phases[0].doses] == [Decimal(1)] * 5 + [Decimal(2)] * 5
    assert not regimen.needs_amounts


def test_an_amount_by_body_surface_has_to_be_entered_again_in_million_units():
    """H28: nothing here multiplies by a body surface."""
    regimen = parse(document(phase(amount="3"), unit="MIU/m2"))
    assert regimen.needs_amounts
    entered = regimen.with_amounts({(1, 1): Decimal("5.5")})
    assert (entered.unit, entered.course_total(), entered.needs_amounts) == ("MIU", Decimal(55), False)


@pytest.mark.parametrize("amounts", [{}, {(1, 1): Decimal(9)}, {(1, week): Decimal(0) for week in range(1, 5)}])
def test_a_blank_may_not_stay_blank(amounts):
    with pytest.raises(RegimenError, match="has no amount"):
        parse(LIBRARY["kidney-5-week"]["document"]).with_amounts(amounts)


@pytest.mark.parametrize(
    ("amount", "text"), [("7.500", "7.5"), ("18", "18"), ("10", "10"), ("0.330", "0.33"), ("100.000", "100")]
)
def test_an_amount_is_written_without_trailing_zeros(amount, text):
    assert plain(Decimal(amount)) == text


@pytest.mark.parametrize("slug", LIBRARY)
def test_every_protocol_of_the_library_is_a_regimen_and_says_where_it_comes_from(slug):
    row = LIBRARY[slug]
    regimen = parse(row["document"])
    assert regimen.document() == row["document"]
    assert "20" in row["source"]
    assert len(row["evidence_note"]) > 80
    largest = regimen.largest_amount()
    assert largest is None or largest <= Decimal(row["injection_ceiling"])
    assert regimen.needs_amounts or regimen.daily_total() <= Decimal(row["daily_ceiling"])


def test_the_library_keeps_both_fever_limits_in_their_own_unit():
    """C2, W1: 102 °F is never 38.9 °C."""
    limits = {row["indication"]: (row["fever_above"], row["fever_unit"]) for row in LIBRARY.values()}
    assert limits == {"hiv": ("102.0", "F"), "kidney": ("38.0", "C")}


def test_only_hiv_protocols_name_hardest_days():
    """M2: on a kidney course the effects are strongest at first, never days 3 to 5."""
    assert {row["indication"] for row in LIBRARY.values() if row["hardest_days"]} == {"hiv"}


@st.composite
def phases(draw, repeat):
    cycle_days = draw(st.integers(1, 400))
    offset = st.integers(0, cycle_days - 1)
    keys = draw(st.sets(st.tuples(offset, st.sampled_from(SLOTS)), min_size=1, max_size=40))
    amount = st.none() | st.decimals("0.001", "99999.999", places=3)
    ordered = sorted(keys, key=lambda key: (key[0], SLOTS.index(key[1])))
    return Phase(draw(repeat), cycle_days, tuple(Dose(day, slot, draw(amount)) for day, slot in ordered))


closed = st.integers(1, 50)
regimens = st.builds(
    lambda unit, first, last: Regimen(unit, (*first, last)),
    st.sampled_from(["MIU", "MIU/m2", "IU/kg"]),
    st.lists(phases(closed), max_size=3),
    phases(closed | st.none()),
)


@given(regimens)
def test_any_regimen_comes_back_from_its_document_as_it_was(regimen):
    through_json = json.loads(json.dumps(regimen.document()))
    assert parse(through_json) == regimen


@given(regimens, st.integers(1, 300))
def test_every_course_has_one_phase_or_is_beyond_the_last(regimen, number):
    if regimen.courses is None or number <= regimen.courses:
        assert regimen.phase(number).cycle_days <= LONGEST_CYCLE
    else:
        with pytest.raises(LookupError):
            regimen.phase(number)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=6), children, max_size=3),
    max_leaves=8,
)


@given(json_like, st.sampled_from(["document", "phases", "phase", "repeat", "cycle_days", "doses", "line", "days"]))
def test_nothing_but_a_regimen_error_ever_comes_out_of_a_wrong_document(junk, where):
    spoilt = {
        "document": lambda: junk,
        "phases": lambda: {"unit": "MIU", "phases": junk},
        "phase": lambda: document(junk),
        "repeat": lambda: document(phase(repeat=junk)),
        "cycle_days": lambda: document(phase(cycle_days=junk)),
        "doses": lambda: document({"repeat": None, "cycle_days": 5, "doses": junk}),
        "line": lambda: document({"repeat": None, "cycle_days": 5, "doses": [junk]}),
        "days": lambda: document(phase(days=junk)),
    }[where]()
    with suppress(RegimenError):
        parse(spoilt)
