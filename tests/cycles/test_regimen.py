"""The regimen document: it says every schedule on record, comes back as it was, and refuses the rest with a place."""

import json
from contextlib import suppress
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycles.day_runs import write_days
from cycles.schedule import (
    LONGEST_CYCLE,
    SLOTS,
    Dose,
    Phase,
    Regimen,
    RegimenError,
    open_cycle,
    parse,
    parse_days,
    plain,
)

LIBRARY = {row["slug"]: row for row in json.loads(Path("cycles/library.json").read_text(encoding="utf-8"))}


def document(*phases, unit="MIU"):
    return {"unit": unit, "phases": list(phases)}


def phase(days="1-5", slots=("am", "pm"), amount="7.5", *, repeat=None, cycle_days=56):
    doses = [{"days": days, "slots": list(slots), "amount": amount}]
    return {"repeat": repeat, "cycle_days": cycle_days, "doses": doses}


def several(*lines, repeat=None, cycle_days=28):
    doses = [{"days": days, "slots": list(slots), "amount": amount} for days, slots, amount in lines]
    return {"repeat": repeat, "cycle_days": cycle_days, "doses": doses}


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
    "an unknown slot": (document(phase(slots=["evening"])), "phases[0].doses[0].slots", "must be among night, am"),
    "the same slot twice": (document(phase(slots=["am", "am"])), "phases[0].doses[0]", "day 1 am stands twice"),
    "more slots than a day has": (document(phase(slots=["am"] * 7)), "phases[0].doses[0].slots", "more than 6"),
    "a unit that is a list": (document(phase(), unit=["MIU"]), "unit", "must be one of MIU"),
    "a slot that is an object": (document(phase(slots=[{}])), "phases[0].doses[0].slots", "must be among"),
    "days as a number": (document(phase(days=5)), "phases[0].doses[0].days", "must be a list"),
    "more courses than anybody has": (document(phase(repeat=1001)), "phases[0].repeat", "from 1 to 1000"),
    "a number without end": (document(phase(repeat=10**5000)), "phases[0].repeat", "from 1 to 1000"),
    "a day without end": (document(phase(days=[10**5000])), "phases[0].doses[0].days", "from 1 on, up to 3660"),
    "more phases than anybody has": (document(*[phase(repeat=1)] * 51), "phases", "more than 50"),
    "days repeated to fill the memory": (document(phase(days="1-9999 " * 9)), "phases[0].doses[0].days", "more days"),
    "more injections than a course can have": (
        document(phase("1-3660", ["am"], cycle_days=3660)),
        "phases[0].doses",
        "at most 1000",
    ),
    "a page of text for days": (document(phase(days="x" * 9999)), "phases[0].doses[0].days", "cannot read 'xxx"),
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
    "an amount in IU": (document(phase(amount="4500000")), "phases[0].doses[0].amount", "less than 100000 MIU"),
    "an amount nobody weighs": (
        document(phase(amount="10000000"), unit="IU/kg"),
        "phases[0].doses[0].amount",
        "decimal as text",
    ),
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


def test_an_amount_by_body_surface_has_to_be_entered_again_in_million_units():
    """H28: nothing here multiplies by a body surface."""
    regimen = parse(document(phase(amount="3"), unit="MIU/m2"))
    assert regimen.needs_amounts
    assert (regimen.unit, regimen.course_total()) == ("MIU/m2", Decimal(30))


@pytest.mark.parametrize(
    ("amount", "text"), [("7.500", "7.5"), ("18", "18"), ("10", "10"), ("0.330", "0.33"), ("100.000", "100")]
)
def test_an_amount_is_written_without_trailing_zeros(amount, text):
    assert plain(Decimal(amount)) == text


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


whole = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    whole, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
odd_days = st.text("0123456789-/ ", max_size=12) | st.lists(st.integers(-1, 40), max_size=4) | anything
odd_lines = st.fixed_dictionaries(
    {
        "days": odd_days,
        "slots": st.lists(st.sampled_from([*SLOTS, "evening"]), max_size=3) | anything,
        "amount": st.none() | st.text("0123456789.", max_size=9) | st.sampled_from(["7.5", "1e3"]) | anything,
    }
)
odd_phases = st.fixed_dictionaries(
    {
        "repeat": st.none() | st.integers(-1, 9) | anything,
        "cycle_days": st.integers(-1, 60) | anything,
        "doses": st.lists(odd_lines, max_size=3) | anything,
    }
)
nearly = st.fixed_dictionaries(
    {"unit": st.sampled_from(["MIU", "MIU/m2", "IU/kg", "U"]), "phases": st.lists(odd_phases, max_size=3)}
)


