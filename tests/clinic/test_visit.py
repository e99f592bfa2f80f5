"""The page for a visit (ux 2.14): the same zones for ever, on the screen and as a file, naming only whom it may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cycles.hold_actions import raise_hold
from cycles.models import Cycle, PlannedDose
from il2tracker.accounts import actions as accounts
from il2tracker.accounts import looked
from il2tracker.accounts.models import Patient
from il2tracker.audit.models import AuditEvent
from il2tracker.clinic import paper, visit
from sideeffects.units import parse_temperature
from tests import factories
from tests.clinic.conftest import NOW, readable

pytestmark = pytest.mark.django_db
ZONES = ("In short", "Drawings", "The last two courses", "My questions", "Medicines and holds", "Notes")


@pytest.fixture
def ada(north: Any) -> Patient:
    """In her second course, on day 4; the first is recorded in full."""
    return north.patient("Ada", started=56 + 3, premedication="Paracetamol\nCetirizine")


@pytest.fixture
def download() -> Any:
    def get(user: Any, path: str) -> Any:
        client = Client()
        with time_machine.travel(NOW, tick=False):
            client.force_login(user)
            return client.get(path)

    return get


def of(patient: Patient) -> str:
    return f"/people/{patient.code}/visit/"


def test_the_zones_stand_in_their_order_and_say_so_where_they_are_empty(see, cast):
    answer = see(cast.anna, "/visit/")
    body = answer.content.decode()
    assert answer.status_code == 200
    places = [body.index(f">{zone}<") for zone in ZONES]
    assert places == sorted(places)
    for words in (
        "No course yet.",
        "no reliable result yet",
        "No drawing yet: two results of one test make one.",
        "No course has started.",
        "no temperature was entered",
        "The plan names no medicines before an injection.",
        "Nothing is on hold.",
        "No entries yet",
    ):
        assert words in answer.text_read, words


def test_the_numbers_are_those_of_the_diary(see, north, cast, ada):
    north.result(ada, 70, cd4="422", load="150")
    north.result(ada, 10, cd4="612", load="<20")
    north.check_in(ada, hours_ago=30, temperature=parse_temperature("38.6"), severities={"tired": 2})
    north.check_in(ada, hours_ago=6, temperature=parse_temperature("38.1"), severities={"tired": 1})
    text = see(cast.ben, of(ada)).text_read.replace("\xa0", " ")
    assert "CD4+, last reliable 612 11 November 2026, cells/mm³" in text
    assert "Viral load, last reliable less than 20 11 November 2026, copies per mL" in text
    assert "Injections, course 2 7 of 7 recorded, of 10 planned" in text
    assert "Hottest, course 2 38.6 °C Friday 20 November, day 3" in text
    assert "Course 2, day 4 of 5. 7.5 million units (MIU), under the skin, twice a day, 5 days every 8 weeks." in text


def test_a_result_from_a_course_is_not_among_the_numbers(see, north, cast, ada):
    north.result(ada, 70, cd4="422")
    north.result(ada, 1, cd4="958", load="64")
    text = see(cast.ben, of(ada)).text_read
    assert "CD4+, last reliable 422 12 September 2026" in text
    assert "958" not in text.split("Drawings")[0]


def test_each_day_of_the_last_two_courses_has_its_injections_hottest_and_worst(see, north, cast, ada):
    both = {"tired": 2, "nausea": 2, "shivering": 1}
    north.check_in(ada, hours_ago=72, flags=frozenset({"fainted"}), none_of_flags=False, no_symptoms=True)
    north.check_in(ada, hours_ago=48, temperature=parse_temperature("38.2"), severities={"tired": 1})
    north.check_in(ada, hours_ago=24, temperature=parse_temperature("38.9"), severities=both)
    north.check_in(ada, hours_ago=23, flags=frozenset({"urine_less"}), none_of_flags=False)
    text = see(cast.ben, of(ada)).text_read
    assert "Course 1 , 23 to 27 September 2026 Day Wed 23 Thu 24 Fri 25 Sat 26 Sun 27 Injections 2 2 2 2 2" in text
    second = text.partition("Course 2 , 18 to 22 November 2026")[2]
    assert "Injections 2 2 2 1 of 2 – Hottest, °C – 38.2 38.9 – –" in second
    assert "Urgent signs Fainted none Much less urine than usual, or none – –" in second
    assert "Worst ! urgent sign 1 tired 2! tired +1 – –" in second


def test_temperatures_in_two_units_keep_them(see, north, cast, ada):
    north.check_in(ada, hours_ago=48, temperature=parse_temperature("38.2"))
    north.check_in(ada, hours_ago=24, temperature=parse_temperature("101.1 F"))
    assert "Hottest – 38.2 °C 101.1 °F – –" in see(cast.ben, of(ada)).text_read.replace("\xa0", " ")


def test_what_was_not_taken_is_named(see, north, cast, ada):
    dose = PlannedDose.objects.get(patient=ada, cycle__number=1, day=2, slot="am")
    dose.injections.all().delete()
    factories.injection(ada, ada.user, dose, state="skipped", reason="ill", now=NOW)
    assert "Injections 2 1 of 2 2 2 2" in see(cast.ben, of(ada)).text_read


def test_medicines_and_holds_stand_as_they_were_written(see, cast, ada):
    raise_hold(by=cast.ben, cycle=Cycle.objects.get(patient=ada, number=2), kind="infection", reason="fever", now=NOW)
    text = see(cast.ben, of(ada)).text_read
    assert "Before an injection, as written in the plan: Paracetamol, Cetirizine." in text
    assert "On hold:" in text
    assert "nfection" in text.partition("On hold:")[2].partition("Notes")[0]


@pytest.mark.parametrize(("privacy", "named"), [("discreet", False), ("plain", True), ("full", True)])
def test_the_paper_names_the_patient_only_where_he_or_she_chose_so(see, cast, ada, privacy, named):
    Patient.objects.filter(pk=ada.pk).update(name="Ada Lovelace", privacy=privacy)
    for reader, path in ((ada.user, "/visit/"), (cast.ben, of(ada))):
        paper_only = see(reader, path).content.decode().partition("<article")[2].partition("</article>")[0]
        text = readable(paper_only)
        assert ("Ada Lovelace" in text) is named
        assert ("born 1970" in text) is named
        assert ("020 7946" in text) is named
        assert (f"Code {ada.code}" in text) is not named


def test_title_and_file_name_say_nothing(download, ada):
    for path in ("/visit/", "/visit.pdf"):
        answer = download(ada.user, path)
        said = (
            answer.headers.get("Content-Disposition", "")
            + answer.content.decode("latin-1")[:1500].partition("</title>")[0]
        )
        for word in ("IL-2", "CD4", "HIV", ada.code, "Ada"):
            assert word not in said
    assert answer.headers["Content-Disposition"] == 'attachment; filename="summary-2026-11-21.pdf"'


def test_it_says_when_it_was_printed_and_until_when_it_holds_entries(see, north, cast, ada):
    north.check_in(ada, hours_ago=0, severities={"tired": 1})
    text = see(cast.ben, of(ada)).text_read
    assert "Printed Saturday 21 November 2026, 9:35pm Entries up to" in text
    assert "A print that says an earlier one does not hold it: print again." in text


def test_a_change_moves_until_when_it_holds_entries(see, cast, ada):
    before = visit.compose(ada, cast.ben, NOW).until
    later = before + timedelta(hours=2)
    with time_machine.travel(later, tick=False):
        PlannedDose.objects.filter(patient=ada).first().record.save()
    assert visit.compose(ada, cast.ben, NOW).until == later


def test_the_full_tables_come_only_when_they_are_asked_for(see, north, cast, ada):
    north.result(ada, 70, cd4="422")
    assert "Full tables" not in see(cast.ben, of(ada)).text_read
    text = see(cast.ben, of(ada) + "?tables=1").text_read
    assert "Full tables" in text
    assert "422" in text.partition("Full tables")[2]
    assert "Safety tests No safety tests yet." in text
    assert "Evening 10:00 right thigh" in text


def test_without_counts_in_the_plan_the_zones_stay_and_say_why(see, north, cast):
    north.plan(cast.dan_patient, 12, protocol="kidney-label")
    text = see(cast.ben, of(cast.dan_patient)).text_read
    assert "No safety tests lately." in text
    assert "Week 1 Mon 9 Tue 10" in text
    assert "Week 2 Mon 16" in text
    assert "Week 3" not in text


def test_on_a_plan_without_counts_the_newest_safety_tests_stand_there_and_no_word_of_hiv(see, north, cast):
    """Also where somebody entered a count."""
    north.plan(cast.dan_patient, 12, protocol="kidney-label")
    north.result(cast.dan_patient, 40, cd4="600")
    north.result(cast.dan_patient, 10, cd4="500")
    north.measured(cast.dan_patient, "potassium", "7.9", "3.5-5.1")
    north.measured(cast.dan_patient, "creatinine", "0.9", "0.6-1.2", days_ago=3)
    for reader, path in ((cast.dan, "/visit/"), (cast.ben, of(cast.dan_patient))):
        text = see(reader, path).text_read.partition("Summary for a visit")[2]
        assert "Safety tests, newest 20 Nov 2026 2 tests" in text
        assert "Outside the printed range 1 Potassium" in text
        assert "Potassium 7.9 mmol/L , 20 Nov 2026 (above the range)" in text
        assert "Creatinine 0.9 mg/dL , 18 Nov 2026" in text
        assert "CD4" not in text
        assert "iral load" not in text


def test_a_course_from_before_the_diary_asks_for_nothing(see, north, cast):
    patient = north.patient("Ida", started=30, recorded=False)
    Cycle.objects.filter(patient=patient).update(entered_later=True)
    assert "from before this diary" in see(cast.ben, of(patient)).text_read


def test_opening_it_is_written_down_for_everybody_else(see, download, cast, ada):
    see(ada.user, "/visit/")
    assert not AuditEvent.objects.filter(action="clinic.visit.opened").exists()
    see(cast.ben, of(ada))
    assert AuditEvent.objects.filter(action="clinic.visit.opened", patient_ref=ada.ref).count() == 1


def test_a_file_is_a_copy_which_the_patient_is_told_of(download, cast, ada):
    download(ada.user, "/visit.pdf")
    download(cast.ben, f"/people/{ada.code}/visit.pdf")
    copy = AuditEvent.objects.get(action="clinic.visit.exported", patient_ref=ada.ref)
    assert copy.actor_ref == cast.ben.ref
    assert looked.in_words(copy.action) == "took a copy of your record"


def test_who_only_helps_reads_the_page_and_takes_no_file(see, download, cast, ada):
    accounts.share_with_person(by=ada.user, patient=ada, person=cast.sam, may_record=True)
    assert "visit.pdf" not in see(cast.sam, of(ada)).content.decode()
    assert download(cast.sam, f"/people/{ada.code}/visit.pdf").status_code == 403


def test_nobody_else_sees_it(see, cast, ada):
    assert see(cast.carla, of(ada)).status_code == 404
    assert see(cast.carla, f"/people/{ada.code}/visit.pdf").status_code == 404
    accounts.share_with_person(by=ada.user, patient=ada, person=cast.sam, may_record=False)
    assert see(cast.sam, of(ada)).status_code == 200


def test_the_file_is_a_pdf_that_no_cache_keeps(download, north, ada):
    north.result(ada, 70, cd4="422", load="150")
    north.result(ada, 10, cd4="612", load="<20")
    answer = download(ada.user, "/visit.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("size", ["A4", "Letter"])
def test_the_first_page_fits_on_one_sheet(north, cast, ada, size, monkeypatch):
    import weasyprint
    from django.template.loader import render_to_string

    north.result(ada, 70, cd4="422", load="150")
    north.result(ada, 10, cd4="612", load="<20")
    for hours in range(0, 80, 6):
        north.check_in(ada, hours_ago=hours, severities={"tired": 2, "nausea": 1})
    page = visit.compose(ada, cast.ben, NOW)
    context = {"page": page, "patient": ada, "picture": page.trend, "tables": False, "user": cast.ben}
    made = []
    write = weasyprint.HTML.render
    monkeypatch.setattr(
        weasyprint.HTML, "render", lambda self, *args, **more: made.append(write(self, *args, **more)) or made[-1]
    )
    html = render_to_string("clinic/visit_paper.html", context)
    assert paper.is_available()
    paper.pdf(html.replace("</head>", f"<style>@page {{ size: {size} }}</style></head>"))
    assert len(made[0].pages) == 1


def test_nothing_but_our_own_files_is_read_for_the_file(tmp_path):
    secret = tmp_path / "secret.css"
    secret.write_text("p { color: red }")
    fetcher = paper._own_files()
    for url in (secret.as_uri(), "http://127.0.0.1:9/x", f"{paper._folder().as_uri()}/../settings.py"):
        with pytest.raises(ValueError, match=r"our own files|disallowed"):
            fetcher.fetch(url)


def test_without_the_library_the_page_has_no_link_to_the_file_and_the_file_is_not_there(see, ada, monkeypatch):
    assert "/visit.pdf" in see(ada.user, "/visit/").content.decode()
    monkeypatch.setattr(paper, "is_available", lambda: False)
    assert "/visit.pdf" not in see(ada.user, "/visit/").content.decode()
    assert see(ada.user, "/visit.pdf").status_code == 404


def test_every_colour_of_a_drawing_is_known_on_paper():
    rules = paper._drawn_rules()
    assert ".c-cd4{" in rules.replace(" ", "")
    assert "var(" not in rules


def test_the_number_of_statements_does_not_grow_with_the_record(north, cast, ada):
    def statements() -> int:
        with CaptureQueriesContext(connection) as found:
            visit.compose(ada, cast.ben, NOW, tables=True)
        return len(found)

    north.result(ada, 9)
    north.check_in(ada, hours_ago=70, severities={"tired": 1})
    few = statements()
    for number in range(12):
        north.result(ada, 20 + number, cd4=str(400 + number))
        north.check_in(ada, hours_ago=number * 5, severities={"tired": 2, "nausea": 1})
    assert statements() == few <= 45
