"""The pages on which a plan changes and on which the patient reads what changed."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from cycles import course_actions, diffs, plan_actions, version_actions
from cycles.models import Plan, PlanVersion
from il2tracker.accounts import actions as accounts
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 3, 6, 12)  # day 3 of course 1
PAGES = ["plan", "plan_update"]
START, SECOND = date(2026, 3, 4), date(2026, 4, 29)  # O1


@pytest.fixture(autouse=True)
def third_day():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def plan(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW, cd4_goal=600)


def address(name, cast, query=""):
    return reverse(f"cycles:{name}", kwargs={"code": cast.anna_patient.code}) + query


def typed(client, cast, query=""):
    """What stands in the boxes, as a browser would send it."""
    client.force_login(cast.ben)
    form = client.get(address("plan_change", cast, query)).context["form"]
    values = {name: form[name].value() for name in form.fields}
    values["starts_on"] = f"{values['starts_on']:%Y-%m-%d}"
    return {name: value for name, value in values.items() if value not in (None, "", False)}


def client_form(client, cast):
    client.force_login(cast.ben)
    return client.get(address("plan_change", cast)).context["form"]


def send(client, cast, **changes):
    form = {**typed(client, cast), "change_reason": "severe tiredness", **changes}
    return client.post(address("plan_change", cast), form)


# Looking


def test_the_version_in_force_stands_in_the_boxes(client, cast, plan):
    form = typed(client, cast)
    assert (form["p1l1_amount"], form["p1_days"], form["starts_on"]) == ("7.5", "56", "2026-04-29")
    assert (form["time_am"], form["time_pm"], form["cd4_goal"], form["base_number"]) == ("10am", "10pm", 600, 1)
    assert "change_reason" not in form


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?daily=12&advice=DOSE-1", {"p1l1_amount": "6", "starts_on": "2026-04-29"}),
        ("?interval=84&after=1&advice=INT-1", {"p1_days": "84", "starts_on": "2026-04-29"}),
        ("?interval=84", {"p1_days": "84", "starts_on": "2026-05-27"}),
        ("?daily=lots&interval=-3", {"p1l1_amount": "7.5", "p1_days": "56"}),
        ("?daily=NaN&interval=1e9", {"p1l1_amount": "7.5", "p1_days": "56"}),
    ],
)
def test_a_suggestion_fills_in_boxes_and_saves_nothing(client, cast, plan, query, expected):
    """D7, P48: opening is not accepting."""
    form = typed(client, cast, query)
    assert {name: form[name] for name in expected} == expected
    text = client.get(address("plan_change", cast, query)).content.decode()
    assert ("Filled in from the suggestion" in text) is ("advice" in query)
    assert PlanVersion.objects.count() == 1


def test_no_words_of_a_stranger_get_onto_the_page_through_the_address(client, cast, plan):
    client.force_login(cast.ben)
    assert "double the dose" not in client.get(address("plan_change", cast, "?advice=double the dose")).content.decode()


@pytest.mark.one_database
def test_without_a_plan_there_is_nothing_to_change(client, cast):
    client.force_login(cast.ben)
    for name in ("plan_change", "plan_update", "plan_earlier"):
        assert client.get(address(name, cast)).status_code == 404


# Changing


def test_both_versions_and_every_dose_are_shown_before_signing(client, cast, plan):
    answer = send(client, cast, p1l1_amount="6")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert [str(change) for change in answer.context["changes"]] == [
        "Each injection: 6 million units instead of 7.5 million units",
        "A day, at most: 12 million units instead of 15 million units",
        "A course: 60 million units instead of 75 million units",
    ]
    for words in ("Every injection of course 2", "Wednesday 29 April 2026", "Course 1 does not change."):
        assert words in text
    assert answer.context["outlook"].injections == 10
    assert [test.course for test in answer.context["outlook"].bloodwork] == [2, 3]
    assert PlanVersion.objects.count() == 1


@pytest.mark.parametrize(("minutes", "shown"), [(90, "1.5"), (150, "2.5"), (200, "3.33"), (180, "3")])
def test_a_late_limit_that_is_no_whole_hour_stays_as_it_is(client, cast, minutes, shown):
    """B8: another amount changes the amount and nothing else."""
    facts = {"starts_on": START, "now": NOW, "late_after_minutes": minutes}
    plan = factories.plan(cast.anna_patient, cast.ben, **facts)
    form = client_form(client, cast)
    assert str(form["late_after_hours"].value()) == shown
    send(client, cast, p1l1_amount="6", late_after_hours=shown, step="save")
    before, after = plan.versions.order_by("number")
    assert after.late_after_minutes == minutes
    assert "Late without a call for" not in {change.name for change in diffs.changes(before, after, "24")}


def test_half_an_hour_of_the_late_limit_is_said(cast, plan):
    """B8."""
    before = plan.current_version
    facts = {field.name: getattr(before, field.name) for field in PlanVersion._meta.concrete_fields}
    after = PlanVersion(**{**facts, "id": None, "late_after_minutes": 150})
    assert [str(change) for change in diffs.changes(before, after, "24")] == ["Late without a call for: 2.5 hours, new"]


def test_medicines_that_a_browser_sends_back_as_they_stood_are_no_change(client, cast):
    """A browser ends the lines of a box with two characters."""
    factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW, premedication="ibuprofen\ncetirizine")
    answer = send(client, cast, p1l1_amount="6", premedication=" ibuprofen \r\n\r\ncetirizine\r\n", step="save")
    assert answer.status_code == 302
    assert Plan.objects.get().current_version.premedication == "ibuprofen\ncetirizine"
    before, after = Plan.objects.get().versions.order_by("number")
    assert "Medicines with the injections" not in {change.name for change in diffs.changes(before, after, "24")}


def test_a_volume_is_only_shown_as_the_nurse_marked_the_syringe(client, cast, plan):
    """O8, H28: a number of millilitres stands nowhere alone."""
    text = " ".join(send(client, cast, concentration="18").content.decode().split())
    assert "≈ 0.42 mL" in text
    assert text.count("≈") == text.count("as the nurse marked the syringe") == 1


def test_what_is_signed_is_what_was_shown(client, cast, plan):
    answer = send(client, cast, p1l1_amount="6", step="save")
    assert answer.url == address("plan", cast)
    version = Plan.objects.get().current_version
    assert (version.number, version.first_course, version.change_reason) == (2, 2, "severe tiredness")
    assert (version.cd4_goal, str(version.fever_above), version.fever_unit) == (600, "102.0", "F")
    assert {str(dose.amount) for dose in plan.cycles.get(number=2).doses.all()} == {"6.000"}


def test_going_back_keeps_what_was_entered(client, cast, plan):
    answer = send(client, cast, p1l1_amount="6", step="back")
    assert answer.context["form"]["p1l1_amount"].value() == "6"
    assert PlanVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({}, "__all__", "Nothing is different from the plan as it is."),
        ({"p1l1_amount": "6", "change_reason": ""}, "change_reason", "Say why the plan changes."),
        ({"p1l1_amount": ""}, "p1l1_amount", "Enter the amount in million units."),
        ({"p1l1_amount": "60"}, "p1l1_amount", "Did you mean 6 million units?"),
        ({"p1l1_amount": "15"}, "p1l1_amount", "Is it the amount of a whole day?"),
        ({"p1l1_amount": "3"}, "beyond_reason", "less than was studied: 9 million units at least"),
        ({"starts_on": "2026-03-06"}, "starts_on", "This day has passed or is today."),
        ({"starts_on": "2026-03-07", "p1l1_amount": "6", "step": "save"}, "__all__", "This date overlaps course 1."),
        ({"p1_repeat": "1"}, "p1_repeat", "ends with course 1, and the change begins with course 2."),
        ({"late_after_hours": "1"}, "late_after_hours", "Enter 2 to 24 hours."),
        ({"late_after_hours": "25"}, "late_after_hours", "Enter 2 to 24 hours."),
        ({"p1_days": "4"}, "p1l1_days", "Day 5 lies outside: the next course starts after 4 days."),
    ],
)
def test_bad_input_is_answered_and_nothing_is_half_saved(client, cast, plan, changes, field, words):
    answer = send(client, cast, **changes)
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert PlanVersion.objects.count() == 1
    assert plan.cycles.get(number=2).starts_on == SECOND


def test_two_who_change_at_once_see_both_versions(client, cast, plan):
    """The second keeps his entries, sees the other's, and nothing of his is saved."""
    mine = {**typed(client, cast), "p1l1_amount": "4.5", "change_reason": "mine", "step": "save"}
    send(client, cast, p1l1_amount="6", step="save")
    answer = client.post(address("plan_change", cast), mine)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Two people changed this plan" in text
    assert str(answer.context["theirs"][0]).startswith("Each injection: 6 million")
    assert str(answer.context["yours"][0]).startswith("Each injection: 4.5 million")
    assert PlanVersion.objects.count() == 2
    form = answer.context["form"]
    again = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "", False)}
    assert (again["p1l1_amount"], again["base_number"]) == ("4.5", "2")
    assert client.post(address("plan_change", cast), {**again, "step": "save"}).status_code == 302
    assert Plan.objects.get().current_version.number == 3


