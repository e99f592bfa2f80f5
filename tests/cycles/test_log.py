"""Recording an injection in the browser: two taps when all is as planned, a question when it is not."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cycles.models import Injection, PlannedDose
from il2tracker.accounts import actions as accounts
from il2tracker.alerts.actions import acknowledge, take_step
from il2tracker.alerts.models import Alert
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 21, 21, 58)  # a Saturday in London, day 4 of a course that started on Wednesday


@pytest.fixture(autouse=True)
def saturday_evening():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def course(cast):
    """Anna's course with everything recorded up to this morning."""
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=(NOW - timedelta(days=3)).date())
    doses = list(plan.cycles.get(number=1).doses.all())
    for dose, site in zip(doses[:7], ["aur", "aul", "alr", "all", "tfl", "tor", "tol"], strict=True):
        factories.injection(cast.anna_patient, cast.anna, dose, site=site)
    return doses


@pytest.fixture
def tonight(course):
    return course[7]


def sent(dose=None, **changes):
    """What the browser sends when nothing was changed."""
    return {"key": str(uuid4()), "when": "now", "site": "tfr", "given_by": "self", **changes}


def url(dose, name="log"):
    return reverse(f"cycles:{name}", args=[dose.ref])


def record_of(dose):
    return Injection.objects.standing().get(planned_dose=dose)


def test_the_page_shows_the_planned_dose_now_and_the_suggested_place(client, cast, tonight):
    client.force_login(cast.anna)
    page = client.get(url(tonight))
    assert page.status_code == 200
    text = page.content.decode()
    assert "7.5 million units" in text
    assert "9:58pm" in text
    assert "Anna" in text or cast.anna_patient.code in text
    assert page.context["places"].suggested == "tfr"
    assert page.context["form"]["site"].value() == "tfr"


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def ask(client, dose, **changes):
    """Posts and returns the question that comes back."""
    answer = client.post(url(dose), sent(**changes))
    assert answer.status_code == 200
    assert "cycles/ask.html" in [template.name for template in answer.templates]
    return answer


def test_saving_at_once_records_the_planned_dose_now_at_the_chosen_place(client, cast, tonight):
    client.force_login(cast.anna)
    answer = client.post(url(tonight), sent())
    record = record_of(tonight)
    assert (record.state, record.amount, record.site) == ("taken", Decimal("7.5"), "tfr")
    assert record.given_at == NOW
    assert answer.url == reverse("today:home")
    [message] = said(answer)
    assert message.startswith("Recorded: 7.5 million units at 9:58pm, right thigh, front.")
    assert reverse("cycles:undo", args=[record.ref]) in message
    assert not Alert.objects.exists()


def statements(captured):
    """What was read or written, without the marks around a transaction."""
    marks = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return [query["sql"] for query in captured if not query["sql"].startswith(marks)]


def test_saving_costs_at_most_twelve_statements_however_long_the_record_is(client, cast, course, tonight):
    client.force_login(cast.anna)
    client.get(url(tonight))
    with CaptureQueriesContext(connection) as first:
        client.post(url(tonight), sent())
    client.get(reverse("cycles:record"))
    with CaptureQueriesContext(connection) as second, time_machine.travel(NOW + timedelta(hours=12), tick=False):
        client.post(url(course[8]), sent(site="aur"))
    assert Injection.objects.standing().count() == 9
    assert len(statements(first)) == len(statements(second)) <= 12


# Once, whatever happens


def test_pressing_save_twice_keeps_one_record_and_shows_it(client, cast, tonight):
    """H01."""
    client.force_login(cast.anna)
    form = sent()
    client.post(url(tonight), form)
    answer = client.post(url(tonight), form)
    assert answer.url == reverse("cycles:entry", args=[record_of(tonight).ref])
    assert said(answer)[-1] == "Already recorded at 9:58pm by you. Nothing was added."


