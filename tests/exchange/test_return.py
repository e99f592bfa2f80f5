"""Check-ins come back from the record of our own: equal, once, and without alarming anybody."""

import json
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cycles.medications import Medication
from il2tracker.alerts.models import Alert, Step
from il2tracker.audit.models import AuditEvent
from sideeffects.actions import Answers, record_check_in
from sideeffects.models import CheckIn, Expectation, Symptom
from sideeffects.units import parse_temperature
from tests import factories
from tests.exchange.conftest import take
from tests.factories import utc

OWN = reverse("exchange:bring_back")
BY = {"severities": {"tired": 2, "nausea": 0, "itch": 3}, "note": "Slept.\nThen better."}
TOLD = [
    {"none_of_flags": True, **BY, "temperature": parse_temperature("38,45"), "temperature_typed": "38,45"},
    {"temperature": parse_temperature("101.3 F"), "temperature_typed": "101.3 F", "medicine": "came_down"},
    {"none_of_flags": True, "no_symptoms": True},
    {"flags": frozenset({"fainted", "urine_less"})},
    {"none_of_flags": True},
]


@pytest.fixture
def diary(cast):
    """Anna's check-ins of every kind, one of them made in another zone, one with everything that was measured."""
    anna = cast.anna_patient
    for days, told in enumerate(TOLD):
        at = utc(2026, 3, 27, 23, 30, 12, 345678) + timedelta(days=days)  # over the change of the clocks
        made = record_check_in(by=cast.anna, patient=anna, key=uuid4(), answers=Answers(**told), now=at).check_in
    CheckIn.objects.filter(pk=made.pk).update(
        zone="Australia/Lord_Howe", weight=Decimal("154.25"), weight_unit="lb", systolic=98, diastolic=61, stools=0
    )
    return anna


def told(patient):
    """What of each check-in has to come back."""
    rows = CheckIn.objects.of(patient).with_reports().order_by("felt_at")
    return [
        (
            row.felt_at, row.zone, row.temperature, row.temperature_unit, row.temperature_typed, row.medicine,
            row.flags, row.none_of_flags, row.no_symptoms, row.weight, row.weight_unit, row.systolic, row.diastolic,
            row.stools, row.note, {report.symptom.code: report.severity for report in row.reports.all()},
        )
        for row in rows
    ]  # fmt: skip


def send(client, address, record):
    content = record if isinstance(record, bytes) else json.dumps(record).encode()
    file = BytesIO(content)
    file.name = "diary.json"
    return client.post(address, {"file": file})


def confirm(client, address, page, **more):
    return client.post(address, {"kept": page.context["form"].initial["kept"], **more})


def bring(client, patient, record, *, by_code=False, **more):
    address = reverse("exchange:bring_back", args=[patient.code]) if by_code else OWN
    return confirm(client, address, send(client, address, record), **more)


@pytest.fixture
def dan(cast):
    client = Client()
    client.force_login(cast.dan)
    return client


def test_times_zones_units_severities_and_notes_come_back_equal_in_another_diary(cast, diary, dan, empty):
    answer = bring(dan, empty, take(diary, cast.anna, "record"), same="on")
    assert answer.status_code == 302
    assert told(empty) == told(diary)
    assert len(told(empty)) == len(TOLD)


def test_they_come_back_under_their_own_names_where_these_are_free(cast, diary, dan, empty):
    record, refs = take(diary, cast.anna, "record"), set(CheckIn.objects.of(diary).values_list("ref", flat=True))
    CheckIn.objects.of(diary).delete()
    bring(dan, empty, record, same="on")
    assert set(CheckIn.objects.of(empty).values_list("ref", flat=True)) == refs


def test_a_second_journey_through_a_file_changes_nothing(cast, diary, dan, empty):
    bring(dan, empty, take(diary, cast.anna, "record"), same="on")
    third = factories.lone_patient("Tom")
    tom = Client()
    tom.force_login(third.user)
    bring(tom, third, take(empty, cast.dan, "record"), same="on")
    assert told(third) == told(diary)


