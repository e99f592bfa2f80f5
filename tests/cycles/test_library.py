"""The library of protocols: every row is a regimen, says where it comes from, and has limits that fit it."""

import json
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from cycles import schedule
from cycles.bloodwork import Before, before_courses
from cycles.protocols import FeverUnit, Indication, Protocol, Route, Standing

ROWS = {row["slug"]: row for row in json.loads(Path("cycles/library.json").read_text(encoding="utf-8"))}
HOURS = {slot: time(hour) for slot, hour in zip(schedule.SLOTS, (0, 8, 12, 16, 20, 22), strict=True)}
every_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def regimen(slug):
    return schedule.parse(ROWS[slug]["document"])


@every_row
def test_every_protocol_is_a_regimen_that_comes_back_and_unrolls(row):
    read = schedule.parse(row["document"])
    assert read.document() == row["document"]
    for number in range(1, (read.courses or 6) + 1):
        planned = schedule.unroll(read, number, date(2026, 3, 4), HOURS)
        assert len(planned) == len(read.phase(number).doses)
        assert planned == sorted(planned, key=lambda dose: (dose.on, dose.local_time))


@every_row
def test_every_protocol_says_where_it_comes_from_and_what_is_known(row):
    assert "20" in row["source"]
    assert len(row["source"]) > 80
    assert len(row["evidence_note"]) > 80
    assert "°" in row["source"]


@every_row
def test_every_protocol_fills_every_column_of_its_table(row):
    """P03, K01, K02: what it is for and how it is given are among the known ones."""
    columns = {field.name for field in Protocol._meta.fields} - {"id", "position"}
    assert set(row) == columns
    assert row["indication"] in Indication.values
    assert row["route"] in Route.values
    assert row["standing"] in Standing.values
    assert row["fever_unit"] in FeverUnit.values
    assert len(row["name"]) <= 120


@every_row
def test_the_limits_of_a_protocol_hold_its_own_amounts(row):
    """W6, W7: bounds belong to the protocol; a schedule of its own never breaks them."""
    read = schedule.parse(row["document"])
    injection, daily = Decimal(row["injection_ceiling"]), Decimal(row["daily_ceiling"])
    assert injection > 0
    assert Decimal(row["daily_floor"] or 0) < daily
    if not read.needs_amounts:
        assert read.largest_amount() <= injection
        assert max(phase.daily_total() for phase in read.phases) <= daily
    step = row["dose_step"]
    assert step is None or 0 < Decimal(step) < daily


@every_row
def test_only_wards_give_more_than_18_million_units_at_once(row):
    """W6, P59, K07: at home no injection is above 18; what goes into a vein stays on a ward, with its own bounds."""
    assert row["inpatient"] == (row["route"] != "sc")
    assert row["inpatient"] or Decimal(row["injection_ceiling"]) <= 18


@pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row["indication"] == "hiv"], ids=lambda row: row["slug"]
)
def test_every_hiv_protocol_carries_the_outcome_of_2009(row):
    """C8, H34: never the optimism of 2007 alone. P02: not approved, experimental."""
    assert "two large trials finished in 2009 found no fewer infections or deaths" in row["evidence_note"]
    assert "not proof of protection" in row["evidence_note"]
    assert "Not approved for HIV; experimental." in row["source"]
    assert (row["fever_above"], row["fever_unit"], row["fever_only_if_not_relieved"]) == ("102.0", "F", True)
    assert row["timing_matters"]


@pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row["indication"] != "hiv"], ids=lambda row: row["slug"]
)
def test_every_other_protocol_asks_for_a_call_above_38_degrees_at_once(row):
    """C2, W1: 102 °F is never 38.9 °C, and the stricter limit holds where no source names one."""
    assert (row["fever_above"], row["fever_unit"], row["fever_only_if_not_relieved"]) == ("38.0", "C", False)


def test_the_standing_of_every_protocol():
    by_standing = {
        standing: [slug for slug, row in ROWS.items() if row["standing"] == standing] for standing in Standing.values
    }
    assert by_standing == {
        "source": ["hiv-sc-4-5", "hiv-sc-7-5", "hiv-sc-own", "hiv-low-daily", "hiv-civ", "kidney-5-week"],
        "label": ["kidney-label", "kidney-civ", "kidney-high-dose-iv"],
        "published": [
            *("hiv-sc-6-week", "hiv-sc-surface", "gvhd-chronic-8", "gvhd-chronic-12", "gvhd-prevention", "sle"),
            *("hcv-vasculitis", "t1d-5-days", "t1d-every-3-days", "als", "maintenance-3-a-week"),
        ],
        "blank": ["own-schedule"],
    }