def test_a_second_tab_keeps_one_record(client, cast, tonight):
    """H01: unique for each planned injection, whatever the tab sends."""
    client.force_login(cast.anna)
    client.post(url(tonight), sent())
    client.post(url(tonight), sent(site="bul", amount="4.5", answer="told"))
    assert record_of(tonight).site == "tfr"
    assert Injection.objects.filter(planned_dose=tonight).count() == 1


def test_a_carer_who_comes_second_sees_the_record_of_the_patient(client, cast, tonight):
    """H01: two people, one injection."""
    client.force_login(cast.anna)
    client.post(url(tonight), sent())
    client.force_login(cast.sam)
    answer = client.post(url(tonight), sent())
    assert said(answer)[-1] == "Already recorded at 9:58pm by Anna. Nothing was added."


def test_opening_the_form_of_a_recorded_dose_leads_to_its_record(client, cast, course):
    client.force_login(cast.anna)
    answer = client.get(url(course[0]))
    assert answer.url == reverse("cycles:entry", args=[record_of(course[0]).ref])


def test_a_carer_records_for_the_patient_and_is_named(client, cast, tonight):
    """K05, A6: a family member may give it."""
    client.force_login(cast.sam)
    assert client.get(url(tonight)).context["form"]["given_by"].value() == "carer"
    answer = client.post(url(tonight), sent(given_by="carer", given_by_name="Sam"))
    record = record_of(tonight)
    assert (record.recorded_by, record.given_by, record.given_by_name) == (cast.sam, "carer", "Sam")
    assert answer.url == reverse("cycles:entry", args=[record.ref])


@pytest.mark.parametrize(("who", "status"), [("ben", 403), ("carla", 404), ("dan", 404), ("eve", 404)])
@pytest.mark.parametrize("name", ["log", "skip"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_else_records(client, cast, tonight, who, status, name, method):
    client.force_login(getattr(cast, who))
    assert getattr(client, method)(url(tonight, name), sent(reason="forgot")).status_code == status
    assert not Injection.objects.filter(planned_dose=tonight).exists()


# When


@pytest.mark.parametrize("typed", ["9:40pm", "9.40 pm", "21:40", "2140", " 9:40 PM "])
def test_an_earlier_time_is_read_as_people_write_it(client, cast, tonight, typed):
    client.force_login(cast.anna)
    client.post(url(tonight), sent(when="earlier", given_on="2026-11-21", given_time=typed))
    assert record_of(tonight).given_at == utc(2026, 11, 21, 21, 40)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        (
            {"given_time": "11:58pm"},
            "given_time",
            "11:58pm on Saturday 21 November 2026 has not come yet. It is 9:58pm now.",
        ),
        ({"given_on": "2026-11-22", "given_time": "9am"}, "given_time", "has not come yet"),
        ({"given_time": "9:40"}, "given_time", "Write 9:40am or 9:40pm."),
        ({"given_time": "soon"}, "given_time", "Write the time like 9:40pm or 21:40."),
        ({"given_time": "25:00"}, "given_time", "Write the time like 9:40pm or 21:40."),
        ({"given_time": ""}, "given_time", "Enter the time of the injection."),
        ({"given_on": "", "given_time": "9pm"}, "given_on", "Enter the day of the injection."),
        ({"given_on": "tomorrow", "given_time": "9pm"}, "given_on", "Enter the day as a date."),
        ({"amount": "0"}, "amount", "The amount has to be more than 0."),
        ({"amount": "7.5 MIU"}, "amount", "Write the amount in million units, like 7.5."),
        ({"amount": "1,500"}, "amount", "Write the amount in million units, like 7.5."),
        ({"site": "navel"}, "site", "Choose a place from the list."),
        ({"site": ""}, "site", "Choose the place of the injection."),
        ({"key": "no-uuid"}, "key", "valid UUID"),
    ],
)
def test_bad_input_is_answered_beside_the_field_and_kept(client, cast, tonight, changes, field, words):
    client.force_login(cast.anna)
    typed = sent(**{"when": "earlier", "given_on": "2026-11-21", "given_time": "9:40pm", "note": "kept", **changes})
    answer = client.post(url(tonight), typed)
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    text = answer.content.decode()
    assert "There is a problem" in text
    assert "kept" in text
    assert not Injection.objects.filter(planned_dose=tonight).exists()