def outcome(tried):
    """The regimen, or the refusal."""
    try:
        return parse(tried), None
    except RegimenError as refused:
        return None, refused


@given(anything | nearly)
def test_anything_is_a_regimen_that_comes_back_or_is_refused_with_its_place(tried):
    regimen, refused = outcome(tried)
    if regimen is None:
        assert refused.place
        assert refused.reason
    else:
        assert parse(regimen.document()) == regimen
        assert parse(regimen.document()).document() == regimen.document()


DOCUMENTS = [row["document"] for row in LIBRARY.values()]
spots = st.sampled_from(["unit", "phases", "repeat", "cycle_days", "doses", "days", "slots", "amount"])


def with_one_change(value, name, put):
    """The document with the first field of this name replaced."""
    if isinstance(value, list):
        return [with_one_change(value[0], name, put), *value[1:]] if value else value
    if not isinstance(value, dict):
        return value
    return {key: put if key == name else with_one_change(inner, name, put) for key, inner in value.items()}


@given(st.sampled_from(DOCUMENTS), spots, anything | odd_days)
def test_a_known_document_with_one_odd_field_is_read_or_refused_at_that_field(known, name, put):
    regimen, refused = outcome(with_one_change(known, name, put))
    if regimen is None:
        assert refused.place.startswith("unit" if name == "unit" else "phases")
    else:
        assert parse(regimen.document()) == regimen


def said_by_trial(days):
    """The length of the shortest text of runs in order, found by trying every way to cut the list."""
    if not days:
        return 0
    tries = []
    for end in range(1, len(days) + 1):
        run, step = days[:end], days[1] - days[0] if end > 1 else 1
        if any(later - earlier != step for earlier, later in pairwise(run)):
            break
        text = f"{run[0]}" if end == 1 else f"{run[0]}-{run[-1]}" + (f"/{step}" if step > 1 else "")
        tries.append(len(text) + (1 if end < len(days) else 0) + said_by_trial(days[end:]))
    return min(tries)


@given(st.sets(st.integers(1, 30), min_size=1, max_size=9))
def test_days_are_said_no_longer_than_they_have_to_be_in_order(days):
    ordered = sorted(days)
    text = write_days(ordered)
    assert list(parse_days(text)) == ordered
    assert len(text) <= said_by_trial(ordered)


@pytest.mark.parametrize(
    ("days", "text"),
    [
        ((1, 2, 3, 8), "1-3 8"),
        ((1, 3, 5), "1 3 5"),  # as short as 1-5/2, and plainer
        ((1, 3, 5, 7), "1-7/2"),
        ((8, 9), "8-9"),
        ((1, 3, 5, 6, 7), "1 3 5-7"),
        (tuple(range(1, 28, 3)), "1-25/3"),
        (tuple(range(1, 1001)), "1-1000"),
        ((1, 4, 8, 11, 15, 18, 22, 25), "1-22/7 4-25/7"),
        ((1, 2, 3, 4, 5, 8, 9, 10, 11, 12), "1-5 8-12"),
        (tuple(day for day in range(1, 41) if day % 7 in {1, 3, 5}), "1-36/7 3-38/7 5-40/7"),
    ],
)
def test_days_are_written_plainly(days, text):
    assert write_days(days) == text


@pytest.mark.parametrize(("step", "cycle"), [(1, 28), (2, 28), (3, 27), (4, 28), (5, 25), (7, 28), (14, 28), (30, 30)])
def test_a_regimen_without_pauses_comes_in_courses_of_four_weeks_that_keep_its_rhythm(step, cycle):
    """A14: 28 days, or the longest multiple of the step below it."""
    assert open_cycle(step) == cycle
    regimen = parse(document(phase(f"1-{cycle}/{step}", ["am"], "1", cycle_days=cycle)))
    days = {dose.offset + 1 + course * cycle for course in range(4) for dose in regimen.phases[0].doses}
    assert days == set(range(1, 4 * cycle + 1, step))


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
