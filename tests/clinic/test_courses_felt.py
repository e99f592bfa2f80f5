"""How each course felt: strips of days under each other, and lumps by week."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.models import Cycle, Injection
from cycles.site_actions import change_reaction, clear_reaction, report_reaction
from il2tracker.alerts.actions import acknowledge, take_step
from il2tracker.audit.models import AuditEvent
from sideeffects.units import parse_temperature
from tests.clinic.conftest import NOW, TODAY
from tests.factories import alert as alert_of

pytestmark = pytest.mark.django_db
SILENT = "Nothing is written down about how these courses felt. That does not mean that nothing was felt."


@pytest.fixture
def ada(north):
    """On day 5 of course 2; course 1 was eight weeks ago."""
    return north.patient("Ada", started=60)


@pytest.fixture
def page(cast, see, ada):
    return lambda **facts: see(cast.ben, f"/people/{ada.code}/effects/", **facts)


def days_ago(days):
    return {"hours_ago": 24 * days}


def rows(answer):
    """Name of each row → what stands in its boxes, of each strip of the page, as a person sees them."""
    strips = []
    for table in re.findall(r"<table.*?</table>", answer.content.decode(), re.DOTALL):
        found = {}
        for line in re.findall(r'<tr><th scope="row">(.*?)</tr>', table, re.DOTALL):
            name, boxes = line.split("</th>", 1)
            seen = re.sub(r'<span class="sr">.*?</span>', "", boxes)
            found[name] = [re.sub("<.*?>", "", box) for box in re.findall(r"<td.*?</td>", seen)]
        strips.append(found)
    return strips


def test_two_courses_stand_under_each_other_aligned_on_day_1(page, north, ada):
    north.check_in(ada, **days_ago(58), severities={"tired": 1})
    north.check_in(ada, **days_ago(2), severities={"tired": 3, "itch": 1})
    now, before = rows(page())[:2]
    assert now["Tired"] == ["", "", "", "3", *[""] * 9]
    assert before["Tired"] == ["", "", "", "1", *[""] * 9]
    assert before["Itching"] == [""] * 13


def test_the_newest_course_stands_first(page):
    heads = re.findall(r"<h2[^>]*>(Course \d)<", page().content.decode())
    assert heads == ["Course 2", "Course 1"]


def test_the_worst_of_a_day_counts_and_the_week_before_and_after_are_shown(page, north, ada):
    north.check_in(ada, **days_ago(57), severities={"tired": 1})
    north.check_in(ada, hours_ago=24 * 57 + 3, severities={"tired": 2})
    north.check_in(ada, **days_ago(62), severities={"tired": 1})
    north.check_in(ada, **days_ago(50), severities={"tired": 3})
    north.check_in(ada, **days_ago(48), severities={"tired": 3})  # eight days after: in no column
    before = rows(page())[1]
    assert before["Tired"] == ["1", "", "", "", "2", *[""] * 6, "3", ""]


def test_none_is_a_0_and_silence_an_empty_box(page, north, ada):
    """H27."""
    north.check_in(ada, **days_ago(60), severities={"tired": 2})
    north.check_in(ada, **days_ago(59), no_symptoms=True)
    north.check_in(ada, **days_ago(58))
    answer = page()
    assert rows(answer)[1]["Tired"][1:4] == ["2", "0", ""]
    assert rows(answer)[1]["Worst"][1:4] == ["2", "0", ""]
    assert '<td class="unsaid"><span class="sr">nothing said</span></td>' in answer.content.decode()


def test_what_was_given_stands_beside_the_highest_temperature_and_the_worst_of_the_day(page, north, ada):
    dose = Injection.objects.get(planned_dose__cycle__number=1, planned_dose__day=3, planned_dose__slot="pm")
    dose.delete()
    north.check_in(
        ada, **days_ago(58), severities={"tired": 2}, temperature=parse_temperature("38.6"), temperature_typed="38.6"
    )
    before = rows(page())[1]
    assert before["Million units given"] == ["", "15", "15", "7.5?", "15", "15", *[""] * 7]
    assert before["Hottest, °C"][3] == "38.6"
    assert before["Worst"][3] == "2"
    assert list(before)[:3] == ["Million units given", "Hottest, °C", "Worst"]


def test_readings_in_two_units_keep_them(page, north, ada):
    for days, typed in ((58, "38.6"), (57, "101.5 F")):
        north.check_in(ada, **days_ago(days), temperature=parse_temperature(typed), temperature_typed=typed)
    hottest = [box.replace("\xa0", " ") for box in rows(page())[1]["Hottest"]]
    assert (hottest[3], hottest[4]) == ("38.6 °C", "101.5 °F")


def test_urgent_signs_have_a_row_and_are_named_under_their_strip(page, north, ada):
    north.check_in(ada, **days_ago(58), none_of_flags=False, flags=frozenset({"fainted"}))
    answer = page()
    assert rows(answer)[1]["Urgent signs"][3] == "!"
    assert "Urgent signs" not in rows(answer)[0]
    assert "Thursday 24 September 2026: Fainted" in answer.text_read


def test_urgent_signs_are_none_only_where_somebody_said_none_of_these(page, north, ada):
    """H27: saved early with a fever, the question of the signs was not answered."""
    north.check_in(ada, **days_ago(58), none_of_flags=False, flags=frozenset({"fainted"}))
    north.check_in(ada, **days_ago(57), none_of_flags=False, unfinished={"pressure": ["high"]})
    north.check_in(ada, **days_ago(56))
    assert rows(page())[1]["Urgent signs"][3:6] == ["!", "", "0"]


def test_a_day_with_an_urgent_sign_is_not_the_mildest_in_the_row_of_the_worst(page, north, ada):
    """H27."""
    north.check_in(ada, **days_ago(59), none_of_flags=False, flags=frozenset({"fainted"}), no_symptoms=True)
    north.check_in(ada, **days_ago(58), none_of_flags=False, flags=frozenset({"fainted"}), severities={"tired": 2})
    north.check_in(ada, **days_ago(57), no_symptoms=True)
    answer = page()
    assert rows(answer)[1]["Worst"][2:5] == ["!", "2!", "0"]
    assert '<td class="flag"><span aria-hidden="true">!</span><span class="sr">urgent sign</span></td>' in (
        answer.content.decode()
    )


def test_days_to_come_are_not_silence(page):
    body = page().content.decode()
    worst = re.search(r'<tr><th scope="row">Worst</th>(.*?)</tr>', body, re.DOTALL)[1]
    assert worst.count('class="unsaid"') == 6  # the week before and five days; the week after has not come
    assert worst.count("<td></td>") == 7


def test_a_patient_without_any_entry_is_never_shown_as_free_of_symptoms(see, cast, page, ada):
    for answer in (page(), see(ada.user, "/check-in/patterns/")):
        assert SILENT in answer.text_read
        assert "symptom-free" not in answer.text_read
        assert all(set(strip["Worst"]) == {""} for strip in rows(answer))
    clinic = see(cast.ben, f"/people/{ada.code}/").text_read
    assert "Nothing was said about side effects in these courses. That is not the same as none." in clinic
    assert "No side effect was reported" not in clinic


def test_a_course_without_an_entry_says_so_beside_one_that_has_some(page, north, ada):
    north.check_in(ada, **days_ago(58), severities={"tired": 1})
    text = page().text_read
    assert SILENT not in text
    assert text.count("Nothing is written down about how this course felt.") == 1


def test_said_to_be_none_in_a_whole_course_is_reported_as_that(see, cast, north, ada):
    north.check_in(ada, **days_ago(58), no_symptoms=True)
    assert "No side effect was reported in these courses." in see(cast.ben, f"/people/{ada.code}/").text_read


def test_the_patient_sees_the_same_under_an_address_of_his_own(see, north, ada):
    north.check_in(ada, **days_ago(2), severities={"tired": 3})
    answer = see(ada.user, "/check-in/patterns/")
    assert rows(answer)[0]["Tired"][3] == "3"
    assert re.search("<title>(.*?)</title>", answer.content.decode())[1].startswith("Course by course")


def test_opening_it_is_written_down(page, cast, ada):
    page()
    assert AuditEvent.objects.filter(actor_ref=cast.ben.ref, action="sideeffects.patterns.opened").count() == 1


def hard_on(north, patient, first_days_ago, worst):
    for day, severity in enumerate(worst):
        north.check_in(patient, **days_ago(first_days_ago - day), severities={"tired": severity})


def test_after_two_courses_the_hardest_days_are_said_but_not_beside_an_urgent_report(see, north, cast):
    patient = north.patient("Ida", started=2 * 56 + 3)
    hard_on(north, patient, 2 * 56 + 3, [1, 1, 3, 3, 1])
    path = f"/people/{patient.code}/effects/"
    assert "hardest" not in see(cast.ben, path).text_read
    hard_on(north, patient, 56 + 3, [1, 1, 2, 3, 1])
    assert "In the last two courses days 3 and 4 felt the hardest" in see(cast.ben, path).text_read
    own = see(patient.user, "/check-in/patterns/").text_read
    assert "In your last two courses days 3 and 4 felt the hardest." in own
    alert = alert_of(patient, patient.user)
    for may_read in (False, False, True):
        assert ("felt the hardest" in see(patient.user, "/check-in/patterns/").text_read) is may_read
        if alert.acknowledged_at is None:
            alert = acknowledge(by=cast.ben, alert=alert, now=NOW)
        else:
            take_step(by=cast.ben, alert=alert, what="closed", note="Better.", now=NOW)


def test_older_courses_stand_on_a_page_of_their_own(see, north, cast):
    patient = north.patient("Ida", started=5 * 56, recorded=False)
    first = see(cast.ben, f"/people/{patient.code}/effects/")
    assert re.findall(r"<h2[^>]*>(Course \d)<", first.content.decode()) == [f"Course {n}" for n in (6, 5, 4, 3)]
    older = re.search(r'href="\?before=([\d-]+)"', first.content.decode())[1]
    second = see(cast.ben, f"/people/{patient.code}/effects/?before={older}")
    assert re.findall(r"<h2[^>]*>(Course \d)<", second.content.decode()) == ["Course 2", "Course 1"]
    assert "?before=" not in second.content.decode()


@pytest.mark.parametrize("before", ["yesterday", "2026-13-01", "0"])
def test_an_address_that_names_no_day_is_not_found(see, cast, ada, before):
    assert see(cast.ben, f"/people/{ada.code}/effects/?before={before}").status_code == 404


def test_before_the_first_course_the_page_says_what_will_stand_there(see, north, cast):
    patient = north.patient("Ida", started=-10)
    assert "No course has started." in see(cast.ben, f"/people/{patient.code}/effects/").text_read


def test_a_course_of_weeks_has_a_column_for_each_of_its_days(see, north, cast):
    patient = north.patient("Ida", started=12, protocol="kidney-label")
    north.check_in(patient, **days_ago(2), severities={"tired": 1})
    [strip] = rows(see(cast.ben, f"/people/{patient.code}/effects/"))
    assert len(strip["Worst"]) == 1 + 26 + 7
    assert strip["Tired"][11] == "1"


def statements(client, user, path):
    with time_machine.travel(NOW, tick=False), CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


def test_the_number_of_statements_does_not_grow_with_the_record(client, north, cast, ada):
    path = f"/people/{ada.code}/effects/"
    client.force_login(cast.ben)
    north.check_in(ada, **days_ago(2), severities={"tired": 1})
    lump(ada, "all", 12, days=20)
    few = statements(client, cast.ben, path)
    for days in range(50):
        north.check_in(ada, **days_ago(days), severities={"tired": 1, "nausea": 2, "itch": 1})
    course = Cycle.objects.get(patient=ada, number=1)
    facts = {"patient": ada, "plan": course.plan, "version": course.version}
    for number in range(30, 36):
        first = course.starts_on - timedelta(days=14 * (number - 29))
        Cycle.objects.create(**facts, number=number, starts_on=first, last_dose_on=first + timedelta(days=4))
    for site in ("alr", "tfl", "tfr"):
        lump(ada, site, 9, days=9)
    assert statements(client, cast.ben, path) == few


# Lumps


def lump(patient, site, size, *, days, kind="lump"):
    at = NOW - timedelta(days=days)
    with time_machine.travel(at, tick=False):
        return report_reaction(
            by=patient.user, patient=patient, site=site, kind=kind, noticed_on=at.date(), now=at, size_mm=size
        )


def test_a_lump_is_followed_week_by_week_until_it_is_gone(page, ada):
    one = lump(ada, "all", 12, days=40)
    with time_machine.travel(NOW - timedelta(days=20), tick=False):
        change_reaction(by=ada.user, reaction=one, size_mm=25, note="grew")
    with time_machine.travel(NOW, tick=False):
        clear_reaction(by=ada.user, reaction=one, on=TODAY - timedelta(days=8), now=NOW)
    lump(ada, "tfr", None, days=2, kind="sore")
    table = rows(page())[-1]
    assert table["Abdomen, lower left: lump"] == [*[""] * 6, "12", "12", "25", "25", "25", ""]
    assert table["Right thigh, front: sore"] == [*[""] * 11, "·"]


def test_without_a_lump_the_page_says_how_far_it_looked(page):
    assert "No sore place and no lump was noted in the last 12 weeks." in page().text_read
