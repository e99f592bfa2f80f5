"""A check-in as a summary for a medicines regulator (K25)."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from cycles.models import Medication
from il2tracker.audit.models import AuditEvent
from sideeffects import handover
from sideeffects.report import compose
from sideeffects.units import Pressure, Weight, parse_temperature
from tests import factories
from tests.factories import utc
from tests.sideeffects.test_reading import save

pytestmark = pytest.mark.django_db

NOW = utc(2026, 11, 21, 12)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def cast():
    with time_machine.travel(NOW, tick=False):
        cast = factories.cast()
        plan = factories.plan(cast.anna_patient, cast.ben, starts_on=NOW.date() - timedelta(days=2))
        for dose in plan.cycles.get(number=1).doses.filter(due_at__lt=NOW):
            factories.injection(cast.anna_patient, cast.anna, dose)
        yield cast


def feel(cast, at=NOW, **answers):
    return save(cast.anna, cast.anna_patient, at, **answers)


def reactions(check_in):
    return {one.words: one for one in compose(check_in, LATER).reactions}


def test_each_sign_says_how_bad_it_is_and_since_which_entry_in_a_row(cast):
    feel(cast, NOW - timedelta(days=4), severities={"itch": 1})
    feel(cast, NOW - timedelta(days=2), severities={"tired": 1})
    feel(cast, NOW - timedelta(days=1), severities={"itch": 1, "tired": 2})
    found = reactions(feel(cast, severities={"itch": 2, "tired": 3}))
    assert (found["Itching"].how_bad, found["Itching"].since) == ("Moderate", NOW.date() - timedelta(days=1))
    assert (found["Tired"].how_bad, found["Tired"].since) == ("Severe", NOW.date() - timedelta(days=2))


def test_what_was_said_later_is_listed_and_silence_is_not_taken_for_none(cast):
    entry = feel(cast, severities={"itch": 2}, flags=frozenset({"fainted"}))
    feel(cast, NOW + timedelta(days=1), severities={"tired": 1})
    feel(cast, NOW + timedelta(days=2), none_of_flags=True, no_symptoms=True)
    found = reactions(entry)
    assert [words for _on, words in found["Itching"].later] == ["none"]
    assert [words for _on, words in found["Fainted"].later] == ["none"]


def test_the_rows_of_the_sources_that_can_name_it_stand_beside_it(cast):
    found = reactions(feel(cast, severities={"taste": 1}))
    assert [(one.code, one.ctcae) for one in found["Taste has changed"].listed] == [("S34", "Dysgeusia")]


def test_it_holds_the_injections_before_the_course_and_the_hours_since_the_last(cast):
    report = compose(feel(cast, severities={"itch": 1}), LATER)
    assert report.course == "Course 1, day 3 from its first injection"
    assert [one.amount for one in report.injections] == [Decimal("7.5")] * len(report.injections)
    last = report.injections[-1].given_at
    assert report.hours_since == (NOW - last) // timedelta(hours=1)
    assert report.injections_after == 0


def test_other_medicines_are_those_taken_on_that_day(cast):
    known = {"patient": cast.anna_patient, "recorded_at": NOW, "kind": "bought"}
    Medication.objects.create(name="Ibuprofen", **known)
    Medication.objects.create(name="Stopped before", stopped_on=NOW.date() - timedelta(days=1), **known)
    Medication.objects.create(name="Entered by mistake", voided_at=NOW, **known)
    report = compose(feel(cast, severities={"itch": 1}), LATER)
    assert [one.name for one in report.medicines] == ["Ibuprofen"]


# The page


def read(client, user, check_in):
    client.force_login(user)
    return client.get(reverse("sideeffects:report", args=[check_in.ref]))


def test_the_page_prints_what_was_said_and_leaves_the_name_out(client, cast):
    reading = parse_temperature("100.5 F")
    measured = {"weight": Weight(Decimal("72.5"), "kg"), "pressure": Pressure(120, 80), "stools": 3}
    entry = feel(cast, severities={"itch": 2}, temperature=reading, note="Since the tablets", **measured)
    shown = read(client, cast.anna, entry).content.decode()
    main = shown[shown.index("<article") : shown.index("</article>")]
    assert "100.5\N{NO-BREAK SPACE}°F" in main
    assert "Since the tablets" in main
    assert handover.measured_words(entry) == ", ".join(
        ["72.5\xa0kg", "120/80\xa0mmHg", "bowel movements in 24 hours: 3"]
    )
    assert handover.measured_words(entry) in main
    assert cast.anna_patient.code in main
    assert "Anna" not in main
    assert "http" not in main
    assert "No other medicine is written down. That does not say that none was taken." in main


def test_a_copy_that_a_clinician_takes_is_told_to_the_patient(client, cast):
    entry = feel(cast, severities={"itch": 2})
    assert read(client, cast.ben, entry).status_code == 200
    assert AuditEvent.objects.filter(action="sideeffects.check_in.exported", actor_ref=cast.ben.ref).count() == 1


def test_a_person_who_only_helps_takes_no_copy(client, cast):
    assert read(client, cast.sam, feel(cast, severities={"itch": 2})).status_code == 403


def test_the_page_takes_the_same_statements_however_much_was_said(client, cast, django_assert_max_num_queries):
    def counted(check_in):
        with django_assert_max_num_queries(60) as found:
            read(client, cast.anna, check_in)
        return len(found)

    first = feel(cast, severities={"itch": 2})
    counted(first)
    before = counted(first)
    for hours in range(1, 6):
        feel(cast, NOW + timedelta(hours=hours), severities={"itch": 1, "tired": 1, "nausea": 1})
    assert counted(first) == before
