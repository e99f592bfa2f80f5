"""Real laboratory data in the browser: patient 1 of ACTG 315, who was not treated with IL-2; the dates are assigned."""

import csv
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from il2tracker import ui
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, Patient, User
from labs.models import LabResult

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

FILE = Path(__file__).parent.parent / "data" / "actg315_patients_01_23.csv"
DAY_0 = date(2025, 1, 6)


@pytest.fixture
def patient_1(clinic) -> Patient:
    nurse = User.objects.get(email="nurse@demo.example")
    north = Clinic.objects.get(slug="clinic-north")
    return accounts.create_patient(by=nurse, clinic=north, name="ACTG patient 1", earlier_il2="never")


def rows_of_the_file():
    with FILE.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["patient"] == "1"]


def upload(page, patient):
    page.goto(f"/people/{patient.code}/results/import/")
    page.get_by_label("File", exact=True).set_input_files(FILE)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check the file")


def answer(page):
    page.get_by_label("Which rows are these results?").select_option("1")
    page.get_by_label("Day 0 of the file was on").fill(DAY_0.isoformat())
    page.get_by_role("button", name="Read the file again").click()
    page.get_by_label(re.compile("1.699")).fill("100")
    page.get_by_role("button", name="Read the file again").click()


def test_the_table_shows_exactly_the_values_of_the_file_and_1_699_as_below_100(sign_in, sound, patient_1):
    page = sign_in("nurse", width=1280)
    upload(page, patient_1)
    sound(page)
    assert not LabResult.objects.of(patient_1).exists()
    answer(page)
    sound(page)
    assert not LabResult.objects.of(patient_1).exists()
    wanted = rows_of_the_file()
    page.get_by_role("button", name=f"Add {2 * len(wanted)} results").click()
    expect(page.get_by_role("status")).to_contain_text(f"{2 * len(wanted)} results added")
    sound(page)
    page.get_by_role("link", name="All results").click()
    sound(page)
    shown = page.locator("table.ledger tbody tr")
    expect(shown).to_have_count(len(wanted))
    for row, line in zip(shown.all(), reversed(wanted), strict=True):
        drawn_on = DAY_0 + timedelta(days=int(line["study_day"]))
        expect(row.get_by_role("rowheader")).to_have_text(ui.long_day(drawn_on))
        expect(row.get_by_role("cell").nth(0)).to_have_text(ui.number(line["cd4_cells_per_uL"]))
        load = line["log10_hiv_rna_copies_per_ml"]
        floored = f"below 100 (file: {load})"
        expect(row.get_by_role("cell").nth(1)).to_have_text(
            floored if load == "1.699" else re.compile(rf"^[\d,]+ \(file: {re.escape(load)}\)$")
        )


def test_a_second_import_of_the_same_file_adds_nothing(sign_in, patient_1):
    page = sign_in("nurse", width=1280)
    upload(page, patient_1)
    answer(page)
    page.get_by_role("button", name="Add 14 results").click()
    expect(page.get_by_role("status")).to_contain_text("14 results added")
    upload(page, patient_1)
    answer(page)
    expect(page.get_by_role("button", name=re.compile("^Add"))).to_have_count(0)
    assert LabResult.objects.of(patient_1).count() == 14
