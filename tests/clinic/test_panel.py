"""The clinician's list: whose, in which order, in which words, in how many statements."""

import re

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Patient, Sharing
from il2tracker.clinic.panel import PER_PAGE, read_key, write_key
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

NOW = utc(2026, 11, 21, 21, 35)


def codes(answer):
    return re.findall(r'<a class="code" href="/people/(\w{4})/">', answer.content.decode())


def counts(answer):
    return dict(re.findall(r">([A-Z][\w ]+) <b>(\d+)</b>", answer.content.decode()))


# Whose


def test_a_clinician_sees_the_patients_of_the_clinic_only(cast, see):
    assert set(codes(see(cast.ben))) == {cast.anna_patient.code, cast.dan_patient.code}
    assert codes(see(cast.carla)) == []


def test_whoever_shares_with_the_clinician_alone_is_not_on_the_clinics_list(cast, see):
    accounts.share_with_person(by=cast.anna, patient=cast.anna_patient, person=cast.carla)
    assert codes(see(cast.carla)) == []
    assert see(cast.carla, f"/people/{cast.anna_patient.code}/").status_code == 404


def test_a_patient_who_stops_sharing_is_gone_at_once(cast, see):
    Sharing.objects.filter(patient=cast.anna_patient, clinic=cast.north).update(revoked_at=NOW)
    assert codes(see(cast.ben)) == [cast.dan_patient.code]


def test_it_is_not_there_for_others(cast, see):
    for user in (cast.anna, cast.sam, cast.eve):
        for path in ("/people/", "/people/add/", f"/people/{cast.anna_patient.code}/"):
            assert see(user, path).status_code == 404


# Order and words


def test_the_order_is_fixed_and_every_row_says_why(north, cast, see):
    calm = north.patient("Uma", started=25)
    results = north.patient("Rex", started=47)
    missing = north.patient("Mia", started=3, recorded=False)
    amber = north.patient("Amy", started=3)
    late, early = north.patient("Leo", started=3), north.patient("Eva", started=3)
    north.alert(amber, "AMBER", "tired, severe", minutes=9000)
    north.alert(late, "EMERGENCY", "chest pain", minutes=10)
    north.alert(early, "RED", "much less urine", minutes=35)
    page = see(cast.ben)
    assert codes(page)[:6] == [each.code for each in (early, late, amber, missing, results, calm)]
    for words in (
        "Urgent: Much less urine, 9pm Raised 35 minutes ago, not acknowledged.",
        "Act: 7 injections not recorded The first on Wednesday 18 November 2026. Also: Nothing recorded since Wed 18",
        "Act: Blood results missing: CD4+ and viral load",
        "Nothing waits here",
    ):
        assert words in page.text_read


def test_a_row_holds_course_result_and_what_is_next(north, cast, see):
    patient = north.patient(["Ada", "Marsh"][0], started=3)
    north.result(patient, 10)
    text = see(cast.ben).text_read
    assert (
        f"{patient.code} A., 56 1, day 4 of 5 5 days, 8 weeks 612 11 Nov, 10 days less than 20 10pm injection" in text
    )


def test_an_old_result_is_grey_and_says_its_age(north, cast, see):
    north.result(north.patient("Ada", started=3), 80)
    page = see(cast.ben)
    assert 'class="cd4 stale"' in page.content.decode()
    assert "2 Sep, 80 days" in page.text_read


def test_a_result_that_came_too_soon_is_never_the_number(north, cast, see):
    patient = north.patient("Ada", started=20)
    north.result(patient, 30, cd4="380")
    north.result(patient, 3, cd4="958")
    text = see(cast.ben).text_read
    assert "380" in text
    assert "958" not in text


def test_a_kidney_plan_has_no_place_for_these_tests(north, cast, see):
    north.plan(cast.dan_patient, 12, protocol="kidney-label")
    text = see(cast.ben).text_read
    assert "1, week 2 of 5 kidney, 5 weeks not part of this plan Mon 23 Nov" in text


def test_an_alert_can_be_acknowledged_from_its_row(north, cast, see):
    alert = north.alert(north.patient("Eva", started=3), "RED", "much less urine", minutes=35)
    page = see(cast.ben).content.decode()
    assert f'<form method="post" action="/alerts/{alert.ref}/acknowledge/">' in page
    see(cast.ben, f"/alerts/{alert.ref}/acknowledge/", note="called")
    after = see(cast.ben)
    assert (
        "Look: Much less urine, 9pm In hand: Ben, just now. No call is written down. Reminders to inject wait."
        in after.text_read
    )
    assert f'href="/alerts/{alert.ref}/"' in after.content.decode()
    assert f'action="/alerts/{alert.ref}/acknowledge/"' not in after.content.decode()
    see(cast.ben, f"/alerts/{alert.ref}/", what="closed", note="better")
    assert "Much less urine" not in see(cast.ben).text_read


# Filters, search, pages


