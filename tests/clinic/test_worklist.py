"""Who needs a person first, and why, in words."""

from datetime import date, timedelta

import pytest
import time_machine

from cycles import questions, ready_actions
from cycles.hold_actions import lift_hold
from cycles.models import Cycle, PlannedDose
from il2tracker.accounts.models import Patient
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.clinic.worklist import Rank, gather, reasons
from labs.actions import book_bloodwork
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db

NOW = utc(2026, 11, 21, 21, 35)
TODAY = date(2026, 11, 21)
DAYS = "1-5 8-12 15-19 22-26"
KIDNEY = {
    "unit": "MIU",
    "phases": [{"repeat": None, "cycle_days": 35, "doses": [{"days": DAYS, "slots": ["bedtime"], "amount": "9"}]}],
}


def why(patient, now=NOW):
    [known] = gather(Patient.objects.filter(pk=patient.pk), now)
    return reasons(known, now, "12")


def first(patient, now=NOW):
    reason = why(patient, now)[0]
    return reason.rank, reason.words


def forget(patient, *places):
    """Take away the records of these doses of the patient's first course."""
    for day, slot in places:
        dose = PlannedDose.objects.get(patient=patient, cycle__number=1, day=day, slot=slot)
        dose.injections.all().delete()


# Alerts


def test_an_urgent_report_says_what_when_and_that_nobody_answered(north):
    patient = north.patient("Ada", started=3)
    north.alert(patient, "RED", "much less urine", minutes=35)
    [reason] = why(patient)
    assert (reason.rank, reason.level) == (Rank.URGENT, 1)
    assert reason.words == "much less urine, 9pm"
    assert reason.detail == "Raised 35 minutes ago, not acknowledged."


def test_a_report_that_reached_nobody_stands_above_all_others(north):
    patient = north.patient("Ada", started=3)
    north.alert(patient, "EMERGENCY", "chest pain", minutes=90)
    alert = north.alert(patient, "RED", "much less urine", minutes=50)
    alerts.notified(alert=alert, at=NOW - timedelta(minutes=49))
    alerts.nobody_reached(alert=alert, now=NOW)
    found = [(reason.rank, reason.level, reason.words) for reason in why(patient)]
    assert found == [
        (Rank.UNANSWERED, 1, "much less urine, 8:45pm"),
        (Rank.URGENT, 1, "chest pain, 8:05pm"),
    ]
    assert why(patient)[0].detail == (
        "Raised 50 minutes ago, not acknowledged. A mail left at 8:46pm; nobody has answered it."
    )


def test_what_the_patient_answered_stands_there_and_settles_nothing(north):
    patient = north.patient("Ada", started=3)
    alert = north.alert(patient, "RED", "much less urine", minutes=35)
    alerts.answer(by=patient.user, alert=alert, answer="called", now=NOW)
    [reason] = why(patient)
    assert reason.detail.endswith("The patient's answer: “I have called”.")


@pytest.mark.parametrize("tier", ["RED", "AMBER"])
def test_an_acknowledged_report_is_in_hand_until_somebody_closes_it(north, cast, tier):
    patient = north.patient("Ada", started=3)
    alert = north.alert(patient, tier, "less urine", minutes=9)
    alerts.acknowledge(by=cast.ben, alert=alert, now=NOW - timedelta(minutes=7))
    [reason] = why(patient)
    waits = {"RED": " Reminders to inject wait.", "AMBER": ""}[tier]
    assert (reason.rank, reason.level, reason.words) == (Rank.IN_HAND, 3, "less urine, 9:26pm")
    assert reason.detail == f"In hand: Ben, 7 minutes ago. No call is written down.{waits}"
    did = {"by": cast.ben, "alert": alert, "now": NOW - timedelta(minutes=5)}
    alerts.take_step(**did, what="not_reached")
    called = "Called, and reached nobody, 5 minutes ago."
    assert why(patient)[0].detail == f"In hand: Ben, 7 minutes ago. {called}{waits}"
    alerts.take_step(**did, what="closed", note="better")
    assert first(patient) == (Rank.NOTHING, "Nothing waits here")


def test_what_is_in_hand_stands_below_whatever_nobody_has_answered(north, cast):
    assert {Rank.UNANSWERED, Rank.URGENT, Rank.DOSES} < {rank for rank in Rank if rank < Rank.IN_HAND}
    assert Rank.IN_HAND < Rank.QUIET
    patient = north.patient("Ada", started=3)
    alerts.acknowledge(by=cast.ben, alert=north.alert(patient, "EMERGENCY", "chest pain", minutes=90), now=NOW)
    north.alert(patient, "AMBER", "tired, severe", minutes=5)
    assert [reason.rank for reason in why(patient)] == [Rank.DOSES, Rank.IN_HAND]