def test_the_same_file_adds_nothing_twice(cast, diary, dan, empty, anna):
    record = take(diary, cast.anna, "record")
    bring(dan, empty, record, same="on")
    again = send(dan, OWN, record)
    assert "Nothing new in this file" in again.content.decode()
    confirm(dan, OWN, again, same="on")
    assert len(told(empty)) == len(TOLD)
    assert "5 are here already and stay as they are" in send(anna, OWN, record).content.decode()


def test_the_button_tapped_twice_adds_once(cast, diary, dan, empty):
    page = send(dan, OWN, take(diary, cast.anna, "record"))
    confirm(dan, OWN, page, same="on")
    confirm(dan, OWN, page, same="on")
    assert len(told(empty)) == len(TOLD)


def test_what_was_removed_from_a_diary_comes_back_beside_what_stayed(cast, diary, anna):
    before, record = told(diary), take(diary, cast.anna, "record")
    CheckIn.objects.of(diary).order_by("felt_at")[1].delete()
    bring(anna, diary, record)
    assert told(diary) == before


def test_nothing_of_the_past_alarms_anybody(cast, diary, dan, empty):
    """A red flag and a fever of months ago: no alert, no mail, and the next check-in is judged as ever."""
    bring(dan, empty, take(diary, cast.anna, "record"), same="on")
    assert not Alert.objects.of(empty).exists()
    assert CheckIn.objects.of(empty).filter(flags__icontains="fainted").get().alerts.count() == 0
    answers = Answers(flags=frozenset({"fainted"}))
    record_check_in(by=cast.dan, patient=empty, key=uuid4(), answers=answers, now=timezone.now())
    assert Alert.objects.of(empty).count() == 1


def back(patient, *days):
    """Bring back one check-in for each (days ago, what it says), and say how today's is judged."""
    from sideeffects.restoring import Kept, bring_back

    now = timezone.now()
    kept = [
        Kept(ref=f"abcdefgh{place:02d}", felt_at=now - timedelta(days=ago), zone="UTC", **says)
        for place, (ago, says) in enumerate(days)
    ]
    bring_back(by=patient.user, patient=patient, kept=kept, now=now)


def rules_today(patient, **answers):
    told = Answers(none_of_flags=True, **answers)
    record_check_in(by=patient.user, patient=patient, key=uuid4(), answers=told, now=timezone.now())
    return [(alert.rule, alert.title) for alert in Alert.objects.of(patient)]


def test_a_low_mood_that_a_record_brought_back_is_still_new_to_the_clinic(empty):
    """T12: nobody was told of the one in the file."""
    back(empty, (1, {"severities": {"low_mood": 3}}))
    assert [rule for rule, _title in rules_today(empty, severities={"low_mood": 2})] == ["T12"]


def test_a_low_mood_that_was_told_here_beside_one_brought_back_is_not_told_again(empty):
    at = timezone.now() - timedelta(days=1)
    told = Answers(none_of_flags=True, severities={"low_mood": 2})
    record_check_in(by=empty.user, patient=empty, key=uuid4(), answers=told, now=at)
    back(empty, (2, {"severities": {"low_mood": 3}}))
    assert len(rules_today(empty, severities={"low_mood": 2})) == 1


def test_days_that_a_record_brought_back_make_a_run_and_never_end_one(empty):
    """T14: three days of the file and today; and "none" of the file between days that were told here."""
    for ago in (3, 1):
        at, told = timezone.now() - timedelta(days=ago), Answers(severities={"diarrhoea": 1})
        record_check_in(by=empty.user, patient=empty, key=uuid4(), answers=told, now=at)
    back(empty, (2, {"no_symptoms": True}))
    assert [rule for rule, _title in rules_today(empty, severities={"diarrhoea": 1})] == ["T14"]


def test_diarrhoea_of_three_days_that_were_brought_back_lasts_today(empty):
    back(empty, *((ago, {"severities": {"diarrhoea": 1}}) for ago in (1, 2, 3)))
    assert [rule for rule, _title in rules_today(empty, severities={"diarrhoea": 1})] == ["T14"]


def test_who_brought_it_back_and_why_stands_in_its_history_and_in_the_log(cast, diary, dan, empty):
    bring(dan, empty, take(diary, cast.anna, "record"), same="on")
    step = CheckIn.objects.of(empty).first().history.get()
    assert (step.history_user, step.history_change_reason) == (cast.dan, "brought back from a record")
    event = AuditEvent.objects.get(action="sideeffects.check_ins.restored")
    assert (event.actor_ref, event.patient_ref, event.detail) == (cast.dan.ref, empty.ref, "5")