def test_half_past_two_on_the_night_the_clocks_go_forward_is_accepted(client, cast):
    """H08: in London 01:30 on 29 March 2026 was never on the wall; it counts as 02:30 summer time."""
    with time_machine.travel(utc(2026, 3, 29, 12), tick=False):
        plan = factories.plan(cast.anna_patient, cast.ben, starts_on=utc(2026, 3, 27).date())
        dose = plan.cycles.get(number=1).doses.get(day=2, slot="pm")
        client.force_login(cast.anna)
        client.post(url(dose), sent(when="earlier", given_on="2026-03-29", given_time="1:30am"))
    assert record_of(dose).given_at == utc(2026, 3, 29, 1, 30)


def test_after_midnight_the_evening_dose_is_still_the_evening_dose(client, cast, tonight):
    """H07: 00:40 on Sunday is bound to Saturday evening by choice, not by date."""
    client.force_login(cast.anna)
    with time_machine.travel(utc(2026, 11, 22, 0, 40), tick=False):
        client.post(url(tonight), sent())
    record = record_of(tonight)
    assert (record.planned_dose, record.local_given_at.day) == (tonight, 22)


def test_past_the_limit_the_page_says_to_call_and_still_records(client, cast, tonight):
    client.force_login(cast.anna)
    with time_machine.travel(utc(2026, 11, 22, 4, 1), tick=False):
        page = client.get(url(tonight)).content.decode()
        assert "Do not decide alone, and do not take extra." in page
        assert "020 7946 0019" in page
        client.post(url(tonight), sent(when="earlier", given_on="2026-11-21", given_time="10pm"))
    assert record_of(tonight).given_at == utc(2026, 11, 21, 22)


def test_past_the_limit_the_likely_answer_is_earlier_and_before_it_now(client, cast, course, tonight):
    """Catching up must not stamp an old injection with the present time."""
    client.force_login(cast.anna)
    assert client.get(url(tonight)).context["form"]["when"].value() == "now"
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        form = client.get(url(tonight)).context["form"]
    assert (form["when"].value(), form["given_on"].value()) == ("earlier", tonight.due_on)


@pytest.mark.parametrize("tier", ["RED", "EMERGENCY"])
def test_while_an_urgent_report_is_open_the_page_says_to_speak_to_the_clinic_first(client, cast, tonight, tier):
    """R1: hold wins. What happened can still be recorded."""
    client.force_login(cast.anna)
    words = "Speak to your clinic before your next injection."
    assert words not in client.get(url(tonight)).content.decode()
    alert = factories.alert(cast.anna_patient, cast.anna, tier=tier)
    assert words in client.get(url(tonight)).content.decode()
    acknowledge(by=cast.ben, alert=alert, now=NOW)
    assert words in client.get(url(tonight)).content.decode()
    take_step(by=cast.ben, alert=alert, what="reached", now=NOW)
    assert words not in client.get(url(tonight)).content.decode()


def test_on_a_held_course_the_page_says_to_speak_to_the_clinic_first(client, cast, tonight):
    factories.hold(cast.ben, tonight.cycle, "infection")
    client.force_login(cast.anna)
    assert "Speak to your clinic before your next injection." in client.get(url(tonight)).content.decode()
    client.post(url(tonight), sent())
    assert record_of(tonight).amount == Decimal("7.5")


def test_before_the_limit_nothing_is_said_about_late(client, cast, tonight):
    client.force_login(cast.anna)
    with time_machine.travel(utc(2026, 11, 22, 4), tick=False):
        assert "Do not decide alone" not in client.get(url(tonight)).content.decode()