def test_who_cannot_reach_the_clinic_stands_above_all_others_whoever_has_it_in_hand(north, cast):
    patient = north.patient("Ada", started=3)
    alert = north.alert(patient, "RED", "less urine", minutes=50)
    alerts.acknowledge(by=cast.ben, alert=alert, now=NOW - timedelta(minutes=40))
    north.alert(patient, "EMERGENCY", "chest pain", minutes=90)
    alerts.answer(by=patient.user, alert=alert, answer="not_reached", now=NOW - timedelta(minutes=4))
    reason = why(patient)[0]
    assert (reason.rank, reason.level, reason.words) == (Rank.UNANSWERED, 1, "less urine, 8:45pm")
    assert reason.detail == (
        "The patient cannot reach you: written 4 minutes ago. In hand: Ben, 40 minutes ago. Reminders to inject wait."
    )
    alerts.take_step(by=cast.ben, alert=alert, what="reached", now=NOW)
    assert [each.rank for each in why(patient)] == [Rank.URGENT, Rank.IN_HAND]


def test_reminders_that_are_held_again_after_a_talk_are_named(north, cast):
    patient = north.patient("Ada", started=3)
    alert = north.alert(patient, "RED", "less urine", minutes=50)

    def ago(minutes):
        return {"alert": alert, "now": NOW - timedelta(minutes=minutes)}

    alerts.acknowledge(by=cast.ben, **ago(40))
    alerts.take_step(by=cast.ben, what="reached", **ago(30))
    spoke = "In hand: Ben, 40 minutes ago. Called, and spoke with the patient, 30 minutes ago."
    assert why(patient)[0].detail == spoke
    alerts.answer(by=patient.user, answer="not_reached", **ago(20))
    alerts.answer(by=patient.user, answer="called", **ago(10))
    assert Alert.objects.holding().get() == alert
    held = "Reminders to inject wait: the patient could not reach you, and you have not spoken since."
    assert why(patient)[0].detail == f"{spoke} {held}"
    alerts.take_step(by=cast.ben, what="reached", **ago(5))
    assert "Reminders" not in why(patient)[0].detail


def test_who_cannot_reach_the_clinic_before_anybody_acknowledged_stands_above_all_others_too(north):
    patient = north.patient("Ada", started=3)
    north.alert(patient, "EMERGENCY", "chest pain", minutes=90)
    alert = north.alert(patient, "RED", "less urine", minutes=50)
    alerts.answer(by=patient.user, alert=alert, answer="not_reached", now=NOW)
    assert first(patient) == (Rank.UNANSWERED, "less urine, 8:45pm")


def test_an_amber_report_comes_after_urgent_ones_and_names_its_day(north):
    patient = north.patient("Ada", started=3)
    north.alert(patient, "AMBER", "tired, severe", minutes=60 * 26)
    north.alert(patient, "EMERGENCY", "chest pain", minutes=5)
    assert [(reason.rank, reason.words) for reason in why(patient)] == [
        (Rank.URGENT, "chest pain, 9:30pm"),
        (Rank.DOSES, "tired, severe, Fri 20 Nov 7:35pm"),
    ]


# Injections


@pytest.mark.parametrize(("places", "rank"), [([(2, "pm")], Rank.NOTHING), ([(2, "pm"), (3, "am")], Rank.DOSES)])
def test_two_injections_without_a_record_are_a_reason_one_is_not(north, places, rank):
    patient = north.patient("Ada", started=3)
    forget(patient, *places)
    assert first(patient)[0] is rank


def test_it_says_how_many_and_since_when(north):
    patient = north.patient("Ada", started=3)
    forget(patient, (2, "pm"), (3, "am"), (4, "am"))
    [reason] = why(patient)
    assert reason.words == "3 injections not recorded"
    assert reason.detail == "The first on Thursday 19 November 2026."


def test_an_injection_counts_an_hour_after_its_time(north):
    patient = north.patient("Ada", started=3)
    forget(patient, (4, "am"))
    late = NOW.replace(hour=22, minute=59)
    assert first(patient, late)[0] is Rank.NOTHING
    assert first(patient, late + timedelta(minutes=2)) == (Rank.DOSES, "2 injections not recorded")


