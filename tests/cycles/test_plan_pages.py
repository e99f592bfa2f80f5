"""Making a plan in the browser: nothing chosen beforehand, every date shown before saving, honest about who signed."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from cycles.models import Cycle, Plan, Protocol
from il2tracker.accounts import actions as accounts
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 21, 12)  # a Saturday


@pytest.fixture(autouse=True)
def saturday_noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


def address(name, patient, slug=None):
    """The page as the clinic opens it."""
    return reverse(f"cycles:{name}", kwargs={"code": patient.code, **({"slug": slug} if slug else {})})


def entered(**changes):
    return {"starts_on": "2026-11-25", "time_am": "10am", "time_pm": "10pm", **changes}


def kidney(**changes):
    return {"starts_on": "2026-11-30", "time_bedtime": "9pm", "p1l1_amount": "9", **changes}


def preview(client, cast, slug="hiv-sc-7-5", **form):
    client.force_login(cast.ben)
    answer = client.post(address("plan_new", cast.dan_patient, slug), form or entered())
    assert answer.status_code == 200
    assert "cycles/plan_preview.html" in [template.name for template in answer.templates]
    return answer


def refused(client, cast, slug="hiv-sc-7-5", **form):
    """The errors of the form."""
    client.force_login(cast.ben)
    answer = client.post(address("plan_new", cast.dan_patient, slug), form)
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    assert not Plan.objects.exists()
    return answer.context["form"].errors


# Choosing


def test_the_library_shows_every_protocol_with_its_source_and_chooses_none(client, cast):
    client.force_login(cast.ben)
    text = client.get(address("plan_choose", cast.dan_patient)).content.decode()
    assert "Project Inform" in text
    assert "two large trials finished in 2009" in text
    assert "Cancer Research UK" in text
    assert "checked" not in text
    assert "over 102\N{NO-BREAK SPACE}°F" in text
    assert "over 38\N{NO-BREAK SPACE}°C" in text


def test_a_patient_without_a_clinic_is_offered_no_inpatient_route(client):
    lee = factories.lone_patient()
    Protocol.objects.filter(slug="kidney-label").update(inpatient=True, route="civ")
    client.force_login(lee.user)
    groups = client.get(reverse("cycles:plan_choose")).context["groups"]
    assert "kidney-label" not in {row["protocol"].slug for _standing, rows in groups for row in rows}
    assert client.get(reverse("cycles:plan_new", args=["kidney-label"])).status_code == 404


def test_the_clinic_is_offered_every_route(client, cast):
    Protocol.objects.filter(slug="kidney-label").update(inpatient=True, route="civ")
    client.force_login(cast.ben)
    assert client.get(address("plan_new", cast.dan_patient, "kidney-label")).status_code == 200


def test_without_numbers_to_call_there_is_no_plan(client):
    """P37, A19: first whom to call, then what to inject."""
    lee = factories.lone_patient()
    accounts.update_patient(by=lee.user, patient=lee, team_phone="")
    client.force_login(lee.user)
    text = client.get(reverse("cycles:plan_choose")).content.decode()
    assert reverse("accounts:details") in text
    assert "Use this schedule" not in text
    answer = client.post(reverse("cycles:plan_new", args=["hiv-sc-4-5"]), entered(step="save"))
    assert answer.status_code == 422
    assert "Add the numbers to call before making a plan." in answer.content.decode()
    assert not Plan.objects.exists()


def test_a_patient_of_a_clinic_makes_no_plan_of_his_own(client, cast):
    client.force_login(cast.dan)
    for url in (reverse("cycles:plan_choose"), reverse("cycles:plan_new", args=["kidney-label"])):
        assert client.get(url).status_code == 403
    assert client.post(reverse("cycles:plan_new", args=["hiv-sc-4-5"]), entered(step="save")).status_code == 403


@pytest.mark.parametrize("who", ["carla", "eve", "anna"])
def test_strangers_see_no_plan(client, cast, who):
    client.force_login(getattr(cast, who))
    for name, slug in (("plan", None), ("plan_choose", None), ("plan_new", "kidney-label")):
        assert client.get(address(name, cast.dan_patient, slug)).status_code == 404


# Entering


FROM_THE_TEMPLATE = {"fever_above", "fever_unit", "fever_only_if_not_relieved"}


@pytest.mark.parametrize("slug", ["hiv-sc-4-5", "hiv-sc-7-5", "hiv-sc-own", "kidney-5-week", "kidney-label"])
def test_only_what_the_chosen_template_says_is_filled_in(client, cast, slug):
    """A silent default is a dosing risk (ux 1, 2.12): no start, no hour, no amount that the source does not name."""
    client.force_login(cast.ben)
    form = client.get(address("plan_new", cast.dan_patient, slug)).context["form"]
    filled = {name for name in form.fields if form[name].value()}
    assert {name for name in filled if not name.startswith("p1")} <= FROM_THE_TEMPLATE
    amounts = {form[name].value() for name in form.fields if name.endswith("_amount")}
    assert (amounts == {""}) is Protocol.objects.get(slug=slug).regimen.needs_amounts


def test_a_blank_plan_fills_in_nothing_at_all(client, cast):
    client.force_login(cast.ben)
    form = client.get(address("plan_new", cast.dan_patient, "own-schedule")).context["form"]
    assert {name for name in form.fields if form[name].value()} <= FROM_THE_TEMPLATE


def test_a_wednesday_is_suggested_in_words_for_hiv_only(client, cast):
    client.force_login(cast.ben)
    text = client.get(address("plan_new", cast.dan_patient, "hiv-sc-7-5")).content.decode()
    assert "A start on a Wednesday puts the days that are usually the hardest on Friday, Saturday and Sunday" in text
    assert "for example Wednesday 25 November 2026" in text
    text = client.get(address("plan_new", cast.dan_patient, "kidney-label")).content.decode()
    assert "hardest" not in text


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"starts_on": ""}, "starts_on", "Enter the first day of the course."),
        ({"starts_on": "25/13/2026"}, "starts_on", "Enter the first day as a date."),
        ({"starts_on": "2026-11-20"}, "starts_on", "This day has passed."),
        ({"starts_on": "2027-11-23"}, "starts_on", "more than a year away"),
        ({"starts_on": "2026-09-26", "past": "on"}, "starts_on", "Enter the course you are in now"),
        ({"time_am": ""}, "time_am", "Enter the time of the morning injection."),
        ({"time_pm": "10"}, "time_pm", "Write 10am or 10pm."),
        ({"time_am": "10pm", "time_pm": "10am"}, "time_pm", "Put the times in the order of the day."),
        ({"time_am": "10am", "time_pm": "10am"}, "time_pm", "Put the times in the order of the day."),
        ({"time_pm": "5pm"}, "time_pm", "less than 8 hours apart"),
        ({"time_am": "2am", "time_pm": "11pm"}, "time_pm", "less than 8 hours apart"),
        ({"min_gap_hours": "soon"}, "min_gap_hours", "Write a whole number."),
        ({"min_gap_hours": "0"}, "min_gap_hours", "greater than or equal to 1"),
        ({"cd4_goal": "1e9"}, "cd4_goal", "Write a whole number."),
    ],
)
def test_bad_input_is_answered_beside_its_field(client, cast, changes, field, words):
    errors = refused(client, cast, **entered(**changes))
    assert words in " ".join(errors[field])


@pytest.mark.parametrize(
    ("slug", "changes", "field", "words"),
    [
        ("kidney-5-week", {"p1l1_amount": ""}, "p1l1_amount", "Enter the amount in million units."),
        ("kidney-5-week", {"p1l1_amount": "18.5"}, "p1l1_amount", "18.5 million units is more than one injection"),
        ("kidney-5-week", {"p1l3_amount": "180"}, "p1l3_amount", "180 million units is more than one injection"),
        ("hiv-sc-own", {"p1l1_amount": "15"}, "p1l1_amount", "15 million units is more than one injection"),
        ("hiv-sc-own", {"p1l1_amount": "9"}, "beyond_reason", "18 million units a day is more than was studied: 15"),
    ],
)
def test_amounts_beyond_the_treatment_are_refused_or_asked_twice(client, cast, slug, changes, field, words):
    """H06, W6: 15 a day entered per injection is caught."""
    form = kidney() if slug.startswith("kidney") else entered()
    assert words in " ".join(refused(client, cast, slug, **{**form, **changes})[field])


def test_more_a_day_than_was_studied_can_be_meant(client, cast):
    answer = preview(client, cast, "hiv-sc-own", **entered(p1l1_amount="9", beyond_reason="trial"))
    assert answer.context["outlook"].daily_total == 18


@pytest.mark.parametrize(("amount", "daily"), [("6", 12), ("4,5", 9), ("7.5", 15)])
def test_the_ladder_of_amounts_raises_no_question(client, cast, amount, daily):
    """M7: 2 × 6 is a valid start."""
    answer = preview(client, cast, "hiv-sc-own", **entered(p1l1_amount=amount))
    assert answer.context["outlook"].daily_total == daily


# Looking ahead


def test_the_preview_shows_every_dose_and_every_blood_test_and_saves_nothing(client, cast):
    answer = preview(client, cast)
    text = answer.content.decode()
    outlook = answer.context["outlook"]
    assert (outlook.injections, outlook.daily_total, outlook.course_total) == (10, 15, 75)
    for words in (
        "75 million units in 10 injections",
        "Wednesday 25 November 2026",
        "Sunday 29 November 2026",
        "Wednesday 20 January 2027",  # the next course
        "Wednesday 6 January 2027 to Saturday 9 January 2027",  # blood before it
        "Wednesday 11 November 2026 to Saturday 14 November 2026",  # baseline
        "Sunday 27 December 2026",  # too soon until
        "Friday, Saturday, Sunday",
    ):
        assert words in text
    assert text.count("10am, 10pm") == 5
    assert not Plan.objects.exists()


def test_a_kidney_preview_promises_no_cd4_dates_and_no_hard_days(client, cast):
    answer = preview(client, cast, "kidney-5-week", **kidney())
    text = answer.content.decode()
    assert answer.context["outlook"].injections == 20
    assert answer.context["outlook"].course_total == 180
    assert "Week 4" in text
    assert "CD4" not in text
    assert "hardest" not in text


def test_weeks_left_empty_take_the_amount_of_the_first(client, cast):
    answer = preview(client, cast, "kidney-5-week", **kidney(p1l1_amount="18", p1l2_amount="9"))
    outlook = answer.context["outlook"]
    weeks = {day.week: day.each for day in outlook.days}
    assert weeks == {1: 18, 2: 9, 3: 18, 4: 18}


def test_going_back_keeps_what_was_entered(client, cast):
    client.force_login(cast.ben)
    answer = client.post(
        address("plan_new", cast.dan_patient, "hiv-sc-7-5"), entered(step="back", syringe_mark="second mark")
    )
    assert answer.context["form"]["syringe_mark"].value() == "second mark"
    assert not Plan.objects.exists()


# Saving


def test_saving_makes_version_1_signed_by_the_clinic_and_opens_the_first_course(client, cast):
    client.force_login(cast.ben)
    form = entered(step="save", cd4_goal="600", syringe_mark="second mark", late_after_hours="4")
    answer = client.post(address("plan_new", cast.dan_patient, "hiv-sc-7-5"), form)
    assert answer.url == address("plan", cast.dan_patient)
    plan = Plan.objects.get()
    version = plan.current_version
    assert (version.number, version.signed_by, version.signed_as) == (1, cast.ben, "clinic")
    assert version.signed_title == "Ben, nurse"
    assert (version.cd4_goal, version.syringe_mark, version.late_after) == (600, "second mark", timedelta(hours=4))
    assert (str(version.fever_above), version.fever_unit) == ("102.0", "F")
    cycle = plan.cycles.get()
    assert (cycle.number, str(cycle.starts_on), cycle.doses.count()) == (1, "2026-11-25", 10)
    assert {dose.amount for dose in cycle.doses.all()} == {Decimal("7.5")}
    assert "Ben, nurse" in client.get(answer.url).content.decode()


def test_a_plan_of_a_patient_alone_says_everywhere_who_made_it(client):
    """B6: it works, and is marked on every page."""
    lee = factories.lone_patient()
    client.force_login(lee.user)
    url = reverse("cycles:plan_new", args=["hiv-sc-4-5"])
    mark = "entered by you, not confirmed by a clinician"
    assert mark in client.post(url, entered()).content.decode()
    answer = client.post(url, entered(step="save"))
    assert answer.url == reverse("cycles:plan")
    plan = Plan.objects.get()
    assert plan.current_version.signed_as == "patient"
    assert mark in client.get(answer.url).content.decode()
    dose = plan.cycles.get().doses.first()
    assert "not confirmed by a clinician" in client.get(reverse("cycles:log", args=[dose.ref])).content.decode()


def test_a_course_that_has_begun_can_be_recorded_when_it_is_said_so(client, cast):
    client.force_login(cast.ben)
    form = entered(step="save", starts_on="2026-11-18", past="on")
    client.post(address("plan_new", cast.dan_patient, "hiv-sc-7-5"), form)
    assert list(Cycle.objects.order_by("number").values_list("starts_on", flat=True)) == [
        utc(2026, 11, 18).date(),
        utc(2027, 1, 13).date(),
    ]


def test_a_second_plan_is_refused_while_one_is_active(client, cast):
    factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label")
    client.force_login(cast.ben)
    assert "There is an active plan already." in client.get(address("plan_choose", cast.dan_patient)).content.decode()
    answer = client.post(address("plan_new", cast.dan_patient, "hiv-sc-7-5"), entered(step="save"))
    assert answer.status_code == 422
    assert "There is an active plan already." in answer.content.decode()
    assert Plan.objects.count() == 1


def test_pressing_save_twice_keeps_one_plan(client, cast):
    client.force_login(cast.ben)
    for _press in range(2):
        client.post(address("plan_new", cast.dan_patient, "hiv-sc-7-5"), entered(step="save"))
    assert Plan.objects.count() == 1


# Reading


def test_without_a_plan_the_page_says_who_makes_it(client, cast):
    client.force_login(cast.dan)
    assert "Your clinic will add it." in client.get(reverse("cycles:plan")).content.decode()
    client.force_login(cast.ben)
    assert address("plan_choose", cast.dan_patient) in client.get(address("plan", cast.dan_patient)).content.decode()


def test_the_plan_is_shown_in_words_with_its_courses_and_source(client, cast):
    factories.plan(cast.anna_patient, cast.ben, cd4_goal=600)
    client.force_login(cast.anna)
    text = client.get(reverse("cycles:plan")).content.decode()
    for words in (
        "15 million units in 2 injections",
        "75 million units",
        "above 600 cells/mm³",
        "10am, 10pm",
        "Course 2",
        "A higher CD4 count shown here is not proof of protection.",
        "confirmed by a clinician",
    ):
        assert words in text