def test_more_than_two_hours_early_asks_once(client, cast, course, tonight):
    client.force_login(cast.anna)
    with time_machine.travel(NOW - timedelta(hours=2, minutes=1), tick=False):
        form = sent()
        question = ask(client, tonight, **form).content.decode()
        assert "planned for 10pm on Saturday 21 November 2026" in question
        assert "You are recording it at 7:57pm on Saturday 21 November 2026" in question
        assert not Injection.objects.filter(planned_dose=tonight).exists()
        client.post(url(tonight), {**form, "answer": "early"})
    assert record_of(tonight).given_at == NOW - timedelta(hours=2, minutes=1)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-11-19", "It can be given from Friday 20 November 2026 on: check the day."),
        ("1026-11-21", "Check the year: 1026 cannot be right."),
        ("0001-01-01", "Check the year: 1 cannot be right."),
        ("9999-12-31", "Check the year: 9999 cannot be right."),
    ],
)
def test_a_day_that_cannot_be_the_day_of_this_injection_is_refused_in_words(client, cast, tonight, day, words):
    client.force_login(cast.anna)
    answer = client.post(url(tonight), sent(when="earlier", given_on=day, given_time="9pm"))
    assert answer.status_code == 422
    assert words in str(answer.context["form"].errors["given_on"])


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("day", ["0001-01-01", "1979-12-31", "9999-12-31"])
def test_no_year_breaks_a_record_outside_the_plan_anywhere(client, cast, zone, day):
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone=zone)
    client.force_login(cast.anna)
    form = sent(when="earlier", given_on=day, given_time="11:59pm", amount="3")
    assert "given_on" in client.post(reverse("cycles:record_unplanned"), form).context["form"].errors


def test_the_hours_of_a_course_that_runs_name_their_place_once_the_patient_lives_elsewhere(client, cast, tonight):
    """H09: a course that runs keeps the hours it began with."""
    accounts.update_patient(by=cast.anna, patient=cast.anna_patient, time_zone="America/New_York")
    client.force_login(cast.anna)
    assert "On time is 8pm to midnight (London time)." in client.get(url(tonight)).content.decode()
    assert "planned for 10pm (London time)" in client.get(reverse("cycles:record")).content.decode()
    assert "10pm (London time)" in client.get(reverse("today:course")).content.decode()
    assert "at 10pm (London time)" in client.get("/").content.decode()


def test_going_back_from_a_question_keeps_what_was_entered(client, cast, tonight):
    client.force_login(cast.anna)
    answer = client.post(url(tonight), sent(amount="75", note="long day", answer="back"))
    assert answer.status_code == 200
    assert answer.context["form"]["amount"].value() == "75"
    assert "long day" in answer.content.decode()
    assert not Injection.objects.filter(planned_dose=tonight).exists()


# How much


def test_more_than_planned_asks_with_both_amounts_and_sends_to_the_telephone(client, cast, tonight):
    """ux 2.2: both numbers in words, then whom to call."""
    client.force_login(cast.anna)
    form = sent(amount="9")
    question = ask(client, tonight, **form).content.decode()
    assert "9 million units" in question
    assert "7.5 million units" in question
    answer = client.post(url(tonight), {**form, "answer": "more"})
    record = record_of(tonight)
    assert (record.amount, record.state, record.reason) == (9, "taken", "")
    assert answer.url == reverse("cycles:call", args=[record.ref])
    alert = Alert.objects.get()
    assert (alert.rule, alert.tier, alert.patient, alert.source_ref) == (
        "above-plan",
        "AMBER",
        cast.anna_patient,
        record.ref,
    )
    assert "9 million units" in alert.evidence
    page = client.get(answer.url).content.decode()
    assert "Call Clinic North now" in page
    assert "020 7946 0019" in page
    assert "nobody may have seen it" in page


def test_75_instead_of_7_5_is_caught_in_words(client, cast, tonight):
    """H04."""
    client.force_login(cast.anna)
    question = ask(client, tonight, amount="75").content.decode()
    assert "75 million units" in question
    assert "Did you type a digit too many?" in question


def test_an_amount_that_the_clinic_named_is_recorded_without_the_urgent_card(client, cast, tonight):
    """B7."""
    client.force_login(cast.anna)
    answer = client.post(url(tonight), sent(amount="9", answer="told"))
    assert answer.url == reverse("today:home")
    assert record_of(tonight).reason_words == "as the care team said"
    assert not Alert.objects.exists()