def test_not_taken_is_recorded(north):
    patient = north.patient("Ada", started=3)
    forget(patient, (3, "am"), (3, "pm"))
    for dose in PlannedDose.objects.filter(patient=patient, cycle__number=1, day=3):
        factories.injection(patient, patient.user, dose, state="skipped", reason="too_ill")
    assert first(patient)[0] is Rank.NOTHING


@pytest.mark.parametrize(("ended", "rank"), [(7, Rank.DOSES), (8, Rank.NOTHING)])
def test_open_injections_are_asked_for_until_a_week_after_the_course(north, ended, rank):
    patient = north.patient("Ada", started=4 + ended)
    forget(patient, (5, "am"), (5, "pm"))
    assert first(patient)[0] is rank


def test_a_held_course_is_asked_for_nothing_but_the_hold(north, cast):
    patient = north.patient("Ada", started=3, recorded=False)
    factories.hold(cast.ben, Cycle.objects.get(patient=patient, number=1), "fever")
    assert [reason.rank for reason in why(patient)] == [Rank.READINESS]


# Holds


def test_an_open_hold_stays_on_the_list_when_its_report_is_acknowledged_until_somebody_lifts_it(north, cast):
    """D19, H22: only a person lifts one, so a person has to be shown it."""
    patient = north.patient("Ada", started=-9)
    hold = factories.hold(patient.user, Cycle.objects.get(patient=patient), "a cough", kind="infection", now=NOW)
    alert = Alert.objects.get(patient=patient)
    assert [reason.rank for reason in why(patient)] == [Rank.DOSES], "its report stands for it"
    alerts.acknowledge(by=cast.ben, alert=alert, now=NOW)
    [reason] = [reason for reason in why(patient) if reason.rank is Rank.READINESS]
    assert (reason.words, reason.level, reason.is_hold) == ("On hold: an infection", 2, True)
    assert reason.detail == "a cough. Since Saturday 21 November 2026; nothing is asked for until somebody lifts it."
    lift_hold(by=cast.ben, hold=hold, now=NOW, note="well again")
    assert not [reason for reason in why(patient) if reason.is_hold]


def test_every_open_hold_is_named_the_oldest_first(north, cast):
    patient = north.patient("Ada", started=-9)
    cycle = Cycle.objects.get(patient=patient)
    factories.hold(cast.ben, cycle, "", kind="viral_load", now=NOW)
    factories.hold(cast.ben, cycle, "", kind="fatigue", now=NOW - timedelta(days=1))
    assert [reason.words for reason in why(patient) if reason.is_hold] == [
        *("On hold: extreme tiredness", "On hold: the viral load")
    ]


@pytest.mark.parametrize("started", [3, -9], ids=["its day has passed", "still to come"])
def test_a_course_that_waits_without_a_hold_still_needs_a_person(north, started):
    """Its own first day passed while it waited: nothing goes on by itself."""
    patient = north.patient("Ada", started=started, recorded=False)
    cycle = Cycle.objects.get(patient=patient, number=1)
    Cycle.objects.filter(pk=cycle.pk).update(state="held", reason="It needs a new first day.")
    [reason] = [reason for reason in why(patient) if reason.is_hold]
    assert (reason.rank, reason.words) == (Rank.READINESS, "Course 1 waits")
    assert reason.detail == "It needs a new first day."


def test_the_list_leads_to_the_hold(north, cast, client):
    patient = north.patient("Ada", started=-9)
    factories.hold(cast.ben, Cycle.objects.get(patient=patient), "fever", now=NOW)
    client.force_login(cast.ben)
    with time_machine.travel(NOW, tick=False):
        page = client.get("/people/").content.decode()
    assert f'class="btn btn-quiet" href="/people/{patient.code}/waits/">On hold' in page


# Silence


def test_two_days_without_any_entry_in_a_course_are_a_reason(north):
    patient = north.patient("Ada", started=3)
    forget(patient, (2, "am"), (2, "pm"), (3, "am"), (3, "pm"), (4, "am"))
    silent = next(reason for reason in why(patient) if reason.rank is Rank.QUIET)
    assert silent.words == "Nothing recorded since Wed 18 Nov, 10pm"
    north.check_in(patient, hours_ago=20)
    assert Rank.QUIET not in {reason.rank for reason in why(patient)}


def test_rest_days_are_not_silence(north):
    patient = north.patient("Ada", started=12, protocol="kidney-label")
    assert first(patient, NOW + timedelta(days=1))[0] is Rank.NOTHING


# Results before a course


@pytest.fixture
def soon(north):
    """The second course starts in 9 days; the first ended 43 days ago."""
    return north.patient("Ada", started=47)