def test_a_course_that_began_meanwhile_is_not_changed(client, cast, plan):
    """B7: the page was opened before course 2, and is sent on its first day."""
    form = {
        **typed(client, cast),
        "p1l1_amount": "6",
        "change_reason": "late",
        "step": "save",
        "starts_on": "2026-07-01",
    }
    with time_machine.travel(utc(2026, 4, 29, 12), tick=False):
        client.force_login(cast.ben)
        plan_actions.open_next_cycle(plan=plan, today=SECOND)
        answer = client.post(address("plan_change", cast), form)
    assert answer.status_code == 422
    words = "A change now applies from course 3, planned from Wednesday 24 June 2026."
    assert words in answer.context["form"].non_field_errors()
    assert PlanVersion.objects.count() == 1
    assert {str(dose.amount) for dose in plan.cycles.get(number=2).doses.all()} == {"7.500"}


def test_the_plan_page_tells_what_each_version_changed_and_who_signed(client, cast, plan):
    send(client, cast, p1l1_amount="6", step="save")
    client.force_login(cast.anna)
    text = client.get(reverse("cycles:plan")).content.decode()
    for words in (
        "Each injection: 6 million units instead of 7.5 million units",
        "from course 2",
        "Reason given: severe tiredness",
        "This is the plan from course 2 on. The course before it stays on version 1.",
        "Ben, nurse",
    ):
        assert words in text


