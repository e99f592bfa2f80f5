"""What else is taken: a list of names that anybody who helps may keep, and both facts of the sources beside it."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.medication_actions import add_medication, remove_medication, stop_medication
from cycles.models import Medication
from il2tracker.audit.models import AuditEvent
from labs import actions as labs
from labs.models import Analyte
from labs.written import parse
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 21, 12)
TODAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def saturday_noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


def add(cast, name="Darunavir", kind="prescribed", by=None, **facts):
    return add_medication(by=by or cast.anna, patient=cast.anna_patient, name=name, kind=kind, now=NOW, **facts)


@pytest.fixture
def page(client, cast):
    """`page()`: the list as Anna reads it, without its tags."""

    def read():
        client.force_login(cast.anna)
        return " ".join(client.get("/medicines/").content.decode().split())

    return read


def test_what_is_bought_or_herbal_is_on_the_list_like_what_is_prescribed(cast, client, page):
    client.force_login(cast.anna)
    for name, kind in (("Valerian", "herbal"), ("Cetirizine", "bought"), ("Darunavir", "prescribed")):
        answer = client.post("/medicines/add/", {"name": name, "kind": kind, "started_on": "", "note": ""})
        assert answer["Location"] == "/medicines/"
    for words in ("Valerian<small>herbal or a supplement", "Cetirizine<small>bought without", "Darunavir<small>presc"):
        assert words in page()
    assert AuditEvent.objects.filter(action="cycles.medication.added").count() == 3


def test_an_empty_list_never_says_that_nothing_is_taken(page):
    assert "That does not mean that nothing is taken." in page()


def test_the_same_name_twice_is_one_line(cast):
    assert add(cast, "Darunavir").pk == add(cast, "darunavir ").pk


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": "", "kind": "herbal"}, "Write the name of the medicine."),
        ({"name": "Valerian", "kind": ""}, "Choose where it is from."),
        ({"name": "Valerian", "kind": "herbal", "started_on": "2026-11-22"}, "This day has not come yet."),
    ],
)
def test_what_is_not_right_is_said_beside_its_box_and_nothing_is_lost(cast, client, sent, words):
    client.force_login(cast.anna)
    answer = client.post("/medicines/add/", {"note": "in the evening", **sent})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert 'value="in the evening"' in page
    assert not Medication.objects.exists()


def test_what_is_stopped_stays_below_with_its_day(cast, client, page):
    client.force_login(cast.anna)
    kept = add(cast, started_on=TODAY - timedelta(days=30))
    client.post(f"/medicines/{kept.ref}/", {"stopped_on": "2026-11-20"})
    assert "Not taken any more</h2>" in page()
    assert "since Friday 20 November 2026" in page()
    assert "Nothing is on the list." in page()


@pytest.mark.parametrize("on", ["2026-11-22", "2026-10-21", "", "soon"])
def test_no_day_to_come_or_before_it_was_begun_ends_it(cast, client, on):
    client.force_login(cast.anna)
    kept = add(cast, started_on=date(2026, 10, 22))
    assert client.post(f"/medicines/{kept.ref}/", {"stopped_on": on}).status_code == 422
    kept.refresh_from_db()
    assert kept.stopped_on is None


def test_the_actions_refuse_such_days_too(cast):
    kept = add(cast, started_on=TODAY)
    for on in (TODAY + timedelta(days=1), TODAY - timedelta(days=1)):
        with pytest.raises(ValidationError):
            stop_medication(by=cast.anna, medication=kept, on=on, now=NOW)
    with pytest.raises(ValidationError):
        add(cast, "Valerian", started_on=TODAY + timedelta(days=1))


def test_what_was_entered_in_error_leaves_the_list_and_keeps_its_story(cast, client, page):
    client.force_login(cast.anna)
    kept = add(cast)
    client.post(f"/medicines/{kept.ref}/remove/")
    assert "Darunavir" not in page().partition("Taken off the list: ")[2].partition("</main>")[2]
    assert "Nothing is on the list." in page()
    assert "taken off the list by you" in client.get(f"/medicines/{kept.ref}/").content.decode()
    assert kept.history.count() == 2


def test_the_clinic_and_a_person_who_records_may_write_and_others_may_not(cast):
    assert {add(cast, str(n), by=who).recorded_by for n, who in enumerate((cast.ben, cast.sam))} == {cast.ben, cast.sam}
    kept = add(cast)
    for write in (
        lambda: add(cast, "X", by=cast.carla),
        lambda: remove_medication(by=cast.dan, medication=kept, now=NOW),
    ):
        with pytest.raises(PermissionDenied):
            write()


def test_p33_both_names_are_put_beside_each_other_also_with_what_the_plan_names(cast, page):
    factories.plan(cast.anna_patient, cast.ben, starts_on=TODAY, premedication="Paracetamol\nCetirizine")
    assert "affect each other seriously" not in page()
    add(cast, "Darunavir and ritonavir")
    assert "Together on this list: Cetirizine, Darunavir and ritonavir" in page()
    assert "Ask your clinic or your pharmacist" in page()


def test_what_is_named_before_an_injection_is_that_of_the_version_in_force(cast, page):
    """As in the summary of an entry: a version that begins with a course to come says nothing of today."""
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=TODAY, premedication="Paracetamol")
    version = plan.versions.get()
    version.pk, version.number, version.premedication = None, 2, "Cetirizine"
    version.starts_on = TODAY + timedelta(days=56)
    version.save()
    assert "Paracetamol" in page()
    assert "Cetirizine" not in page()
    plan.versions.filter(number=2).update(starts_on=TODAY)
    assert "Cetirizine" in page()


def test_h21_both_facts_about_ibuprofen_and_the_results_they_hang_on_without_advice(cast, page):
    add(cast, "Ibuprofen", "bought")
    assert "names ibuprofen, with an antihistamine" in page()
    assert "can harm the kidneys" in page()
    assert "Creatinine of" not in page()
    for code, value, limits in (("creatinine", "1.9", "0.6-1.2"), ("platelets", "90", "150-400")):
        analyte = Analyte.objects.get(code=code)
        labs.add_results(
            by=cast.anna,
            patient=cast.anna_patient,
            drawn=labs.Drawn(date(2026, 11, 18)),
            readings={analyte: labs.Entry(parse(analyte.rule, value), limits)},
            now=NOW,
        )
    assert "Creatinine of Wednesday 18 November 2026 was above its laboratory’s range." in page()
    assert "Platelets of Wednesday 18 November 2026 were below their laboratory’s range." in page()
    assert not any(word in page() for word in ("do not take", "stop taking", "avoid", "safe"))


@pytest.mark.parametrize(("days_ago", "said"), [(89, True), (90, False)])
def test_an_old_result_is_not_quoted_beside_them(cast, page, days_ago, said):
    add(cast, "Ibuprofen", "bought")
    analyte = Analyte.objects.get(code="creatinine")
    labs.add_results(
        by=cast.anna,
        patient=cast.anna_patient,
        drawn=labs.Drawn(TODAY - timedelta(days=days_ago)),
        readings={analyte: labs.Entry(parse(analyte.rule, "1.9"), "0.6-1.2")},
        now=NOW,
    )
    assert ("Creatinine of" in page()) is said


def test_a_long_list_costs_no_more_statements(cast, client):
    client.force_login(cast.anna)
    counts = []
    for many in (1, 9):
        for number in range(many):
            add(cast, f"Ibuprofen {many} {number}")
        client.get("/medicines/")
        with CaptureQueriesContext(connection) as statements:
            client.get("/medicines/")
        counts.append(len(statements))
    assert counts[0] == counts[1]