def test_above_the_ceiling_even_a_told_amount_reaches_the_clinic(client, cast, tonight):
    client.force_login(cast.anna)
    answer = client.post(url(tonight), sent(amount="75", answer="told"))
    assert answer.url == reverse("cycles:call", args=[record_of(tonight).ref])
    assert Alert.objects.get().rule == "above-plan"


def test_less_than_planned_asks_and_is_recorded_as_taken_in_part(client, cast, tonight):
    """H03, R14, 2.14: never made up for."""
    client.force_login(cast.anna)
    form = sent(amount="4,5")
    assert "Do not take extra to make up." in ask(client, tonight, **form).content.decode()
    client.post(url(tonight), {**form, "answer": "less"})
    record = record_of(tonight)
    assert (record.state, record.amount) == ("partial", Decimal("4.5"))
    assert not Alert.objects.exists()


def test_less_as_the_clinic_said_is_not_in_part(client, cast, tonight):
    client.force_login(cast.anna)
    client.post(url(tonight), sent(amount="6", answer="told"))
    assert (record_of(tonight).state, record_of(tonight).reason) == ("taken", "told")


def test_the_planned_amount_typed_out_asks_nothing(client, cast, tonight):
    client.force_login(cast.anna)
    client.post(url(tonight), sent(amount="7,50"))
    assert record_of(tonight).amount == Decimal("7.5")


# Too close


def test_a_second_injection_within_eight_hours_asks_with_two_equal_buttons(client, cast, course, tonight):
    """R8, B8, H08: a real double dose is as easy to say as a slip."""
    client.force_login(cast.anna)
    form = sent(when="earlier", given_on="2026-11-21", given_time="5pm")
    question = ask(client, tonight, **form).content.decode()
    assert "7.5 million units is recorded at 10am" in question
    assert question.count("btn btn-quiet btn-block") == 2
    assert "btn-primary" not in question
    assert reverse("cycles:entry", args=[record_of(course[6]).ref]) in question
    answer = client.post(url(tonight), {**form, "answer": "twice"})
    assert answer.url == reverse("cycles:call", args=[record_of(tonight).ref])
    assert Alert.objects.get().rule == "two-close"


def test_eight_hours_apart_asks_nothing_about_twice(client, cast, course, tonight):
    client.force_login(cast.anna)
    client.post(url(tonight), sent(when="earlier", given_on="2026-11-21", given_time="6pm", answer="early"))
    assert record_of(tonight).given_at == utc(2026, 11, 21, 18)


def test_the_gap_also_counts_towards_a_later_injection(client, cast, course, tonight):
    client.force_login(cast.anna)
    client.post(url(tonight), sent())
    removed = record_of(course[5])
    factories.void(cast.anna, removed)
    form = sent(when="earlier", given_on="2026-11-21", given_time="4am")
    assert "is recorded at 10am" in ask(client, course[5], **form).content.decode()


def test_both_questions_come_one_after_the_other(client, cast, course, tonight):
    client.force_login(cast.anna)
    form = sent(when="earlier", given_on="2026-11-21", given_time="5pm", amount="9")
    assert ask(client, tonight, **form).context["doubt"] == "TWICE"
    assert ask(client, tonight, **form, answer="twice").context["doubt"] == "ABOVE_PLAN"
    client.post(url(tonight), {**form, "answer": ["twice", "more"]})
    assert set(Alert.objects.values_list("rule", flat=True)) == {"two-close", "above-plan"}


# Outside the plan


def test_an_injection_outside_the_plan_is_recorded_and_seen_by_the_clinic(client, cast, course):
    """2.14: off-plan is kept and told."""
    client.force_login(cast.anna)
    other = reverse("cycles:record_unplanned")
    assert "your clinic will see it on its list" in client.get(other).content.decode()
    answer = client.post(other, sent(amount="7.5"))
    record = Injection.objects.get(planned_dose=None)
    assert (record.amount, answer.url) == (Decimal("7.5"), reverse("today:home"))
    assert Alert.objects.get().rule == "off-plan"