@pytest.mark.one_database
@pytest.mark.parametrize("name", ["plan", "plan_change", "plan_update", "plan_earlier"])
def test_a_page_asks_the_same_number_of_questions_however_long_the_history(
    client, cast, plan, name, django_assert_num_queries, django_assert_max_num_queries
):
    client.force_login(cast.ben)
    client.get(address(name, cast))
    with django_assert_max_num_queries(40) as before:
        client.get(address(name, cast))
    for number in range(1, 5):
        _sign(plan, cast, number, f"0{number}:00")
    with django_assert_num_queries(len(before.captured_queries)):
        client.get(address(name, cast))


@pytest.mark.one_database
def test_courses_that_somebody_decided_about_cost_the_plan_page_no_statement_each(
    client, cast, plan, django_assert_num_queries, django_assert_max_num_queries
):
    client.force_login(cast.ben)
    client.get(address("plan", cast))
    with django_assert_max_num_queries(40) as before:
        client.get(address("plan", cast))
    for _each in range(4):
        cycle = plan.cycles.order_by("-number").first()
        course_actions.cancel_cycle(by=cast.ben, cycle=cycle, reason="a journey")
        plan_actions.open_next_cycle(plan=plan, today=START)
    with django_assert_num_queries(len(before.captured_queries)):
        text = client.get(address("plan", cast)).content.decode()
    assert text.count("Decided by Ben") == 4


def _sign(plan, cast, number, hour):
    version = plan.versions.get(number=number)
    facts = {"base_number": number, "from_course": 2, "document": version.document, "now": NOW, "starts_on": SECOND}
    facts |= {"slot_times": {"am": hour, "pm": "22:00"}, "change_reason": "work"}
    return version_actions.change_plan(by=cast.ben, plan=plan, **facts)


def test_a_drip_may_be_followed_by_injections_under_the_skin(client, cast):
    """P60: a change of route; from then on the diary may ask at home."""
    lines = [{"days": "1-5", "slots": ["am"], "amount": "12"}]
    document = {"unit": "MIU", "phases": [{"repeat": None, "cycle_days": 56, "doses": lines}]}
    plan = factories.plan(cast.anna_patient, cast.ben, protocol="hiv-civ", starts_on=START, now=NOW, document=document)
    assert plan.current_version.inpatient
    send(client, cast, route="sc", p1l1_amount="9", step="save")
    version = Plan.objects.get().current_version
    assert (version.route, version.inpatient, plan.versions.get(number=1).inpatient) == ("sc", False, True)


def drip(cast, protocol, amount="18"):
    lines = [{"days": "1-5", "slots": ["am"], "amount": amount}]
    document = {"unit": "MIU", "phases": [{"repeat": None, "cycle_days": 56, "doses": lines}]}
    facts = {"protocol": protocol, "starts_on": START, "now": NOW, "document": document, "beyond_reason": "ward"}
    return factories.plan(cast.anna_patient, cast.ben, **facts)