@pytest.mark.parametrize("slug", [slug for slug, row in ROWS.items() if row["standing"] == "published"])
def test_what_is_only_published_is_not_endorsed(slug):
    note = ROWS[slug]["evidence_note"]
    assert "not because anybody advises it" in note or "no fewer infections or deaths" in note


@pytest.mark.parametrize("slug", list(ROWS))
def test_a_year_in_a_note_is_the_year_of_the_rows_own_source(slug):
    """A text from 2015 is not said of a label that others quote, and published trials are named."""
    note, source = ROWS[slug]["evidence_note"], ROWS[slug]["source"]
    assert ("dates from 2015" in note) is source.startswith("Cancer Research UK")
    assert ("label in force" in note) is (ROWS[slug]["standing"] == "label")
    assert ROWS[slug]["standing"] != "published" or not source.startswith("Published trials")


def test_the_als_trial_did_not_reach_its_endpoint_and_the_row_says_so():
    assert "primary endpoint was not significant" in ROWS["als"]["evidence_note"]


def test_the_hiv_courses_of_p06():
    """P06, M7: 9 to 15 million units a day, twice daily, 5 days, every 8 weeks; another amount is entered."""
    assert [regimen(slug).daily_total() for slug in ("hiv-sc-4-5", "hiv-sc-7-5", "hiv-sc-own")] == [9, 15, None]
    for slug in ("hiv-sc-4-5", "hiv-sc-7-5", "hiv-sc-own"):
        phase = regimen(slug).phase(1)
        assert (len(phase.doses), phase.last_offset, phase.cycle_days, phase.doses_a_day) == (10, 4, 56, 2)
        assert (ROWS[slug]["dose_step"], ROWS[slug]["daily_floor"]) == ("3.00", "9.000")  # P48, P62


def test_the_drip_of_p58_is_a_matter_of_the_ward_and_has_no_amount_of_its_own():
    """P58, P59, C5, W2: 9 to 12 a day, more is asked about, more than 18 refused. W10: no bolus. W16: no step."""
    row = ROWS["hiv-civ"]
    assert (row["route"], row["inpatient"], row["dose_step"]) == ("civ", True, None)
    assert (row["daily_floor"], row["daily_ceiling"], row["injection_ceiling"]) == ("9.000", "12.000", "18.000")
    phase = regimen("hiv-civ").phase(1)
    assert (len(phase.doses), phase.cycle_days, regimen("hiv-civ").needs_amounts) == (5, 56, True)


def test_low_dose_daily_of_p15_goes_on_every_day_without_a_gap():
    """P04, P05, P15, A14."""
    read = regimen("hiv-low-daily")
    [first, second] = list(schedule.courses(read, date(2026, 3, 4), date(2026, 4, 1)))
    assert (second.starts_on - schedule.last_dose_on(read, 1, first.starts_on)).days == 1
    assert read.daily_total() == 1


def test_the_kidney_course_of_k03_has_no_amounts_and_the_label_has_279():
    """K03, K04, 2.2: the source names no amounts; the label's are 11 × 18 and 9 × 9."""
    assert (regimen("kidney-5-week").needs_amounts, regimen("kidney-5-week").courses) == (True, None)
    assert (regimen("kidney-label").course_total(), len(regimen("kidney-label").phase(1).doses)) == (279, 20)


@pytest.mark.parametrize(
    ("slug", "possible"),
    [
        ("hiv-sc-7-5", Before.DUE_DAY),
        ("hiv-sc-surface", Before.DUE_DAY),
        ("hiv-civ", Before.DUE_DAY),
        ("hiv-sc-6-week", Before.LATER),
        ("hiv-low-daily", Before.NEVER),
        ("own-schedule", Before.NEVER),
    ],
)
def test_the_library_knows_whether_blood_before_a_course_can_be_reliable(slug, possible):
    """2.4, P54, P55: short cycles say so in place of nagging."""
    assert before_courses(regimen(slug)).kind is possible


def test_only_hiv_protocols_name_hardest_days():
    """M2: on a kidney course the effects are strongest at first, never days 3 to 5."""
    assert {row["indication"] for row in ROWS.values() if row["hardest_days"]} == {"hiv"}