def test_outside_the_plan_there_is_no_amount_beforehand(client, cast):
    client.force_login(cast.anna)
    answer = client.post(reverse("cycles:record_unplanned"), sent())
    assert answer.status_code == 422
    assert "Enter the amount in million units." in answer.content.decode()


def test_outside_the_plan_a_large_amount_is_questioned_and_never_walled(client, cast):
    client.force_login(cast.anna)
    other = reverse("cycles:record_unplanned")
    form = sent(amount="75")
    assert client.post(other, form).context["doubt"] == "LARGE"
    answer = client.post(other, {**form, "answer": "large"})
    assert answer.url == reverse("cycles:call", args=[Injection.objects.get().ref])


def test_outside_the_plan_large_is_what_the_plan_of_the_patient_never_uses(client, cast, course):
    """10 million units are within 18, but no injection of this treatment holds more than 9."""
    client.force_login(cast.anna)
    other, form = reverse("cycles:record_unplanned"), sent(amount="10")
    assert client.post(other, form).context["doubt"] == "LARGE"
    answer = client.post(other, {**form, "answer": "large"})
    assert answer.url == reverse("cycles:call", args=[Injection.objects.get(planned_dose=None).ref])
    assert set(Alert.objects.values_list("rule", flat=True)) == {"above-plan", "off-plan"}


def test_without_a_clinic_nobody_is_said_to_see_it(client):
    lee = factories.lone_patient()
    client.force_login(lee.user)
    other = reverse("cycles:record_unplanned")
    assert "your clinic will see it" not in client.get(other).content.decode()
    answer = client.post(other, sent(amount="20", answer="large"))
    page = client.get(answer.url).content.decode()
    assert "020 7946 0100" in page
    assert "Nobody but you sees this diary." in page


# What waits


def test_the_list_shows_what_waits_with_the_newest_first_and_later_today_last(client, cast):
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=(NOW - timedelta(days=1)).date())
    client.force_login(cast.anna)
    page = client.get(reverse("cycles:record"))
    waiting = [(dose.day, dose.slot) for dose in page.context["doses"]]
    assert waiting == [(2, "am"), (1, "pm"), (1, "am"), (2, "pm")]
    assert plan.cycles.get(number=1).doses.count() == 10
    assert "later today" in page.content.decode()


def test_the_list_costs_the_same_however_much_waits(client, cast, django_assert_num_queries):
    client.force_login(cast.anna)
    factories.plan(cast.anna_patient, cast.ben, starts_on=(NOW - timedelta(days=4)).date())
    client.get(reverse("cycles:record"))
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("cycles:record"))
    PlannedDose.objects.filter(day__lte=4).delete()
    with django_assert_num_queries(len(many)):
        client.get(reverse("cycles:record"))


@pytest.mark.parametrize("who", ["ben", "eve", "sam"])
def test_people_without_a_diary_of_their_own_have_no_list(client, cast, who):
    client.force_login(getattr(cast, who))
    assert client.get(reverse("cycles:record")).status_code == 404


# Across midnight


@pytest.fixture
def friday_night(cast):
    """Twenty to one on Saturday: Friday evening's injection is not recorded yet."""
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=utc(2026, 11, 18).date(), now=utc(2026, 11, 17))
    doses = list(plan.cycles.get(number=1).doses.all())
    for dose in doses[:5]:
        factories.injection(cast.anna_patient, cast.anna, dose, site="aur")
    with time_machine.travel(utc(2026, 11, 21, 0, 40), tick=False):
        yield doses


def test_at_twenty_to_one_friday_evening_is_offered_as_late_before_saturday(client, cast, friday_night):
    """H07: the evening slot crosses midnight; it stays Friday's until it is too late."""
    client.force_login(cast.anna)
    page = client.get(reverse("cycles:record"))
    assert [(dose.day, dose.slot) for dose in page.context["doses"]] == [(3, "pm"), (4, "am"), (4, "pm")]
    text = " ".join(page.content.decode().split())
    assert text.index("Friday 20 November 2026, evening") < text.index("late</span>") < text.index("Saturday 21")
    assert "Last night at 10pm" in client.get("/").content.decode()
    client.post(url(friday_night[5]), sent())
    assert record_of(friday_night[5]).given_at == utc(2026, 11, 21, 0, 40)


