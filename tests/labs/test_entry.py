"""A whole panel on one page: typed as printed, read back, asked about, kept, listed and shown again."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cycles import schedule
from cycles.models import Cycle, PlannedDose, PlanVersion
from il2tracker.audit.models import AuditEvent
from labs import actions
from labs.actions import Drawn
from labs.ledger import Key
from labs.models import Analyte, LabResult
from labs.units import Reading
from labs.words import long_day
from labs.written import parse
from tests import factories

pytestmark = pytest.mark.django_db
DAY = "2026-03-01"
PANEL = {
    "laboratory": "North Lab",
    "cd4": "612",
    "cd4_range": "500 - 1500",
    "cd4_percent": "28,5",
    "hiv_rna": "<20",
    "alt": "61",
    "alt_range": "7-55",
    "creatinine": "97",
    "creatinine_unit": "umol_l",
    "creatinine_range": "45 to 84",
    "potassium": "4.1",
    "potassium_range": "3.5–5.1 mmol/L",
    "white_cells": "5.2",
    "white_cells_unit": "giga_l",
    "white_cells_range": "see note",
    "tsh": "<0.01",
    "tsh_range": "0.4-4.5",
    "glucose": "5.1",
    "glucose_unit": "mmol_l",
}


def send(client: Client, path: str = "/results/add/", **fields: str) -> Any:
    return client.post(path, {"drawn_on": DAY, **fields})


def keep(cast: factories.Cast, code: str, reading: Reading, on: str = DAY, **facts: str) -> LabResult:
    """A result as an import may leave it."""
    [kept] = actions.add_results(
        by=cast.ben,
        patient=cast.anna_patient,
        drawn=Drawn(date.fromisoformat(on)),
        readings={Analyte.objects.get(code=code): reading},
        now=timezone.now(),
    )
    LabResult.objects.filter(pk=kept.pk).update(**facts)
    kept.refresh_from_db()
    return kept


# Typing a report


def test_a_whole_panel_is_kept_as_it_was_printed(anna: Client) -> None:
    answer = send(anna, **PANEL)
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/results/")
    kept = {row.analyte.code: row for row in LabResult.objects.select_related("analyte")}
    assert set(kept) == {name for name in PANEL if not name.endswith(("_unit", "_range"))} - {"laboratory"}
    assert {row.laboratory for row in kept.values()} == {"North Lab"}
    creatinine = kept["creatinine"]
    assert (creatinine.raw, creatinine.value, creatinine.unit) == ("97", Decimal(97), "umol_l")
    assert creatinine.printed_range == "45 to 84"
    assert (kept["tsh"].comparator, kept["tsh"].value) == ("<", Decimal("0.01"))
    assert kept["cd4_percent"].value == Decimal("28.5")
    assert (kept["glucose"].printed_range, kept["white_cells"].printed_range) == ("", "see note")


def test_every_test_of_the_catalogue_has_a_box_and_the_first_group_alone_is_open(anna: Client, text: Any) -> None:
    page = text(anna.get("/results/add/"))
    for analyte in Analyte.objects.exclude(code="other"):
        assert f'name="{analyte.code}"' in page
        assert f'name="{analyte.code}_range"' in page
    assert 'name="other"' not in page
    assert (
        page.count("<details")
        == Analyte.objects.exclude(group__in=["immune", "other"]).values("group").distinct().count()
    )
    assert '<details class="sheet tests" open' not in page
    assert page.index('name="cd4"') < page.index('name="hiv_rna"') < page.index("<details")


@pytest.mark.parametrize(
    ("field", "value"), [("potassium", "4.1"), ("potassium", "lots"), ("potassium_range", "x" * 61)]
)
def test_a_group_with_something_in_it_stays_open(anna: Client, text: Any, field: str, value: str) -> None:
    page = text(send(anna, cd4="nonsense", **{field: value}))
    groups = re.findall(r'<details class="sheet tests"( open)?> <summary><span><b>([^<]*)', page)
    assert [name for is_open, name in groups if is_open] == ["Salts and minerals"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cd4": "0.612", "cd4_unit": "giga_l"}, "Understood: 0.612 × 10⁹/L, that is 612 cells/mm³"),
        ({"hiv_rna": "<20"}, "Understood: less than 20 copies per mL (below what the test can count)"),
        ({"alt": "61", "alt_range": "7-55"}, "Range understood: 7 to 55. This result is outside it."),
        ({"alt": "41", "alt_range": "< 41"}, "Range understood: below 41. This result is outside it."),
        ({"alt": "40", "alt_range": "< 41"}, "Range understood: below 41.<"),
        ({"alt": "61", "alt_range": "see note"}, "The range is kept as written. It cannot be compared."),
        ({"glucose": "5.1", "glucose_unit": "mmol_l", "glucose_range": "70-99 mg/dL"}, "It cannot be compared."),
        ({"creatinine": "97", "creatinine_unit": "umol_l"}, "Understood: 97 µmol/L, that is 1.097 mg/dL"),
    ],
)
def test_what_was_understood_is_read_back_in_words(anna: Client, text: Any, fields: dict[str, str], words: str) -> None:
    answer = send(anna, look="page", **fields)
    assert answer.status_code == 200
    assert words in text(answer).replace("</p>", "<")
    assert not LabResult.objects.exists()


def test_the_script_asks_for_one_box_and_hears_nothing_else_of_the_patient(
    anna: Client, ben: Client, cast: factories.Cast, text: Any
) -> None:
    answer = send(ben, f"/people/{cast.anna_patient.code}/results/add/", look="cd4", cd4="0,612", cd4_unit="giga_l")
    page = text(answer)
    assert answer.status_code == 200
    assert "that is 612 cells/mm³" in page
    assert "<input" not in page
    assert "Anna" not in page
    assert "lots” is not a value" in text(send(anna, look="alt", alt="lots"))
    assert not AuditEvent.objects.filter(action="labs.add.opened").exists()


def test_blood_of_a_day_soon_after_an_injection_is_told_at_once_with_the_dates(
    anna: Client, ben: Client, cast: factories.Cast, text: Any
) -> None:
    """2.3: the last of five days was 14 days before."""
    today = cast.anna_patient.today(timezone.now())
    factories.plan(cast.anna_patient, cast.ben, starts_on=today - timedelta(days=20))
    assert "a test counts from" in text(anna.get("/results/add/"))
    day = (today - timedelta(days=2)).isoformat()
    for page in (
        text(anna.post("/results/add/", {"drawn_on": day, "look": "when"})),
        text(anna.post("/results/add/", {"drawn_on": day, "cd4": "612", "look": "page"})),
    ):
        assert "14 days after course 1: too soon to count." in page
        assert "We keep it, and leave it off the line." in page
        assert '<a href="/results/trend/#too-soon">' in page
    before = (today - timedelta(days=60)).isoformat()
    assert "too soon" not in text(anna.post("/results/add/", {"drawn_on": before, "look": "when"}))
    ben.post(f"/people/{cast.anna_patient.code}/results/add/", {"drawn_on": day, "look": "when"})
    assert AuditEvent.objects.filter(action="labs.add.opened").count() == 1


def test_while_a_course_runs_both_pages_name_the_same_day_from_which_a_test_counts(
    anna: Client, cast: factories.Cast, text: Any
) -> None:
    today = cast.anna_patient.today(timezone.now())
    factories.plan(cast.anna_patient, cast.ben, starts_on=today - timedelta(days=1))
    for dose in PlannedDose.objects.filter(patient=cast.anna_patient, due_at__lt=timezone.now()):
        factories.injection(cast.anna_patient, cast.anna, dose)
    ends = Cycle.objects.get(patient=cast.anna_patient, number=1).last_dose_on
    assert ends > today
    counts_from, ends_on = long_day(schedule.reliable_from(ends)), long_day(ends)
    said = f"If the course that runs now ends on {ends_on}, a test counts from {counts_from}."
    assert said in text(anna.get("/results/add/"))
    assert said in text(anna.post("/results/add/", {"drawn_on": today.isoformat(), "look": "when"}))
    anna.post("/results/add/", {"drawn_on": today.isoformat(), "cd4": "612"})
    assert f"a test counts again from {counts_from}." in text(anna.get("/results/trend/"))


def test_the_page_of_a_correction_says_too_that_the_day_is_too_soon(
    anna: Client, cast: factories.Cast, result: Any, text: Any
) -> None:
    today = cast.anna_patient.today(timezone.now())
    factories.plan(cast.anna_patient, cast.ben, starts_on=today - timedelta(days=20))
    old, day = result("612", on=(today - timedelta(days=60)).isoformat()), (today - timedelta(days=2)).isoformat()
    address = f"/results/entry/{old.ref}/change/"
    assert "too soon" not in text(anna.get(address))
    assert "too soon to count" in text(anna.post(address, {"drawn_on": day, "cd4": "612"}))
    creatinine = result("80", on=day, test="creatinine", unit="umol_l")
    assert "too soon" not in text(anna.get(f"/results/entry/{creatinine.ref}/change/"))


def test_on_a_plan_without_cd4_counts_the_other_tests_come_first(anna: Client, cast: factories.Cast, text: Any) -> None:
    heads = r"<h2>([^<]*)</h2></legend> <div class=\"field test"
    assert re.findall(heads, text(anna.get("/results/add/"))) == ["CD4+ and viral load"]
    factories.plan(cast.anna_patient, cast.ben)
    PlanVersion.objects.filter(plan__patient=cast.anna_patient).update(timing_matters=False)
    page = text(anna.get("/results/add/"))
    assert re.findall(heads, page) == ["Liver"]
    assert page.index("Kidneys") < page.index("<b>CD4+ and viral load</b>")
    send(anna, cd4="612", creatinine="1.0")
    assert LabResult.objects.count() == 2


def test_the_question_before_saving_reads_the_time_back(anna: Client, text: Any) -> None:
    page = text(send(anna, drawn_time="8.15am", cd4="3"))
    assert "Sunday 1 March 2026, 8:15am</dd>" in page


@pytest.mark.parametrize(("percent", "asked"), [("28", True), ("33", False), ("5.2", False)])
def test_h11_a_count_like_the_percentage_beside_it_is_asked_about(
    anna: Client, text: Any, percent: str, asked: bool
) -> None:
    page = text(send(anna, cd4="27", cd4_percent=percent))
    assert ("Is 27 the count, or the CD4+ percentage?" in page) is asked


def test_a_dangerous_value_is_asked_about_and_who_keeps_it_reads_that_nobody_is_called(
    anna: Client, ben: Client, cast: factories.Cast, text: Any
) -> None:
    typed = {"potassium": "6.9", "potassium_range": "3.5-5.1"}
    assert "6.9 mmol/L is unusually high." in text(send(anna, **typed))
    send(anna, **typed, sure="yes")
    page = text(anna.get("/results/"))
    assert "Outside the laboratory’s range: Potassium 6.9 mmol/L. Nobody is called because you kept it here." in page
    send(ben, f"/people/{cast.anna_patient.code}/results/add/", drawn_on="2026-03-02", **typed, sure="yes")
    assert "Nobody is called" not in text(ben.get(f"/people/{cast.anna_patient.code}/results/"))


@pytest.mark.parametrize("test", ["cd4", "creatinine"])
def test_what_another_person_changed_says_so_wherever_it_stands(
    anna: Client, ben: Client, cast: factories.Cast, result: Any, text: Any, test: str
) -> None:
    old = result("90", on=DAY, test=test, unit={"creatinine": "umol_l"}.get(test, ""))
    reading = parse(old.analyte.rule, "95", old.unit)
    drawn, now = Drawn(old.drawn_on), timezone.now()
    people = f"/people/{cast.anna_patient.code}/results/"
    actions.correct_result(by=cast.ben, result=old, reading=reading, drawn=drawn, now=now, reason="typing")
    assert "changed by" not in text(ben.get(people))
    reading = parse(old.analyte.rule, "99", old.unit)
    actions.correct_result(by=cast.anna, result=old, reading=reading, drawn=drawn, now=now, reason="misread")
    for address in (people, f"/results/entry/{old.ref}/"):
        page = text(ben.get(address))
        assert "changed by the patient on" in page
        assert "<dd>corrected</dd>" not in page
    assert "changed by you on" in text(anna.get("/results/"))


# What the last report suggests


def test_the_next_report_starts_with_laboratory_ranges_and_units_of_the_last_and_says_so(
    anna: Client, text: Any
) -> None:
    assert "from your last report" not in text(anna.get("/results/add/"))
    send(anna, **PANEL)
    page = text(anna.get("/results/add/"))
    assert 'name="laboratory" value="North Lab"' in page
    assert 'name="alt_range" id="id_alt_range" value="7-55"' in page
    assert "from your last report, Sunday 1 March 2026" in page
    assert page.count(">from your last report<") == 6
    assert '<option value="umol_l" selected>' in page
    assert 'name="alt" id="id_alt" value=""' in page


def test_a_suggested_range_is_kept_only_beside_a_result_that_was_typed(anna: Client) -> None:
    send(anna, **PANEL)
    again = {name: value for name, value in PANEL.items() if name.endswith(("_range", "_unit", "laboratory"))}
    send(anna, drawn_on="2026-04-01", potassium="4.4", **again)
    [kept] = LabResult.objects.filter(drawn_on="2026-04-01")
    assert (kept.analyte.code, kept.printed_range) == ("potassium", "3.5–5.1 mmol/L")


def test_what_is_suggested_goes_at_a_press_and_what_was_typed_stays(anna: Client, text: Any) -> None:
    send(anna, **PANEL)
    sent = {"laboratory": "North Lab", "alt_range": "7-55", "alt": "30", "cd4_range": "400-1400", "clear": "yes"}
    page = text(send(anna, **sent))
    assert 'name="laboratory" value="North Lab"' not in page
    assert 'name="alt_range" id="id_alt_range" value=""' in page
    assert 'name="alt" id="id_alt" value="30"' in page
    assert 'name="cd4_range" id="id_cd4_range" value="400-1400"' in page
    assert "There is a problem" not in page


@pytest.mark.parametrize("changed", [{"laboratory": "South Lab"}, {"creatinine_unit": "mg_dl", "creatinine": "1.1"}])
def test_a_suggested_range_beside_another_laboratory_or_unit_is_asked_about(
    anna: Client, text: Any, changed: dict[str, str]
) -> None:
    """H24."""
    send(anna, **PANEL)
    sent = {
        "drawn_on": "2026-04-01",
        "laboratory": "North Lab",
        "creatinine": "97",
        "creatinine_unit": "umol_l",
        "creatinine_range": "45 to 84",
    }
    assert send(anna, **(sent | {"drawn_on": "2026-03-20"})).status_code == 302
    asked = text(send(anna, **(sent | changed)))
    beneath = r"range of your last report: 45 to 84</span>.{,200}It stands here from the last report. Does this report"
    assert re.search(beneath, asked)
    assert not LabResult.objects.filter(drawn_on="2026-04-01").exists()
    assert send(anna, sure="yes", **(sent | changed)).status_code == 302


# Slips are asked about, never converted


@pytest.mark.parametrize(
    ("fields", "question"),
    [
        ({"cd4": "28"}, "Is 28 the count, or the CD4+ percentage?"),
        ({"cd4": "0.612"}, "the count in 10⁹/L? That would be 612 cells/mm³."),
        ({"hiv_rna": "4.2"}, "the number of copies, or a log10 value?"),
        ({"cd4": "61"}, "The result before was 612."),
        ({"creatinine": "97"}, "mol/L"),
    ],
)
def test_a_slip_is_asked_about_and_kept_as_typed_after_a_yes(
    anna: Client, text: Any, result: Any, fields: dict[str, str], question: str
) -> None:
    result("612", on="2026-02-01")
    [typed] = fields.values()
    answer = send(anna, **fields)
    assert question in text(answer)
    assert not LabResult.objects.filter(drawn_on=DAY).exists()
    if answer.status_code == 200:
        assert send(anna, sure="yes", **fields).status_code == 302
        kept = LabResult.objects.get(drawn_on=DAY)
        assert (kept.raw, kept.value, kept.unit) == (typed, Decimal(typed), kept.analyte.canonical_unit)


# The list and one result


def test_the_list_shows_safety_tests_by_groups_with_range_and_what_lies_outside(anna: Client, text: Any) -> None:
    send(anna, **PANEL)
    page = text(anna.get("/results/"))
    assert "6 other tests, 3 outside your laboratory’s range" in page
    assert page.index(">Liver<") < page.index(">Kidneys<") < page.index(">Salts and minerals<")
    lines = dict(re.findall(r'<li><a href="[^"]+">([^<]+)</a> (.*?)</span></li>', page))
    assert "<b>97 µmol/L</b>" in lines["Creatinine"]
    assert "range 45 to 84" in lines["Creatinine"]
    assert "outside your laboratory’s range" in lines["Creatinine"]
    assert "<svg" in lines["Creatinine"]
    assert "outside" not in lines["Potassium"]
    assert "outside" not in lines["White cells"]
    assert "less than 0.01" in lines["TSH"]


def test_somebody_else_reads_the_laboratorys_range_and_not_yours(
    anna: Client, ben: Client, cast: Any, text: Any
) -> None:
    send(anna, **PANEL)
    page = text(ben.get(f"/people/{cast.anna_patient.code}/results/"))
    assert "outside the laboratory’s range" in page
    assert "your laboratory" not in page


def test_clinicians_read_the_grade_and_patients_do_not(
    anna: Client, ben: Client, cast: factories.Cast, text: Any
) -> None:
    send(anna, **PANEL)
    code, alt = cast.anna_patient.code, LabResult.objects.get(analyte__code="alt")
    for_clinic, for_anna = text(ben.get(f"/people/{code}/results/")), text(anna.get("/results/"))
    shown, below = for_clinic.split("<details>")[:2]  # what is outside stands above the closed panel and in it
    assert shown.count("Grade 1 (CTCAE v5.0)") == below.count("Grade 1 (CTCAE v5.0)") == 2
    assert "CTCAE" not in for_anna
    assert "Grade 1 (CTCAE v5.0)" in text(ben.get(f"/results/entry/{alt.ref}/"))
    assert "CTCAE" not in text(anna.get(f"/results/entry/{alt.ref}/"))


def test_the_list_grades_as_the_page_of_the_safety_tests_does(ben: Client, cast: factories.Cast, text: Any) -> None:
    """A liver value that was above its limit before treatment is not graded, also when that was a page earlier."""
    today = cast.anna_patient.today(timezone.now())
    factories.plan(cast.anna_patient, cast.ben, starts_on=today - timedelta(days=3))
    before, now = (today - timedelta(days=300)).isoformat(), today.isoformat()
    keep(cast, "alt", Reading("=", Decimal(61), "u_l", None, "61"), on=before, printed_range="7-55")
    keep(cast, "alt", Reading("=", Decimal(70), "u_l", None, "70"), on=now, printed_range="7-55")
    listed = text(ben.get(f"/people/{cast.anna_patient.code}/results/", {"before": "2100-01-01"}))
    assert listed.count("Grade 1 (CTCAE v5.0)") == 1


def test_words_other_tests_and_unknown_units_are_shown_as_they_were_printed(
    anna: Client, cast: factories.Cast, text: Any
) -> None:
    words = keep(cast, "alt", Reading("=", None, "", None, "haemolysed", "", "haemolysed"))
    other = keep(
        cast,
        "other",
        Reading("=", Decimal("1.7"), "", None, "1.7", "mg/L"),
        test_name="CRP",
        printed_range="0-1",
        flag="H",
    )
    unknown = keep(cast, "creatinine", Reading("=", Decimal(5), "", None, "5", "furlongs"), printed_range="1-2")
    page = text(anna.get("/results/"))
    assert re.search(r">ALT</a> <b>haemolysed</b>", page)
    assert re.search(r">CRP</a> <b>1.7 mg/L</b>.*the laboratory marked it “H”", page)
    assert "<b>5 furlongs</b>" in page
    assert page.count("unit not known: kept as printed, not compared") == 1
    assert "outside" not in page
    assert "<h1>haemolysed</h1>" in text(anna.get(f"/results/entry/{words.ref}/"))
    assert "<dd>CRP" in text(anna.get(f"/results/entry/{other.ref}/"))
    one = text(anna.get(f"/results/entry/{unknown.ref}/"))
    assert "unit not known: kept as printed, not compared" in one
    assert "cannot be compared" in one


def test_one_results_page_shows_everything_that_was_kept(anna: Client, cast: factories.Cast, text: Any) -> None:
    kept = keep(
        cast,
        "potassium",
        Reading("=", Decimal("5.9"), "mmol_l", None, "5.9", "mmol/L"),
        printed_range="3.5-5.1",
        flag="H",
        laboratory="North Lab",
        specimen="S-77",
        external_id="ORD1^7",
        note="slightly haemolysed",
        status="preliminary",
    )
    page = text(anna.get(f"/results/entry/{kept.ref}/"))
    for shown in ("Potassium", "5.9", "3.5-5.1", "North Lab", "S-77", "ORD1^7", "slightly haemolysed", "preliminary"):
        assert shown in page
    assert "outside your laboratory’s range" in page
    assert re.search(r"The laboratory’s mark</dt><dd>H<", page)
    assert "Ben" in page


def test_an_unknown_unit_stays_when_only_the_day_is_corrected_and_is_never_guessed(
    anna: Client, cast: factories.Cast, text: Any
) -> None:
    kept = keep(cast, "creatinine", Reading("=", Decimal(97), "", None, "97", "furlongs"))
    path = f"/results/entry/{kept.ref}/change/"
    page = text(anna.get(path))
    assert '<option value="?" selected>furlongs (not known)</option>' in page
    moved = {"creatinine": "97", "creatinine_unit": "?", "reason": "wrong day", "drawn_on": "2026-03-02"}
    assert send(anna, path, **moved).status_code == 302
    kept.refresh_from_db()
    assert (kept.drawn_on, kept.unit, kept.unit_text, kept.value) == (date(2026, 3, 2), "", "furlongs", 97)
    guessed = send(anna, path, **{**moved, "creatinine": "98"})
    assert guessed.status_code == 422
    assert "Choose its unit" in text(guessed)
    assert send(anna, path, **{**moved, "creatinine": "97", "creatinine_unit": "umol_l"}).status_code == 302
    kept.refresh_from_db()
    assert (kept.unit, kept.unit_text) == ("umol_l", "")


def test_a_result_in_words_and_another_test_can_be_corrected(anna: Client, cast: factories.Cast, text: Any) -> None:
    other = keep(cast, "other", Reading("=", None, "", None, "no growth", "", "no growth"), test_name="Culture")
    path = f"/results/entry/{other.ref}/change/"
    assert ">Culture</label>" in text(anna.get(path))
    assert send(anna, path, other="no growth after 5 days", reason="cut short").status_code == 302
    other.refresh_from_db()
    assert (other.text, other.test_name, other.value) == ("no growth after 5 days", "Culture", None)
    alt = keep(cast, "alt", Reading("=", None, "", None, "clotted", "", "clotted"))
    path = f"/results/entry/{alt.ref}/change/"
    assert send(anna, path, alt="clotted", alt_unit="?", reason="note only", note="asked again").status_code == 302
    assert send(anna, path, alt="34", alt_unit="u_l", reason="came later").status_code == 302
    alt.refresh_from_db()
    assert (alt.value, alt.text, alt.note) == (34, "", "asked again")


# Cost


def statements(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def test_the_pages_ask_the_same_number_of_statements_for_any_number_of_results(anna: Client) -> None:
    send(anna, **PANEL)
    ref = LabResult.objects.first().ref
    paths = ("/results/", "/results/add/", f"/results/entry/{ref}/", "/results/?before=2026-03-02")
    few = {path: statements(anna, path) for path in paths}
    for month in range(2, 9):
        send(anna, sure="yes", drawn_on=f"2025-{month:02}-01", **PANEL)
    assert {path: statements(anna, path) for path in paths} == few


@pytest.mark.parametrize("text", ["", "x", "2026-02-30", "2026-03-01_", "2026-03-01_x", "_2026-03-01T08:15:00.000000"])
def test_an_address_that_is_no_key_is_none(text: str) -> None:
    assert Key.read(text) is None or str(Key.read(text)) == "2026-03-01"


def test_a_key_is_read_back_to_the_moment() -> None:
    at = factories.utc(2026, 3, 1, 8, 15).replace(microsecond=7)
    for key in (Key(date(2026, 3, 1)), Key(date(2026, 3, 1), at)):
        assert Key.read(str(key)) == key
