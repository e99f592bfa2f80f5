"""One patient on one page, for the clinic."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.models import Cycle, PlannedDose
from il2tracker.alerts import actions as alerts
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

NOW = utc(2026, 11, 21, 21, 35)


@pytest.fixture
def ada(north):
    return north.patient("Ada", started=3)


@pytest.fixture
def page(cast, see, ada):
    return lambda **facts: see(cast.ben, f"/people/{ada.code}/", **facts)


def test_the_head_says_who_on_which_plan(page, ada):
    text = page().text_read
    assert f"{ada.code} Ada Born 1970 (56)" in text
    assert "Plan, version 1 7.5 million units (MIU), under the skin, twice a day, 5 days every 8 weeks" in text


def test_opening_it_is_written_down_once(page, cast, ada):
    page()
    event = AuditEvent.objects.get(action="clinic.patient.opened")
    assert (event.actor_ref, event.patient_ref, event.detail) == (cast.ben.ref, ada.ref, "")


def test_every_open_alert_can_be_acknowledged(page, north, ada):
    urgent = north.alert(ada, "RED", "much less urine", minutes=35)
    amber = north.alert(ada, "AMBER", "tired, severe", minutes=600)
    answer = page()
    body = answer.content.decode()
    assert "Why now: much less urine, Sat 21 Nov 9pm, 35 minutes ago, not acknowledged" in answer.text_read
    assert "38.6 °C at 9:20pm." in answer.text_read
    assert "We do not know whether the patient called." in answer.text_read
    assert body.index(f"/alerts/{urgent.ref}/") < body.index(f"/alerts/{amber.ref}/")


def test_what_is_in_hand_stands_below_what_is_open_and_leads_to_its_page(page, north, cast, ada):
    taken = north.alert(ada, "RED", "much less urine", minutes=35)
    alerts.acknowledge(by=cast.ben, alert=taken, now=NOW - timedelta(minutes=9))
    amber = north.alert(ada, "AMBER", "tired, severe", minutes=600)
    answer = page()
    body = answer.content.decode()
    assert "In hand: much less urine, Sat 21 Nov 9pm" in answer.text_read
    assert body.index(f"/alerts/{amber.ref}/") < body.index(f'href="/alerts/{taken.ref}/"')
    assert f"/alerts/{taken.ref}/acknowledge/" not in body
    alerts.answer(by=ada.user, alert=taken, answer="not_reached", now=NOW)
    answer = page()
    body = answer.content.decode()
    assert "Why now: the patient cannot reach you. much less urine, Sat 21 Nov 9pm" in answer.text_read
    assert body.index(f'href="/alerts/{taken.ref}/"') < body.index(f"/alerts/{amber.ref}/")


def test_each_report_says_whether_reminders_to_inject_wait_for_it(page, north, cast, ada):
    urgent = north.alert(ada, "RED", "much less urine", minutes=35)
    assert "We do not know whether the patient called." in page().text_read
    assert page().text_read.count("Reminders to inject wait.") == 1
    north.alert(ada, "AMBER", "tired, severe", minutes=600)
    alerts.acknowledge(by=cast.ben, alert=urgent, now=NOW - timedelta(minutes=9))
    assert page().text_read.count("Reminders to inject wait.") == 1, "seen is not spoken with"
    alerts.take_step(by=cast.ben, alert=urgent, what="reached", now=NOW - timedelta(minutes=3))
    assert "Reminders to inject wait" not in page().text_read


def test_the_course_stands_day_by_day_with_how_it_felt(page, north, ada):
    from sideeffects.units import parse_temperature

    north.check_in(ada, hours_ago=48, severities={"tired": 1})
    north.check_in(
        ada, hours_ago=1, severities={"tired": 3}, temperature=parse_temperature("38.6"), temperature_typed="38.6"
    )
    text = page().text_read.replace("\xa0", " ")
    assert "Course 1, day 4 of 5 7 of 7 due recorded" in text
    assert "Wed 18 Thu 19 Fri 20 Sat 21 , today Sun 22" in text
    assert "Morning 10:00 right thigh 10:00 right thigh 10:00 right thigh 10:00 right thigh 10:00" in text
    assert "Evening 10:00 right thigh 10:00 right thigh 10:00 right thigh not yet 10:00 10:00" in text
    assert "Hottest – – – 38.6 °C –" in text
    assert "Tired – 1 – 3 –" in text


def test_silence_is_not_the_same_as_none(page, north, ada):
    north.check_in(ada, hours_ago=48, severities={"tired": 2})
    north.check_in(ada, hours_ago=24, no_symptoms=True)
    assert "Tired – 2 0 – –" in page().text_read


def test_urgent_signs_have_a_line_of_their_own(page, north, ada):
    north.check_in(ada, hours_ago=1, none_of_flags=False, flags=frozenset({"urine_less"}))
    assert "Urgent signs – – – Much less urine than usual, or none –" in page().text_read


def test_what_differs_from_the_plan_stands_in_its_cell(page, ada):
    dose = PlannedDose.objects.get(patient=ada, cycle__number=1, day=2, slot="am")
    dose.injections.all().delete()
    factories.injection(ada, ada.user, dose, amount="4.5", now=NOW)
    assert "Morning 10:00 right thigh 10:00 4.5" in page().text_read


def test_side_effects_are_drawn_and_said(page, north, ada):
    north.check_in(ada, hours_ago=48, severities={"tired": 1})
    north.check_in(ada, hours_ago=24, severities={"tired": 2})
    answer = page()
    assert (
        '<title id="sm-tired">Tired, severity 0 to 3 by day. '
        "course 1: not recorded, 1, 2, not recorded</title>" in answer.content.decode()
    )
    assert "Tired not recorded, 1, 2, not recorded" in answer.text_read


def test_results_stand_with_the_reason_of_their_verdict(page, north, ada):
    north.result(ada, 10, cd4="422")
    north.result(ada, 1, cd4="958")
    text = page().text_read
    assert "CD4+ 422, reliable, 10 days old" in text
    assert "Friday 20 November 2026 958 less than 20 too soon during course 1" in text
    assert "Wednesday 11 November 2026 422 less than 20 before any injection" in text


def test_a_gain_on_an_hiv_plan_stands_beside_what_the_trials_found(north, cast, see):
    patient = north.patient("Ida", started=45)
    north.result(patient, 50, cd4="422")
    north.result(patient, 2, cd4="612")
    text = see(cast.ben, f"/people/{patient.code}/").text_read
    assert "before course 1: 422" in text
    assert "Too early to judge: it can take up to six months at this amount, until Wednesday 7 April 2027" in text
    assert "higher" not in text.replace("A higher CD4 count", "")
    assert "A higher CD4 count shown here is not proof of protection." in text


def test_what_was_given_of_each_course_stands_beside_the_trend(north, cast, see):
    """Delivered dose: exact sums; what was not recorded or not taken is said and counted in none."""
    patient = north.patient("Ida", started=5, recorded=False)
    doses = list(PlannedDose.objects.filter(patient=patient, cycle__number=1))
    for dose in doses[:8]:
        factories.injection(patient, patient.user, dose, now=dose.due_at, site="tfr", premedicated=dose.day != 2)
    facts = {"state": "skipped", "reason": "ill", "now": doses[8].due_at}
    factories.injection(patient, patient.user, doses[8], **facts)
    text = see(cast.ben, f"/people/{patient.code}/").text_read
    assert "8 of 10, 60 of 75 million units 1 not taken; 1 not recorded" in text
    assert "Medicines before yes, yes no, no yes, yes yes, yes –" in text


def test_where_nobody_said_whether_medicines_were_taken_there_is_no_line(page):
    assert "Medicines before" not in page().text_read


def test_after_six_months_at_one_dose_the_difference_is_named(north, cast, see):
    patient = north.patient("Ida", started=190)
    north.result(patient, 195, cd4="422")
    north.result(patient, 25, cd4="612")
    text = see(cast.ben, f"/people/{patient.code}/").text_read
    assert "Too early" not in text
    assert "190 higher than before course 1 (422)" in text


def test_plan_and_history_name_who_signed(page):
    text = page().text_read
    assert "Version 1. 7.5 million units (MIU)" in text
    assert "Signed by Ben, nurse, Thursday 1 January 2026." in text
    assert "Fever limit: over 102 °F (38.9 °C or more) that fever medicine does not bring down." in text.replace(
        "\xa0", " "
    )


def test_who_looked_is_there_to_be_seen(page):
    page()
    assert "Saturday 21 November 2026, 9:35pm: Ben" in page().text_read


def test_a_hold_stands_in_the_head(page, cast, ada):
    factories.hold(cast.ben, Cycle.objects.get(patient=ada, number=1), "fever")
    assert "Hold course 1: another reason (fever)" in page().text_read


def test_a_course_of_weeks_opens_at_the_week_of_today(north, cast, see):
    north.plan(cast.dan_patient, 12, protocol="kidney-label")
    answer = see(cast.ben, f"/people/{cast.dan_patient.code}/")
    body = answer.content.decode()
    assert body.index("Week 2<") < body.index("The other weeks") < body.index("Week 1<") < body.index("Week 4<")
    assert "Course 1, week 2 of 5" in answer.text_read
    assert "Bedtime 10:00 right thigh" in answer.text_read


def test_a_patient_without_plan_or_account_has_a_page_that_says_what_to_do(cast, see):
    see(cast.ben, "/people/add/", name="Noah", birth_year="", time_zone="Europe/London", earlier_il2="never")
    code = cast.north.sharings.get(patient__name="Noah").patient.code
    text = see(cast.ben, f"/people/{code}/").text_read
    for words in ("Make a plan", "No course has started", "No results yet.", "No plan yet."):
        assert words in text


def test_a_code_is_found_whatever_its_case_and_only_by_its_clinic(cast, see, ada):
    assert see(cast.ben, f"/people/{ada.code.lower()}/").status_code == 200
    assert see(cast.carla, f"/people/{ada.code}/").status_code == 404
    assert see(ada.user, f"/people/{ada.code}/").status_code == 404


def statements(client, user, code):
    with time_machine.travel(NOW, tick=False):
        client.force_login(user)
        with CaptureQueriesContext(connection) as found:
            assert client.get(f"/people/{code}/").status_code == 200
    return len(found)


def test_the_number_of_statements_does_not_grow_with_the_record(north, cast, client, ada):
    north.result(ada, 9)
    north.check_in(ada, hours_ago=70, severities={"tired": 1})
    few = statements(client, cast.ben, ada.code)
    for number in range(12):
        north.result(ada, 20 + number, cd4=str(400 + number))
        north.check_in(ada, hours_ago=number * 5, severities={"tired": 2, "nausea": 1})
        north.alert(ada, "AMBER", "tired, severe", minutes=number)
        factories.injection(ada, ada.user, at=NOW, amount="1")
    assert statements(client, cast.ben, ada.code) == few <= 34


def test_a_plan_without_these_tests_says_so_instead_of_asking_for_them(north, cast, see):
    north.plan(cast.dan_patient, 12, protocol="kidney-label")
    text = see(cast.ben, f"/people/{cast.dan_patient.code}/").text_read
    assert "CD4+ and viral load are not part of this plan" in text
    assert "Two results make a drawing" not in text


def test_an_alert_about_an_injection_leads_to_its_entry(page, ada):
    given = factories.injection(ada, ada.user, at=NOW, amount="9", now=NOW).injection
    answer = page()
    assert f'<a href="/diary/entry/{given.ref}/">The entry</a>' in answer.content.decode()


def test_the_points_of_its_drawings_lead_to_their_rows_on_the_trend_page(page, see, cast, north, ada):
    north.result(ada, 70, cd4="422")
    north.result(ada, 10, cd4="612")
    targets = re.findall(r'<a href="([^"]*)#([^"]+)" aria-label', page().content.decode())
    rows = see(cast.ben, f"/people/{ada.code}/results/trend/").content.decode()
    assert len({key for _, key in targets}) == 2
    for address, key in targets:
        assert address == f"/people/{ada.code}/results/trend/"
        assert f'<tr id="{key}"' in rows


def test_a_result_outside_its_printed_range_stands_above_the_labs(page, north, ada):
    assert "Potassium" not in page().text_read
    north.measured(ada, "potassium", "7.9", "3.5-5.1")
    labs = page().text_read.partition("All results, add or import")[2]
    assert labs.startswith(
        " Nobody of the clinic has seen these yet Potassium 7.9 mmol/L, above the range "
        "Taken on Friday 20 November 2026, entered by the patient."
    )


def test_the_newest_of_each_safety_test_stands_in_labs_with_its_range(page, north, ada):
    """W33: creatinine must not have to be looked for."""
    assert "Safety tests, the newest of each" not in page().text_read
    north.measured(ada, "creatinine", "1.1", "0.6-1.2", days_ago=9)
    north.measured(ada, "potassium", "4.2", "3.5-5.1", days_ago=9)
    north.measured(ada, "potassium", "7.9", "3.5-5.1", days_ago=1)
    labs = page().text_read.rpartition("Test Result Printed range Taken on")[2]
    assert "Potassium 7.9 mmol/L outside the laboratory’s range 3.5-5.1 20 Nov 2026" in labs
    assert "Creatinine 1.1 mg/dL 0.6-1.2 12 Nov 2026" in labs
    assert "4.2" not in labs.partition("Suggestions")[0]
