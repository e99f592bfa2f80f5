"""Saving check-ins, and the alerts that follow in the same transaction."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError

from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.audit.models import AuditEvent
from sideeffects import raising
from sideeffects.actions import Answers, finish_check_in, load_library, record_check_in, said
from sideeffects.models import CheckIn, Effect, Symptom, SymptomReport
from sideeffects.units import parse_pressure, parse_temperature, parse_weight
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

NOW = utc(2026, 11, 21, 21, 40)


def save(cast, by=None, patient=None, at=NOW, key=None, temperature="", **answers):
    if temperature:
        answers |= {"temperature": parse_temperature(temperature), "temperature_typed": temperature}
    answers["flags"] = frozenset(answers.get("flags", ()))
    return record_check_in(
        by=by or cast.anna, patient=patient or cast.anna_patient, key=key or uuid4(), answers=Answers(**answers), now=at
    )


def rules(check_in):
    return sorted(check_in.alerts.values_list("rule", flat=True))


@pytest.fixture
def cast():
    return factories.cast()


def test_a_check_in_keeps_what_was_entered_as_it_was_entered(cast):
    check_in = save(
        cast,
        flags=["urine_less"],
        temperature="101,30F",
        medicine="not_taken",
        severities={"tired": 2, "nausea": 0},
        note="since noon",
    ).check_in
    check_in.refresh_from_db()
    assert (check_in.temperature, check_in.temperature_unit) == (parse_temperature("101.3").value, "F")
    assert check_in.temperature_typed == "101,30F"
    assert check_in.flags == ["urine_less"]
    assert {r.symptom.code: r.severity for r in check_in.reports.all()} == {"tired": 2, "nausea": 0}
    assert (check_in.zone, check_in.felt_at, check_in.recorded_by) == ("Europe/London", NOW, cast.anna)
    assert check_in.history.count() == 1
    assert SymptomReport.history.count() == 2


def test_a_retry_with_the_same_key_returns_the_first_and_raises_nothing_again(cast):
    key = uuid4()
    sent = {"flags": ["fainted", "urine_less"], "temperature": "38.40", "severities": {"tired": 1}}
    first, again = (save(cast, key=key, at=NOW + timedelta(minutes=n), **sent) for n in (0, 2))
    assert (first.created, again.created) == (True, False)
    assert again.check_in == first.check_in
    assert Alert.objects.count() == 3


def test_the_same_key_with_other_answers_is_a_check_in_of_its_own_with_its_alerts(cast):
    key = uuid4()
    first, other = save(cast, key=key, none_of_flags=True), save(cast, key=key, flags=["breathless"])
    assert (first.created, other.created) == (True, True)
    assert rules(other.check_in) == ["T3"]
    assert CheckIn.objects.count() == 2


def test_every_rule_that_fires_raises_one_alert_that_names_it(cast):
    check_in = save(cast, flags=["chest_pain", "urine_less"], temperature="38.6", severities={"vomiting": 3}).check_in
    raised = {alert.rule: alert.tier for alert in Alert.objects.all()}
    assert raised == {"T1": "EMERGENCY", "T2": "RED", "T5": "RED", "T13": "AMBER"}
    assert {alert.source_ref for alert in Alert.objects.all()} == {check_in.ref}
    assert Alert.objects.get(rule="T13").title == "Severe: vomiting"


def test_an_answer_without_anything_to_tell_raises_nothing(cast):
    assert rules(save(cast, none_of_flags=True, temperature="37.0", severities={"tired": 2}).check_in) == []


def test_when_the_alert_cannot_be_raised_nothing_is_saved(cast, monkeypatch):
    def fails(**_facts):
        raise DatabaseError

    monkeypatch.setattr(raising, "raise_alert", fails)
    with pytest.raises(DatabaseError):
        save(cast, flags=["fainted"])
    assert CheckIn.objects.count() == 0


def test_the_unit_is_remembered_for_the_next_time(cast):
    save(cast, temperature="100 °F")
    cast.anna_patient.refresh_from_db()
    assert cast.anna_patient.temperature_unit == "F"


def test_a_carer_who_may_record_writes_and_is_named(cast):
    assert save(cast, by=cast.sam, flags=["confused"]).check_in.recorded_by == cast.sam


@pytest.mark.parametrize("who", ["ben", "carla", "dan", "eve"])
def test_nobody_else_writes(cast, who):
    with pytest.raises(PermissionDenied):
        save(cast, by=getattr(cast, who), flags=["fainted"])
    assert CheckIn.objects.count() == 0


def test_saving_is_audited_without_clinical_values(cast):
    save(cast, flags=["suicidal"], note="secret")
    events = AuditEvent.objects.filter(action="sideeffects.check_in.recorded")
    assert [(event.actor_ref, event.patient_ref) for event in events] == [(cast.anna.ref, cast.anna_patient.ref)]
    assert "secret" not in "".join(event.detail for event in AuditEvent.objects.all())


# The plan in force


def test_an_hiv_plan_waits_for_fever_medicine_and_a_kidney_plan_does_not(cast):
    factories.plan(cast.anna_patient, cast.ben, starts_on=NOW.date(), now=NOW)
    factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=NOW.date(), now=NOW)
    facts = {"temperature": "39.5", "medicine": "came_down"}
    assert "T4" not in rules(save(cast, **facts).check_in)
    assert "T5" in rules(save(cast, by=cast.dan, patient=cast.dan_patient, **facts).check_in)


def test_a_fever_that_returns_within_a_day_after_it_came_down_interrupts(cast):
    factories.plan(cast.anna_patient, cast.ben, starts_on=NOW.date(), now=NOW)
    facts = {"temperature": "103 °F", "medicine": "came_down"}
    assert "T4" not in rules(save(cast, **facts).check_in)
    assert "T4" in rules(save(cast, at=NOW + timedelta(hours=24), **facts).check_in)
    assert "T4" not in rules(save(cast, at=NOW + timedelta(days=3), **facts).check_in)


def test_an_injection_in_the_last_sixteen_hours_explains_mild_aches(cast):
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=NOW.date(), now=NOW)
    dose = plan.cycles.get(number=1).doses.order_by("due_at").first()
    facts = {"temperature": "37.5", "severities": {"aches": 1}}
    assert rules(save(cast, **facts).check_in) == ["T16"]
    factories.injection(cast.anna_patient, cast.anna, dose, now=NOW)
    assert rules(save(cast, at=NOW + timedelta(minutes=5), **facts).check_in) == []


def test_four_days_of_diarrhoea_are_told_on_the_fourth(cast):
    days = [NOW + timedelta(days=n) for n in range(4)]
    assert [rules(save(cast, at=day, severities={"diarrhoea": 1}).check_in) for day in days] == [[], [], [], ["T14"]]


def test_a_blank_day_leaves_the_run_possible_and_no_symptoms_ends_it(cast):
    for n in (0, 1, 2):
        save(cast, at=NOW + timedelta(days=n), severities={"diarrhoea": 1})
    after_blank = save(cast, at=NOW + timedelta(days=4), severities={"diarrhoea": 1}).check_in
    assert after_blank.alerts.get().title == "Possibly more than 3 days: diarrhoea"
    save(cast, at=NOW + timedelta(days=5), no_symptoms=True)
    assert rules(save(cast, at=NOW + timedelta(days=6), severities={"diarrhoea": 1}).check_in) == []


# The same again on one day (H15)


def test_the_same_report_again_on_one_day_joins_the_open_alert(cast):
    first = save(cast, flags=["urine_less"], temperature="38.6").check_in
    again = save(cast, at=NOW + timedelta(hours=1), flags=["urine_less"], temperature="38.4").check_in
    assert Alert.objects.count() == 2
    assert set(again.alerts.all()) == set(first.alerts.all())


@pytest.mark.parametrize(
    ("first", "worse", "rule"),
    [
        ({"temperature": "38.6"}, {"temperature": "38.7"}, "T5"),
        ({"temperature": "38.6"}, {"temperature": "101.6 °F"}, "T5"),
        ({"flags": ["palpitations"]}, {"flags": ["palpitations", "sore_leg"]}, "T11"),
        ({"severities": {"tired": 3}}, {"severities": {"tired": 3, "itch": 3}}, "T13"),
        (
            {"temperature": "35.8", "severities": {"shivering": 1}},
            {"temperature": "35.6", "severities": {"shivering": 1}},
            "T9",
        ),
        (
            {"temperature": "35.8", "severities": {"shivering": 1}},
            {"temperature": "35.8", "severities": {"shivering": 2}},
            "T9",
        ),
    ],
)
def test_worsening_on_one_day_is_never_grouped_away(cast, first, worse, rule):
    save(cast, **first)
    save(cast, at=NOW + timedelta(hours=1), **worse)
    assert Alert.objects.filter(rule=rule).count() == 2


def test_a_low_reading_that_recovers_a_little_joins(cast):
    save(cast, temperature="35.6", severities={"shivering": 1})
    save(cast, at=NOW + timedelta(hours=1), temperature="35.8", severities={"shivering": 1})
    assert Alert.objects.filter(rule="T9").count() == 1


def test_worse_means_worse_than_the_last_report_not_than_the_first(cast):
    for hours, reading in enumerate(["39.5", "38.5", "38.8"]):
        save(cast, at=NOW - timedelta(hours=5 - hours), temperature=reading)
    assert Alert.objects.filter(rule="T5").count() == 2


def test_the_next_day_raises_it_again(cast):
    save(cast, flags=["urine_less"])
    save(cast, at=NOW + timedelta(hours=3), flags=["urine_less"])
    assert Alert.objects.filter(rule="T2").count() == 2


def test_after_an_acknowledgement_the_same_report_is_a_new_alert(cast):
    alert = save(cast, flags=["urine_less"]).check_in.alerts.get()
    alerts.acknowledge(by=cast.ben, alert=alert, now=NOW)
    save(cast, at=NOW + timedelta(minutes=10), flags=["urine_less"])
    assert Alert.objects.open().count() == 1


def test_after_ticked_by_mistake_the_same_report_is_a_new_alert(cast):
    alert = save(cast, flags=["urine_less"]).check_in.alerts.get()
    alerts.answer(by=cast.anna, alert=alert, answer="mistake", now=NOW)
    save(cast, at=NOW + timedelta(minutes=10), flags=["urine_less"])
    assert Alert.objects.count() == 2


# Finishing what was saved early (R4)


def test_finishing_completes_the_same_check_in_and_keeps_its_alerts(cast):
    check_in = save(cast, flags=["fainted"], unfinished={"temperature": ["hot"]}).check_in
    finished = finish_check_in(
        by=cast.anna, check_in=check_in, answers=Answers(none_of_flags=True, severities={"tired": 1}), now=NOW
    ).check_in
    assert not finished.is_unfinished
    assert (finished.flags, finished.none_of_flags) == (["fainted"], False)
    assert rules(finished) == ["T7"]
    assert finished.history.count() == 2


def test_finishing_raises_what_is_new_also_under_a_rule_that_fired_already(cast):
    check_in = save(cast, flags=["palpitations"], unfinished={"x": ["y"]}).check_in
    more = Answers(flags=frozenset({"palpitations", "sore_leg"}), temperature=parse_temperature("38.5"))
    finish_check_in(by=cast.anna, check_in=check_in, answers=more, now=NOW)
    assert rules(check_in) == ["T11", "T11", "T5"]
    assert "sore, red place" in Alert.objects.filter(rule="T11").latest("pk").title


def test_every_attempt_to_finish_tells_what_is_new_under_one_rule(cast):
    check_in = save(cast, flags=["palpitations"], unfinished={"x": ["y"]}).check_in
    for flag in ("sore_leg", "sight", "sight"):
        more = Answers(flags=frozenset({flag}), unfinished={"x": ["y"]})
        finish_check_in(by=cast.anna, check_in=check_in, answers=more, now=NOW)
    assert rules(check_in) == ["T11", "T11", "T11"]


def test_a_box_that_cannot_be_read_takes_no_measurement_back(cast):
    """R4, the rest of it: what stood in the record when the clinic was told is not lost on the way to the end."""
    told = {
        "medicine": "did_not",
        "pressure": parse_pressure("90/50"),
        "weight": parse_weight("72.5", "kg"),
        "stools": 0,
        "note": "on the stairs",
    }
    check_in = save(cast, temperature="39.4", unfinished={"lump_size": ["x"]}, **told).check_in
    told |= {"temperature": parse_temperature("39.4"), "temperature_typed": "39.4"}
    unread = {"temperature": ["hot"], "pressure": ["low"]}
    more = Answers(flags=frozenset({"fainted"}), no_symptoms=True, unfinished=unread)
    done = finish_check_in(by=cast.anna, check_in=check_in, answers=more, now=NOW).check_in
    assert said(done) == Answers(flags=frozenset({"fainted"}), no_symptoms=True, unfinished=unread, **told)
    better = Answers(none_of_flags=True, temperature=parse_temperature("38.9"), severities={"tired": 1}, stools=3)
    said_last = said(finish_check_in(by=cast.anna, check_in=check_in, answers=better, now=NOW).check_in)
    assert (str(said_last.temperature), said_last.medicine, said_last.stools) == ("38.9\xa0°C", "", 3)


def test_a_finished_check_in_is_not_changed_again(cast):
    check_in = save(cast, flags=["fainted"]).check_in
    finish_check_in(by=cast.anna, check_in=check_in, answers=Answers(note="changed"), now=NOW)
    check_in.refresh_from_db()
    assert check_in.note == ""


# The catalogue


def test_the_catalogue_is_loaded_and_loading_again_changes_nothing():
    before = list(Effect.objects.values_list("code", "symptoms__code"))
    load_library()
    assert list(Effect.objects.values_list("code", "symptoms__code")) == before
    assert (Effect.objects.count(), Symptom.objects.filter(group="flag").count()) == (55, 18)