def test_saturday_recorded_at_twenty_to_one_asks_whether_friday_is_meant(client, cast, friday_night):
    """H07: bound to a slot by a choice, not by the date of the clock."""
    client.force_login(cast.anna)
    question = ask(client, friday_night[6]).content.decode()
    assert "It is the injection of Friday, evening" in question
    assert url(friday_night[5]) in question


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (utc(2026, 11, 20, 23, 59), None),
        (utc(2026, 11, 21, 0, 40), "It is late, until 4am."),
        (utc(2026, 11, 21, 4, 1), None),
    ],
)
def test_late_says_until_when_it_is_late_and_whose_limit_that_is(client, cast, friday_night, at, words):
    """B8: on time, late until the limit, then "do not decide alone, call"."""
    client.force_login(cast.anna)
    with time_machine.travel(at, tick=False):
        text = client.get(url(friday_night[5])).content.decode()
    assert words is None or words in text
    assert ("It is late" in text) is (words is not None)
    assert ("this one is the diary’s own" in text) is (words is not None)


# The medicines before it


@pytest.mark.parametrize(("answer", "kept"), [("yes", True), ("no", False), ("", None)])
def test_whether_the_medicines_before_it_were_taken_is_kept_as_said(client, cast, tonight, answer, kept):
    """M9, A64: not asked is neither yes nor no."""
    client.force_login(cast.anna)
    client.post(url(tonight), sent(premedicated=answer))
    record = record_of(tonight)
    assert record.premedicated is kept
    page = client.get(reverse("cycles:entry", args=[record.ref])).content.decode()
    assert ("Medicines before it" in page) is (kept is not None)
    changed = client.get(reverse("cycles:correct", args=[record.ref])).context["form"]
    assert changed["premedicated"].value() == answer


# Told to stop


def test_told_to_stop_keeps_by_whom_and_the_clinic_reads_it(client, cast, tonight):
    client.force_login(cast.anna)
    sent_form = {"key": str(uuid4()), "reason": "stopped", "told_by": "Nurse Ben, this morning", "note": "rash"}
    answer = client.post(url(tonight, "skip"), sent_form)
    assert answer.url == reverse("cycles:changed") + "?kind=f"
    assert client.get(answer.url).context["form"]["kind"].value() == "told_to_stop"
    assert record_of(tonight).note == "Told by: Nurse Ben, this morning.\nrash"
    assert Alert.objects.get().rule == "told-to-stop"
    assert "Nurse Ben" in Alert.objects.get().evidence


def test_who_told_is_kept_only_with_that_reason(client, cast, tonight):
    client.force_login(cast.anna)
    client.post(url(tonight, "skip"), {"key": str(uuid4()), "reason": "forgot", "told_by": "Ben", "note": ""})
    assert record_of(tonight).note == ""


def test_a_nurse_may_have_given_it_and_is_named(client, cast, tonight):
    """A6: who gave it and who recorded it are two people."""
    client.force_login(cast.anna)
    client.post(url(tonight), sent(given_by="clinic", given_by_name="Nurse Ben"))
    record = record_of(tonight)
    assert (record.given_by, record.given_by_name, record.recorded_by) == ("clinic", "Nurse Ben", cast.anna)
    assert "a nurse or doctor: Nurse Ben" in client.get(reverse("cycles:entry", args=[record.ref])).content.decode()


def test_not_taken_says_at_once_that_nothing_is_made_up_for(client, cast, tonight):
    """H03, R14: whom to call stands above the reasons."""
    client.force_login(cast.anna)
    page = client.get(url(tonight, "skip")).content.decode()
    assert page.index("Do not take extra to make up.") < page.index("020 7946 0019") < page.index("I felt too ill")