def test_results_that_are_missing_two_weeks_before_a_course(soon):
    [reason] = why(soon)
    assert (reason.rank, reason.words) == (Rank.RESULTS, "Blood results missing: CD4+ and viral load")
    assert reason.detail == "Due Monday 16 November 2026. Course in 9 days."


def test_a_reliable_draw_of_both_tests_in_the_window_settles_it(north, soon):
    north.result(soon, 6)
    assert first(soon)[0] is Rank.NOTHING


def test_each_test_is_named_while_it_is_missing(north, soon):
    north.result(soon, 6, load="")
    assert first(soon)[1] == "Blood results missing: viral load"


@pytest.mark.parametrize("days_ago", [13, 20])
def test_a_draw_outside_the_window_does_not_settle_it(north, soon, days_ago):
    north.result(soon, days_ago)
    assert first(soon)[0] is Rank.RESULTS


def test_a_draw_that_came_too_soon_is_called_so(north):
    patient = north.patient("Ada", started=45)
    north.result(patient, 21)
    [reason] = why(patient)
    assert reason.words == "Only results taken too soon: CD4+ and viral load"
    assert reason.detail == "Saturday 31 October 2026, 20 days after the last injection. Course in 11 days."


def test_while_the_test_is_booked_nobody_has_to_act(soon, cast):
    coming = Cycle.objects.get(patient=soon, number=2)
    book_bloodwork(by=cast.ben, cycle=coming, booked_for=TODAY + timedelta(days=2))
    [reason] = why(soon)
    assert (reason.rank, reason.detail) == (Rank.NOTHING, "Blood test booked for Monday 23 November 2026.")
    assert first(soon, NOW + timedelta(days=3))[0] is Rank.RESULTS


@pytest.mark.parametrize(("started", "rank"), [(41, Rank.NOTHING), (42, Rank.RESULTS)])
def test_the_two_weeks_count_from_the_patient_s_day(north, started, rank):
    assert first(north.patient("Ada", started=started))[0] is rank


def test_plans_on_which_timing_does_not_matter_want_no_results(north):
    assert first(north.patient("Ada", started=30, protocol="kidney-label"))[0] is Rank.NOTHING


def test_a_first_course_wants_a_baseline(north):
    patient = north.patient("Ada", started=-9)
    assert first(patient)[0] is Rank.RESULTS
    north.result(patient, 3)
    assert first(patient)[0] is Rank.NOTHING


def test_without_a_plan_the_row_says_so(north):
    [reason] = why(north.patient("Ada"))
    assert (reason.rank, reason.detail) == (Rank.NOTHING, "No plan yet.")


def test_moments_are_on_the_patient_s_clock(north):
    patient = north.patient("Ada", started=3)
    Patient.objects.filter(pk=patient.pk).update(time_zone="Asia/Tokyo")
    north.alert(patient, "RED", "much less urine", minutes=35)
    assert why(patient)[0].words == "much less urine, 6am"


# Before a course


def answer(patient, code, word="yes", *, at=NOW):
    cycle = Cycle.objects.of(patient).get(number=1)
    question = questions.BY_CODE[code]
    ready_actions.answer_question(by=patient.user, cycle=cycle, question=question, answer=word, now=at)
    return cycle


def test_answers_that_need_a_person_stand_on_the_list_with_their_names(north):
    """2.11, D10: yes or not sure."""
    patient = north.patient("Ada", started=-9)
    answer(patient, "mood")
    answer(patient, "medicine", "unsure")
    answer(patient, "tired", "no")
    reason = why(patient)[0]
    assert (reason.rank, reason.level) == (Rank.READINESS, 2)
    assert reason.words == "Readiness answers need a person: new or changed medicine, low mood"
    assert reason.detail == "Course 1, in 9 days."


def test_a_viral_load_that_was_up_when_they_were_sent_stands_there_too(north):
    """P67."""
    patient = north.patient("Ada", started=-9)
    cycle = Cycle.objects.of(patient).get()
    factories.answers(patient.user, cycle, now=NOW)
    known = {"viral_load": "yes", "results": "yes"}
    ready_actions.send_answers(by=patient.user, cycle=cycle, now=NOW, known=known)
    assert why(patient)[0].words == "Readiness answers need a person: viral load is up"


def test_confirming_the_start_settles_what_was_answered_before(north, cast):
    patient = north.patient("Ada", started=-9)
    cycle = answer(patient, "mood", at=NOW)
    factories.confirm(cast.ben, cycle, now=NOW)
    assert Rank.READINESS not in [reason.rank for reason in why(patient)]
    answer(patient, "tired", at=NOW + timedelta(hours=1))
    assert why(patient)[0].words == "Readiness answers need a person: extreme tiredness"