@pytest.mark.parametrize(
    ("protocol", "amount", "most"),
    [
        ("kidney-civ", "30", "18 million units"),
        ("kidney-high-dose-iv", "54", "18 million units"),
        ("hiv-civ", "12", "9 million units"),
    ],
)
def test_no_amount_of_the_ward_goes_home_with_another_route(client, cast, protocol, amount, most):
    """W6, H04: under the skin an injection never holds more than 18 million units, 9 for HIV."""
    plan = drip(cast, protocol, amount)
    answer = send(client, cast, route="sc", beyond_reason="as on the ward", step="save")
    assert answer.status_code == 422
    assert f"is more than one injection of this treatment: {most}." in answer.context["form"].errors["p1l1_amount"][0]
    version = plan.current_version
    facts = {"base_number": 1, "from_course": 2, "document": version.document, "slot_times": version.slot_times}
    facts |= {"now": NOW, "starts_on": SECOND, "change_reason": "home", "beyond_reason": "as on the ward"}
    with pytest.raises(ValidationError, match="more than this treatment uses"):
        version_actions.change_plan(by=cast.ben, plan=plan, **facts, route="sc", inpatient=False)
    assert PlanVersion.objects.count() == 1


def test_a_day_under_the_skin_above_what_was_studied_there_asks_why_whatever_the_drip_held(client, cast):
    """W6: two injections of 15 are within a protocol for the ward and outside every study at home."""
    drip(cast, "kidney-civ")
    two = {"route": "sc", "p1l1_slots": ["am", "pm"], "p1l1_amount": "15", "time_pm": "10pm", "beyond_reason": ""}
    answer = send(client, cast, **two, step="save")
    assert answer.status_code == 422
    assert "18 million units" in answer.context["form"].errors["beyond_reason"][0]


def test_a_drip_stays_on_the_ward_even_where_a_caller_says_otherwise(cast):
    """P59, K07: nobody is reminded of a drip at home."""
    plan = drip(cast, "kidney-civ")
    version = plan.current_version
    facts = {"base_number": 1, "from_course": 2, "document": version.document, "slot_times": version.slot_times}
    facts |= {"now": NOW, "starts_on": SECOND, "change_reason": "home", "route": "civ", "inpatient": False}
    assert version_actions.change_plan(by=cast.ben, plan=plan, **facts).inpatient


# Reading


def test_the_patient_reads_and_confirms(client, cast, plan):
    send(client, cast, p1l1_amount="6", step="save")
    client.force_login(cast.anna)
    assert "Your plan has an update to read." in client.get(reverse("today:home")).content.decode()
    text = client.get(reverse("cycles:plan_update")).content.decode()
    assert "From course 2, on Wednesday 29 April 2026" in text
    assert "Each injection: 6 million units instead of 7.5 million units" in text
    assert "Only your team changes your dose." in text
    assert client.post(reverse("cycles:plan_update"), {"number": "2"}).url == reverse("cycles:plan")
    assert "Your plan has an update to read." not in client.get(reverse("today:home")).content.decode()
    client.force_login(cast.ben)
    assert "Read by Anna on Friday 6 March 2026" in client.get(address("plan", cast)).content.decode()


def test_the_next_injection_under_the_new_version_leads_to_it(client, cast, plan):
    send(client, cast, p1l1_amount="6", step="save")
    client.force_login(cast.anna)
    now, then = plan.cycles.get(number=1).doses.first(), plan.cycles.get(number=2).doses.first()
    words = "Your plan has changed from this course on."
    assert words not in client.get(reverse("cycles:log", args=[now.ref])).content.decode()
    assert words in client.get(reverse("cycles:log", args=[then.ref])).content.decode()


def test_a_reader_of_two_changes_reads_them_as_one(client, cast, plan):
    send(client, cast, p1l1_amount="6", step="save")
    send(client, cast, p1l1_amount="4.5", step="save")
    client.force_login(cast.anna)
    text = client.get(reverse("cycles:plan_update")).content.decode()
    assert "Each injection: 4.5 million units instead of 7.5 million units" in text