def test_filters_count_and_hold(north, cast, see):
    running, soon = north.patient("Ada", started=3), north.patient("Bea", started=47)
    page = see(cast.ben)
    assert counts(page) == {"Needs action": "1", "In a course": "1", "Start in 14 days": "1", "All": "4"}
    assert codes(see(cast.ben, "/people/?show=course")) == [running.code]
    assert codes(see(cast.ben, "/people/?show=soon")) == codes(see(cast.ben, "/people/?show=needs")) == [soon.code]
    assert len(codes(see(cast.ben, "/people/?show=nonsense"))) == 4


@pytest.mark.parametrize("typed", ["anna", "NN", " Ann "])
def test_a_patient_is_found_by_part_of_the_name(cast, see, typed):
    assert codes(see(cast.ben, q=typed)) == [cast.anna_patient.code]


def test_a_name_that_is_looked_for_never_stands_in_an_address(cast, see):
    many(cast, PER_PAGE + 5)
    page = see(cast.ben, q="P")
    assert page.status_code == 200
    assert not re.search(r'(href|action)="[^"]*q=', page.content.decode())
    assert not re.search(r'<form method="get"', page.content.decode())
    assert len(codes(see(cast.ben, "/people/?q=Anna"))) == PER_PAGE


def test_filters_and_pages_keep_what_is_looked_for(north, cast, see):
    running = north.patient("Pia", started=3)
    many(cast, PER_PAGE + 5)
    assert codes(see(cast.ben, q="P", show="course")) == [running.code]
    first = see(cast.ben, q="P")
    after = re.search(r'name="after" value="([^"]*)"', first.content.decode())[1]
    second = see(cast.ben, q="P", show="all", after=after)
    assert len(codes(first) + codes(second)) == PER_PAGE + 6
    assert set(codes(first)).isdisjoint(codes(second))


def test_a_search_sent_from_elsewhere_is_refused(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ben)
    assert client.post("/people/", {"q": "Anna"}).status_code == 403


def test_a_sign_that_no_name_has_finds_nobody_and_breaks_nothing(cast, see):
    assert codes(see(cast.ben, q="An\0na")) == [cast.anna_patient.code]


def test_a_patient_is_found_by_code_whatever_the_case(cast, see):
    assert codes(see(cast.ben, q=cast.dan_patient.code.lower())) == [cast.dan_patient.code]


def test_empty_lists_say_why(cast, see):
    assert "Nobody found for “xyz”" in see(cast.ben, q="xyz").text_read
    text = see(cast.ben, "/people/?show=needs").text_read
    assert "No one needs action 0 in a course, 0 starting in 14 days, 2 patients in all." in text
    assert "No patients yet" in see(cast.carla).text_read


def many(cast, number):
    """Patients of the clinic without a plan: rows as create_patient makes them, in bulk."""
    first = Patient.objects.count()
    rows = [Patient(name=f"P{n}", code=f"{n:04}", time_zone="Europe/London") for n in range(first, first + number)]
    made = Patient.objects.bulk_create(rows)
    Sharing.objects.bulk_create([Sharing(patient=patient, clinic=cast.north) for patient in made])


def test_fifty_a_page_and_every_patient_on_exactly_one(cast, see):
    many(cast, 2 * PER_PAGE)
    seen, path = [], "/people/?show=all"
    while path:
        page = see(cast.ben, path)
        assert len(codes(page)) <= PER_PAGE
        seen += codes(page)
        following = re.search(r'href="(\?[^"]*after=[^"]*)"', page.content.decode())
        path = "/people/" + following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen)) == 2 * PER_PAGE + 2


def test_a_page_goes_on_where_it_ended_also_when_somebody_moved(north, cast, see):
    many(cast, PER_PAGE + 5)
    first = see(cast.ben)
    following = re.search(r'href="(\?[^"]*after=[^"]*)"', first.content.decode())[1].replace("&amp;", "&")
    moved = codes(first)[-1]
    Sharing.objects.filter(patient__code=moved).update(revoked_at=NOW)
    assert set(codes(see(cast.ben, "/people/" + following))).isdisjoint(codes(first))


@pytest.mark.parametrize("text", ["x", "1~2", "~~", "9999999999999999999~a~b~c"])
def test_a_broken_place_shows_the_first_page(cast, see, text):
    assert see(cast.ben, f"/people/?after={text}").status_code == 200


def test_a_place_reads_back_as_it_was_written():
    key = (2, "2026-11-21T21:00:00+00:00", "7KQA")
    assert read_key(write_key(key)) == key


# Too early to judge (2.7)


def test_the_list_says_a_count_and_its_age_and_never_that_it_rose_or_fell(north, cast, see):
    """D8: before six months nobody calls a change one; the drawing beside the number says nothing aloud."""
    patient = north.patient("Ida", started=47)
    north.result(patient, 60, cd4="310")
    north.result(patient, 6, cd4="640")
    page = see(cast.ben)
    row = re.search(r"<tr\b(?:(?!</tr>).)*?" + patient.code + r".*?</tr>", page.content.decode(), re.DOTALL)[0]
    assert "<b>640</b>" in row
    spark = re.search(r"<svg class=\"spark\".*?</svg>", row, re.DOTALL)[0]
    assert 'class="spark-line"' in spark
    assert 'aria-hidden="true"' in spark
    assert re.sub(r"<[^>]+>", "", spark).strip() == ""
    said = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", row, flags=re.DOTALL).lower()
    assert not re.findall(r"\b(?:up|down|ris\w+|rose|higher|lower|fell|fall\w*|gain\w*|\+\d+)\b|[↑↓]", said)


