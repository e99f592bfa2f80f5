"""The page, who may open it, what it sends, and the trace it leaves."""

import json

import pytest
from django.urls import reverse

from il2tracker.accounts.looked import in_words, looks
from il2tracker.audit.models import AuditEvent

OWN = reverse("exchange:export")
FILES = [
    ("table", "csv", "text/csv; charset=utf-8"),
    ("record", "json", "application/json"),
    ("fhir", "fhir.json", "application/fhir+json"),
]


def address(patient):
    return reverse("exchange:export", args=[patient.code])


def test_the_page_offers_the_three_files(anna, full):
    page = anna.get(OWN).content.decode()
    assert [f'value="{kind}"' in page for kind, *_ in FILES] == [True] * 3


@pytest.mark.parametrize("name", ["exchange:export", "exchange:bring_back"])
def test_the_pages_say_what_does_not_come_back(anna, full, name):
    page = anna.get(reverse(name)).content.decode()
    assert (
        "plans, courses, injections, urgent reports, expected symptoms, sore places and other medicines are not" in page
    )


@pytest.mark.parametrize(("kind", "ending", "content_type"), FILES)
def test_a_button_sends_its_file_under_a_name_that_says_nothing(anna, full, settings, kind, ending, content_type):
    settings.SITE_NAME = "My Diary"
    answer = anna.post(OWN, {"file": kind})
    assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
    name = answer["Content-Disposition"]
    assert name.startswith('attachment; filename="my-diary-2026-')
    assert name.endswith(f'.{ending}"')
    assert "no-store" in answer["Cache-Control"]


def test_what_is_no_file_is_said_on_the_page(anna, full):
    answer = anna.post(OWN, {"file": "xml"})
    assert answer.status_code == 422
    assert "There is no such file" in answer.content.decode()


def test_the_patient_sees_that_the_clinic_took_a_copy_and_looked_at_the_page(ben, cast, full):
    ben.get(address(full))
    ben.post(address(full), {"file": "fhir"})
    events = AuditEvent.objects.filter(patient_ref=full.ref, actor_ref=cast.ben.ref, action__startswith="exchange")
    assert [(event.action, event.detail) for event in events.order_by("pk")] == [
        ("exchange.page.opened", ""),
        ("exchange.exported", "fhir"),
    ]
    assert looks(full)[0][0].what == in_words("exchange.exported") == "took a copy of your record"


def test_a_copy_of_ones_own_is_written_down_as_well(anna, cast, full):
    anna.post(OWN, {"file": "record"})
    event = AuditEvent.objects.get(action="exchange.exported")
    assert (event.actor_ref, event.patient_ref, event.detail) == (cast.anna.ref, full.ref, "record")


def test_a_helper_sees_the_diary_and_takes_no_copy(client, cast, full):
    client.force_login(cast.sam)
    assert client.get(address(full)).status_code == 403
    assert client.post(address(full), {"file": "table"}).status_code == 403
    assert not AuditEvent.objects.filter(action="exchange.exported").exists()


def test_the_page_is_reached_from_settings_and_from_the_clinics_page(anna, ben, full):
    assert OWN in anna.get(reverse("accounts:settings")).content.decode()
    assert address(full) in ben.get(reverse("clinic:patient", args=[full.code])).content.decode()


@pytest.mark.parametrize("kind", [kind for kind, *_ in FILES])
def test_a_longer_diary_costs_no_more_statements(cast, full, empty, kind, django_assert_max_num_queries):
    from tests.exchange.conftest import take

    with django_assert_max_num_queries(40) as few:
        take(empty, cast.ben, kind)
    with django_assert_max_num_queries(len(few) + 6) as many:
        take(full, cast.ben, kind)
    assert len(many) >= len(few)


def test_the_record_holds_everything_with_its_meaning_in_words(anna, full):
    record = json.loads(anna.post(OWN, {"file": "record"}).content)
    assert (record["format"], record["version"]) == ("diary-record", 1)
    assert record["patient"]["code"] == full.code
    assert record["plans"][0]["versions"][0]["number"] == 1
    assert [each["state"] for each in record["injections"]] == ["taken", "partial", "skipped"]
    assert [each["miu"] for each in record["injections"]] == ["7.5", "4.125", None]
    assert record["injections"][2]["reason"] == "I felt too ill"
    assert record["courses"][0]["planned"][0]["due_at"].startswith("2026-01-07T10:00:00+00:00")
    cd4 = next(each for each in record["results"] if each["value"] == "612" and each["test"] == "cd4")
    assert (cd4["counts"], cd4["why"]) == ("too soon", "21 days after course 1")
    assert record["check_ins"][0]["red_flags"][0]["words"] == "I fainted" or record["check_ins"][0]["red_flags"]
    assert record["alerts"][0]["tier"] == "RED"