def test_only_the_version_that_was_shown_is_confirmed(client, cast, plan):
    """B7: the page shows version 2; version 3 is signed before "I have read it" arrives."""
    send(client, cast, p1l1_amount="6", step="save")
    client.force_login(cast.anna)
    assert 'name="number" value="2"' in client.get(reverse("cycles:plan_update")).content.decode()
    send(client, cast, p1l1_amount="4.5", step="save")
    client.force_login(cast.anna)
    answer = client.post(reverse("cycles:plan_update"), {"number": "2"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "The plan has changed again since you opened this page. Nothing is confirmed yet" in text
    assert "Each injection: 4.5 million units instead of 7.5 million units" in text
    assert not plan.versions.exclude(read_at=None).exists()
    assert client.post(reverse("cycles:plan_update"), {"number": "3"}).status_code == 302
    assert {version.read_by for version in plan.versions.filter(number__gt=1)} == {cast.anna}


@pytest.mark.parametrize("who", ["anna", "sam"])
def test_nobody_at_home_reads_amounts_while_a_course_waits(client, cast, plan, who):
    """R29: not on the plan, not in its history, not as an update; the clinic goes on seeing all of it."""
    send(client, cast, p1l1_amount="6", step="save")
    factories.hold(cast.ben, plan.cycles.get(number=1), now=NOW)
    client.force_login(getattr(cast, who))
    pages = [client.get(address(name, cast) if who == "sam" else reverse(f"cycles:{name}")) for name in PAGES]
    for page in pages:
        assert page.status_code == 200
        assert "on hold" in page.content.decode()
        assert "million units" not in page.content.decode().split('id="source-h"')[0]
    url = address("plan_update", cast) if who == "sam" else reverse("cycles:plan_update")
    assert client.post(url, {"number": "2"}).status_code == 422
    assert plan.versions.get(number=2).read_at is None
    client.force_login(cast.ben)
    assert all("million units" in client.get(address(name, cast)).content.decode() for name in PAGES)


def test_the_clinic_sees_the_update_and_does_not_confirm_it(client, cast, plan):
    send(client, cast, p1l1_amount="6", step="save")
    text = client.get(address("plan_update", cast)).content.decode()
    assert "The patient has not confirmed having read it." in text
    assert "I have read it" not in text
    assert client.post(address("plan_update", cast)).status_code == 403


# Signing for the clinic


def test_a_plan_from_before_the_clinic_is_signed_as_it_is(client, cast):
    """B6."""
    lee = factories.lone_patient()
    factories.plan(lee, lee.user, starts_on=START, now=NOW)
    accounts.share_with_clinic(by=lee.user, patient=lee, clinic=cast.north)
    client.force_login(cast.ben)
    url = reverse("cycles:plan", kwargs={"code": lee.code})
    assert "Sign for the clinic, or change the plan" in client.get(url).content.decode()
    change = reverse("cycles:plan_change", kwargs={"code": lee.code})
    form = client.get(change).context["form"]
    values = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "", False)}
    values |= {"starts_on": f"{values['starts_on']:%Y-%m-%d}", "change_reason": "looked through and signed"}
    assert "Nothing changes. Signing confirms the plan for your clinic." in client.post(change, values).content.decode()
    client.post(change, {**values, "step": "save"})
    assert Plan.objects.get().current_version.is_confirmed
    assert "confirmed by a clinician" in client.get(url).content.decode()


# Words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slot_times": {"am": "09:00", "pm": "21:00"}}, "Times: 9am, 9pm instead of 10am, 10pm"),
        ({"cd4_goal": None}, "CD4+ goal: no longer (above 600 cells/mm³)"),
        ({"cd4_goal": 200, "goal_kind": "rise"}, "CD4+ goal: more than 200 cells/mm³ above the baseline instead of"),
        ({"min_gap_hours": 10}, "Shortest time between two injections: 10 hours, new"),
        ({"fever_above": 39, "fever_unit": "C"}, "Fever: call: over 39\N{NO-BREAK SPACE}°C"),
        ({"premedication": "ibuprofen\ncetirizine"}, "Medicines with the injections: ibuprofen and cetirizine, new"),
        ({"days": 84}, "Courses: a course every 12 weeks, until somebody ends the plan instead of"),
        ({"last": "1-4"}, "Days of injections: days 1 to 4, morning and evening instead of days 1 to 5"),
    ],
)
def test_a_change_is_said_in_words(cast, plan, changes, words):
    before = plan.current_version
    document = {**before.document}
    phase = {**document["phases"][0], "cycle_days": changes.pop("days", 56)}
    phase["doses"] = [{**phase["doses"][0], "days": changes.pop("last", "1-5")}]
    facts = {
        field.name: getattr(before, field.name) for field in PlanVersion._meta.concrete_fields if field.name != "id"
    }
    after = PlanVersion(**{**facts, "document": {**document, "phases": [phase]}, **changes})
    assert words in [str(change)[: len(words)] for change in diffs.changes(before, after, "12")]


def test_the_same_version_differs_in_nothing(plan):
    assert diffs.changes(plan.current_version, plan.current_version, "24") == []


def test_a_longer_interval_of_a_year_is_said_in_weeks(client, cast, plan):
    """P12."""
    answer = send(client, cast, p1_days="364")
    assert "a course every 52 weeks" in answer.content.decode()
    assert answer.context["outlook"].next_start == SECOND + timedelta(days=364)