# Statements


def statements(client, user):
    with time_machine.travel(NOW, tick=False):
        client.force_login(user)
        with CaptureQueriesContext(connection) as found:
            assert client.get("/people/").status_code == 200
    return len(found)


def test_as_many_statements_for_one_patient_as_for_fifty_and_a_thousand(north, cast, client):
    Sharing.objects.filter(clinic=cast.north).update(revoked_at=NOW)
    one = north.patient("Ada", started=47)
    north.result(one, 60)
    north.alert(one, "RED", "much less urine", minutes=35)
    for_one = statements(client, cast.ben)
    for number in range(11):
        patient = north.patient(f"N{number}", started=3 + number * 4, recorded=number < 4)
        north.result(patient, 60 + number)
        north.alert(patient, "AMBER", "tired, severe", minutes=number)
    many(cast, 38)
    for_fifty = statements(client, cast.ben)
    many(cast, 950)
    assert Patient.objects.visible_to(cast.ben).count() == 1000
    for_thousand = statements(client, cast.ben)
    assert for_thousand == for_fifty == for_one <= 17


# Adding a patient

NOAH = {"birth_year": "1990", "time_zone": "Europe/London", "earlier_il2": "unknown"}


def test_a_new_patient_belongs_to_the_clinic_from_the_start(cast, see):
    typed = {**NOAH, "time_zone": "Europe/Paris", "earlier_il2": "on", "earlier_il2_on": "2026-05-01"}
    answer = see(cast.ben, "/people/add/", name="Noah Lind", **typed, nadir_cd4="212", nadir_on="2011-05-01")
    added = Patient.objects.get(name="Noah Lind")
    assert answer.url == f"/people/{added.code}/"
    assert (added.birth_year, added.time_zone, added.user) == (1990, "Europe/Paris", None)
    assert (added.earlier_il2, str(added.earlier_il2_on)) == ("on", "2026-05-01")
    assert (added.nadir_cd4, str(added.nadir_on)) == (212, "2011-05-01")
    page = see(cast.ben, answer.url)
    assert f"Noah Lind is on your panel with the code {added.code}." in page.text_read
    assert see(cast.carla, answer.url).status_code == 404


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"name": ""}, "Enter the patient's name."),
        ({"birth_year": "74"}, "Enter a year between 1906 and 2026."),
        ({"birth_year": "2027"}, "Enter a year between 1906 and 2026."),
        ({"birth_year": "seventy"}, "Enter the year of birth as four digits, for example 1974."),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice."),
        ({"earlier_il2": ""}, "Say whether there was a treatment before, or that you do not know."),
    ],
)
def test_what_is_wrong_stands_beside_the_field_and_on_top(cast, see, typed, complaint):
    sent = {"name": "Noah", **NOAH, **typed}
    answer = see(cast.ben, "/people/add/", **sent)
    assert answer.status_code == 422
    assert answer.text_read.count(complaint) == 2
    assert not Patient.objects.filter(name="Noah").exists()


def test_the_clinic_is_asked_only_of_who_works_in_two(cast, see):
    from il2tracker.accounts.actions import join_clinic

    assert "clinic" not in see(cast.ben, "/people/add/").context["form"].fields
    join_clinic(by=cast.eve, clinic=cast.south, user=cast.ben, title="nurse")
    assert "clinic" in see(cast.ben, "/people/add/").context["form"].fields
    facts = {"name": "Noah", **NOAH, "birth_year": "", "clinic": cast.south.slug}
    see(cast.ben, "/people/add/", **facts)
    assert Patient.objects.visible_to(cast.carla).get().name == "Noah"
    assert see(cast.ben, "/people/add/", **{**facts, "clinic": "elsewhere"}).status_code == 422


def test_a_lone_patient_s_own_record_is_not_on_a_panel_of_his(cast, see):
    lee = factories.lone_patient()
    from il2tracker.accounts.actions import join_clinic

    join_clinic(by=cast.eve, clinic=cast.south, user=lee.user, title="doctor")
    assert codes(see(lee.user)) == []


def test_a_code_that_is_taken_is_never_given_twice(cast, see, monkeypatch):
    from il2tracker.accounts import actions

    drawn = iter([cast.anna_patient.code, cast.dan_patient.code, "7KQ4"])
    monkeypatch.setattr(actions, "new_code", lambda: next(drawn))
    see(cast.ben, "/people/add/", name="Noah", **NOAH)
    assert Patient.objects.get(name="Noah").code == "7KQ4"


@pytest.mark.parametrize(
    ("started", "words"), [(3, "Last injection today 10am"), (1, "Last injection today 10am"), (25, None)]
)
def test_a_row_in_a_course_says_when_the_last_injection_was(north, cast, see, started, words):
    north.patient("Ada", started=started)
    assert ("Last injection" in see(cast.ben).text_read) is (words is not None)
    assert words is None or words in see(cast.ben).text_read