@pytest.mark.parametrize(("days", "rank"), [(8, Rank.NOTHING), (7, Rank.READINESS)])
def test_a_start_without_the_clinics_word_is_asked_for_a_week_before(north, cast, days, rank):
    """R1: until then no reminder to inject leaves."""
    factories.confirms_starts(cast.north)
    patient = north.patient("Ada", started=-days, protocol="kidney-5-week", document=KIDNEY)
    assert first(patient)[0] is rank


def test_a_start_that_waits_says_so_also_when_its_day_has_come(north, cast):
    factories.confirms_starts(cast.north)
    patient = north.patient("Ada", started=-1, protocol="kidney-5-week", document=KIDNEY)
    [reason] = why(patient, NOW + timedelta(days=2))
    assert (reason.rank, reason.words) == (Rank.READINESS, "Start not confirmed")
    assert "No reminder to inject leaves until it is." in reason.detail


def test_answers_that_are_sent_ask_for_the_clinics_word_at_once(north, cast):
    factories.confirms_starts(cast.north)
    patient = north.patient("Ada", started=-12, protocol="kidney-5-week", document=KIDNEY)
    cycle = Cycle.objects.of(patient).get()
    factories.answers(patient.user, cycle, now=NOW)
    ready_actions.send_answers(by=patient.user, cycle=cycle, now=NOW, known={})
    [reason] = why(patient)
    assert (reason.words, "Answers are sent." in reason.detail) == ("Start not confirmed", True)


def test_a_clinic_that_leaves_starts_to_its_patients_is_asked_for_none(north):
    patient = north.patient("Ada", started=-3, protocol="kidney-5-week", document=KIDNEY)
    assert first(patient)[0] is Rank.NOTHING


# Safety tests


def test_a_result_outside_its_printed_range_is_a_reason_with_its_value_and_who_entered_it(north):
    patient = north.patient("Ada", started=3)
    north.measured(patient, "potassium", "7.9", "3.5-5.1")
    [reason] = why(patient)
    assert (reason.rank, reason.level, reason.words) == (Rank.OUTSIDE, 2, "Potassium 7.9 mmol/L, above the range")
    assert reason.detail == "Taken on Friday 20 November 2026, entered by the patient."


def test_several_are_one_reason_that_names_each(north):
    patient = north.patient("Ada", started=3)
    north.measured(patient, "potassium", "3.1", "3.5-5.1", days_ago=2)
    north.measured(patient, "creatinine", "11", "0.6-1.2", days_ago=1, source="clinic")
    [reason] = why(patient)
    assert reason.words == "2 results outside the laboratory’s range"
    assert "Creatinine 11 mg/dL, above the range" in reason.detail
    assert "Potassium 3.1 mmol/L, below the range" in reason.detail
    assert reason.detail.endswith("Taken on Friday 20 November 2026, entered by the clinic.")


NO_REASON = {
    "within its range": lambda north, ada: north.measured(ada, "potassium", "4.2", "3.5-5.1"),
    "no range is printed": lambda north, ada: north.measured(ada, "potassium", "7.9", ""),
    "typed in from old paper": lambda north, ada: north.measured(ada, "potassium", "7.9", "3.5-5.1", days_ago=33),
    "removed": lambda north, ada: north.measured(ada, "potassium", "7.9", "3.5-5.1", voided_at=NOW),
    "a newer one of the clinic is within": lambda north, ada: (
        north.measured(ada, "potassium", "7.9", "3.5-5.1", days_ago=2),
        north.measured(ada, "potassium", "4.2", "3.5-5.1", days_ago=1, source="clinic"),
    ),
    "a CD4+ count, whose range says little": lambda north, ada: north.measured(ada, "cd4", "300", "500-1500"),
}


@pytest.mark.parametrize("what", NO_REASON)
def test_other_results_are_no_reason(north, what):
    patient = north.patient("Ada", started=3)
    NO_REASON[what](north, patient)
    assert first(patient) == (Rank.NOTHING, "Nothing waits here")


def test_a_result_stands_below_reports_and_missing_injections_and_above_a_start_that_waits(north):
    assert Rank.DOSES < Rank.OUTSIDE < Rank.READINESS
    patient = north.patient("Ada", started=3)
    north.measured(patient, "potassium", "7.9", "3.5-5.1")
    north.alert(patient, "RED", "much less urine", minutes=9)
    assert [reason.rank for reason in why(patient)] == [Rank.URGENT, Rank.OUTSIDE]