def test_nothing_is_added_before_somebody_said_yes(cast, diary, dan, empty):
    page = send(dan, OWN, take(diary, cast.anna, "record"))
    assert page.status_code == 200
    text = page.content.decode()
    assert "5 check-ins would be added" in text
    assert "38.45\xa0°C, itching (severe), tired (moderate), feeling sick (none), a note" in text
    assert not CheckIn.objects.of(empty).exists()


def test_a_file_of_another_code_asks_whose_it_is(cast, diary, dan, empty, anna):
    record = take(diary, cast.anna, "record")
    answer = bring(dan, empty, record)
    assert answer.status_code == 422
    assert "Say whose check-ins these are." in answer.content.decode()
    assert not CheckIn.objects.of(empty).exists()
    assert "Yes: these are" not in send(anna, OWN, record).content.decode()


def entry(**changes):
    known = {"ref": "abcdefgh22", "felt_at": "2026-03-01T12:00:00+00:00", "symptoms": []}
    return {name: value for name, value in {**known, **changes}.items() if value is not ...}


def record(*entries, **changes):
    known = {"format": "diary-record", "version": 1, "patient": {}, "check_ins": list(entries)}
    return {name: value for name, value in {**known, **changes}.items() if value is not ...}


REFUSED = [
    ({"ref": ...}, "It has no name that tells it from others."),
    ({"ref": "../etc"}, "It has no name that tells it from others."),
    ({"felt_at": ...}, "It does not say when it was felt."),
    ({"felt_at": "soon"}, "It does not say when it was felt."),
    ({"felt_at": "2026-03-01T12:00:00"}, "Its time has no zone."),
    ({"felt_at": "2099-03-01T12:00:00+00:00"}, "Its time has not come yet."),
    ({"felt_at": "0001-01-01T00:00:00+14:00"}, "Its time is too long ago."),
    ({"felt_at": "1989-12-31T23:59:59+00:00"}, "Its time is too long ago."),
    ({"red_flags": [{"code": "tired"}]}, "It names a sign that is not known here: “tired”."),
    ({"symptoms": [{"code": "doom", "severity": 1}]}, "It names a sign that is not known here: “doom”."),
    ({"symptoms": [{"code": "tired"}]}, "A symptom in it has no severity."),
    ({"symptoms": [{"code": "tired", "severity": 4}]}, "Its severity is outside of what is possible."),
    ({"symptoms": [{"code": "tired", "severity": True}]}, "Its severity cannot be read."),
    ({"symptoms": [{"code": "tired", "severity": -1}]}, "Its severity cannot be read."),
    ({"red_flags": [{"code": "doom"}]}, "It names a sign that is not known here: “doom”."),
    ({"temperature": {"value": "38.5", "unit": "F"}}, "Its temperature is outside of what is possible."),
    ({"temperature": {"value": "45.001", "unit": "C"}}, "Its temperature is outside of what is possible."),
    ({"temperature": {"value": "38.5", "unit": "K"}}, "Its temperature cannot be read."),
    ({"temperature": {"value": "NaN", "unit": "C"}}, "Its temperature cannot be read."),
    ({"fever_medicine": "perhaps"}, "What it says about a fever medicine is not known here."),
    ({"weight": {"value": "19.99", "unit": "kg"}}, "Its weight is outside of what is possible."),
    ({"blood_pressure": {"systolic": 120}}, "Its blood pressure cannot be read."),
    ({"blood_pressure": {"systolic": 80, "diastolic": 80}}, "Its blood pressure cannot be read."),
    ({"stools_in_24_hours": 61}, "Its number of bowel movements is outside of what is possible."),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_what_cannot_be_read_is_left_out_with_its_reason_and_the_rest_comes_back(dan, empty, changes, reason):
    page = send(dan, OWN, record(entry(**changes), entry(ref="abcdefgh23")))
    text = page.content.decode()
    assert "1 cannot be read and is left out" in text
    assert f"Check-in 1 of the file: {reason}" in text
    confirm(dan, OWN, page, same="on")
    assert CheckIn.objects.of(empty).get().ref == "abcdefgh23"


NO_RECORD = [
    (b"", "This file is empty."),
    (b"\xff\xfe", "This file is not UTF-8"),
    (b"{", "This file cannot be read: something is wrong in line 1."),
    (b"[1]", "This is not a record of this diary"),
    (b"[" * 100_000, "nested so deeply"),
    (json.dumps(record(format="other")).encode(), "This is not a record of this diary"),
    (json.dumps(record(version=2)).encode(), "another version of the diary"),
    (json.dumps(record()).encode(), "There is no check-in in this file."),
    (json.dumps(record(check_ins="all")).encode(), "There is no check-in in this file."),
]


@pytest.mark.parametrize(("content", "words"), NO_RECORD)
def test_what_is_no_record_is_said_beside_the_box(dan, empty, content, words):
    answer = send(dan, OWN, content)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_file_of_more_check_ins_than_a_life_holds_is_refused(dan, empty):
    answer = send(dan, OWN, record(*[{}] * 20_001))
    assert answer.status_code == 422
    assert "There are more than 20000 check-ins in this file." in answer.content.decode()


def test_only_the_first_reasons_are_listed_and_all_are_counted(dan, empty):
    text = send(dan, OWN, record(*[{}] * 60)).content.decode()
    assert "60 cannot be read and are left out" in text
    assert text.count("It has no name that tells it from others.") == 50


def test_an_entry_that_stands_twice_in_a_file_is_not_called_here_already(dan, empty):
    page = send(dan, OWN, record(entry(note="first"), entry(note="second")))
    text = page.content.decode()
    assert "1 cannot be read and is left out" in text
    assert "Check-in 2 of the file: It stands in this file twice; the first one counts." in text
    assert "0 are here already" in text
    confirm(dan, OWN, page, same="on")
    assert CheckIn.objects.of(empty).get().note == "first"


def test_what_was_reported_outweighs_none_in_the_same_entry(dan, empty):
    said = {"red_flags": [{"code": "fainted"}], "none_of_the_red_flags": True, "no_symptoms": True}
    bring(dan, empty, record(entry(**said, symptoms=[{"code": "tired", "severity": 3}])), same="on")
    check_in = CheckIn.objects.of(empty).get()
    assert (check_in.flags, check_in.none_of_flags, check_in.no_symptoms) == (["fainted"], False, False)


def test_a_number_in_the_place_of_words_is_read_the_same_on_both_pages(dan, empty):
    page = send(dan, OWN, record(entry(ref=1234567890, note=7)))
    assert "1 check-in would be added" in page.content.decode()
    confirm(dan, OWN, page, same="on")
    assert [(each.ref, each.note) for each in CheckIn.objects.of(empty)] == [("1234567890", "7")]


def test_an_entry_of_nonsense_breaks_nothing(dan, empty):
    answer = send(dan, OWN, record(None, 7, "x", [], {"symptoms": 3, "red_flags": "x", "temperature": 38}))
    assert "5 cannot be read and are left out" in answer.content.decode()


def test_a_page_that_somebody_changed_or_kept_too_long_adds_nothing(cast, diary, dan, empty, anna):
    page = send(anna, OWN, take(diary, cast.anna, "record"))
    stolen = confirm(dan, OWN, page, same="on")
    assert stolen.status_code == 422
    assert "This page is too old. Choose the file again." in stolen.content.decode()
    assert not CheckIn.objects.of(empty).exists()


def test_a_carer_may_bring_them_back_and_the_clinic_and_others_may_not(cast, diary, client, ben):
    address = reverse("exchange:bring_back", args=[diary.code])
    file = take(diary, cast.anna, "record")
    for user, status in ((cast.sam, 200), (cast.ben, 403), (cast.carla, 404), (cast.dan, 404)):
        client.force_login(user)
        assert send(client, address, file).status_code == status


def test_many_come_back_in_a_number_of_statements_that_does_not_grow(dan, empty):
    def statements(count, letter):
        refs = [f"{letter}{number:09d}" for number in range(count)]
        page = send(dan, OWN, record(*(entry(ref=ref, symptoms=[{"code": "tired", "severity": 1}]) for ref in refs)))
        with CaptureQueriesContext(connection) as found:
            confirm(dan, OWN, page, same="on")
        return len(found)

    assert statements(3, "b") == statements(30, "c")
    assert CheckIn.objects.of(empty).count() == 33


# What else the record holds


def test_the_record_holds_what_was_measured_expected_done_and_taken(cast, diary):
    alert = Alert.objects.of(diary).first()
    Step.objects.create(patient=diary, alert=alert, what="reached", note="Rang him.", by=cast.ben, at=utc(2026, 4, 1))
    tired = Symptom.objects.get(code="tired")
    Expectation.objects.create(
        patient=diary, symptom=tired, worst=2, until="2026-05-01", set_by=cast.ben, set_at=utc(2026, 4, 1)
    )
    Medication.objects.create(
        patient=diary, name="Cetirizine", kind="bought", recorded_by=cast.anna, recorded_at=utc(2026, 4, 1)
    )
    Medication.objects.create(
        patient=diary, name="Slip", kind="bought", recorded_at=utc(2026, 4, 1), voided_at=utc(2026, 4, 2)
    )
    written = json.loads(take(diary, cast.anna, "record"))
    last = written["check_ins"][-1]
    assert last["weight"] == {"value": "154.25", "unit": "lb"}
    assert last["blood_pressure"] == {"systolic": 98, "diastolic": 61}
    assert (last["stools_in_24_hours"], last["zone"]) == (0, "Australia/Lord_Howe")
    [told] = [each for each in written["alerts"] if each["ref"] == alert.ref]
    assert [(step["what"], step["by"]) for step in told["steps"]] == [("reached", cast.ben.name)]
    assert [(each["code"], each["worst"], each["until"]) for each in written["expected"]] == [
        ("tired", 2, "2026-05-01")
    ]
    assert [each["name"] for each in written["medications"]] == ["Cetirizine"]


def test_the_bundle_holds_vital_signs_with_their_codes_and_medicines_by_name(cast, diary):
    from fhir.resources.R4B.bundle import Bundle

    Medication.objects.create(patient=diary, name="Cetirizine", kind="bought", recorded_at=utc(2026, 4, 1))
    written = take(diary, cast.anna, "fhir").decode()
    Bundle.model_validate_json(written)
    resources = [each["resource"] for each in json.loads(written, parse_float=Decimal)["entry"]]
    signs = [r for r in resources if r.get("category") and "vital-signs" in json.dumps(r["category"], default=str)]
    values = [(s["code"]["coding"][0]["code"], s["valueQuantity"]) for s in signs if "valueQuantity" in s]
    assert [(code, str(value["value"]), value["code"]) for code, value in values] == [
        ("8310-5", "38.45", "Cel"),
        ("8310-5", "101.3", "[degF]"),
        ("29463-7", "154.25", "[lb_av]"),
    ]
    [pressure] = [s for s in signs if "component" in s]
    assert [part["valueQuantity"]["value"] for part in pressure["component"]] == [98, 61]
    [statement] = [r for r in resources if r["resourceType"] == "MedicationStatement"]
    assert statement["medicationCodeableConcept"] == {"text": "Cetirizine"}


def test_nobody_takes_what_was_measured_at_home_for_a_blood_result(cast, diary, empty):
    from labs.models import LabResult
    from tests.exchange.conftest import bring as bring_results

    bring_results(empty, take(diary, cast.anna, "fhir"), cast.ben)
    assert not LabResult.objects.of(empty).exists()


def test_the_record_costs_the_same_however_long_it_is(cast, diary):
    def statements():
        with CaptureQueriesContext(connection) as found:
            take(diary, cast.anna, "record")
        return len(found)

    few = statements()
    for minutes in range(20):
        at = utc(2026, 5, 1) + timedelta(minutes=minutes)
        answers = Answers(none_of_flags=True, severities={"tired": 3})
        record_check_in(by=cast.anna, patient=diary, key=uuid4(), answers=answers, now=at)
        Medication.objects.create(patient=diary, name=f"M{minutes}", kind="bought", recorded_at=at)
    assert statements() == few
