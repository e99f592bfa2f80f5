"""Changing what a plan has set going: only for those who prescribe, always with a reason that the patient reads."""

from datetime import date

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.urls import reverse

from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 21, 12)  # a Saturday, day 4 of course 1


@pytest.fixture(autouse=True)
def saturday_noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def plan(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 11, 18), now=NOW)


@pytest.fixture
def running(plan):
    return plan.cycles.get(number=1)


@pytest.fixture
def coming(plan):
    """Starts on 13 January 2027."""
    return plan.cycles.get(number=2)


@pytest.fixture
def ben(client, cast):
    client.force_login(cast.ben)
    return client


def url(name, row):
    return reverse(f"cycles:{name}", args=[row.ref])


def said(answer):
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def save(client, name, row, **form):
    """The course or plan as it is after a save, and what was said."""
    answer = client.post(url(name, row), form)
    assert answer.status_code == 302, answer.context["form"].errors
    row.refresh_from_db()
    return said(answer)


def errors(client, name, row, **form):
    answer = client.post(url(name, row), form)
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    return answer.context["form"].errors


def page(client, user, path):
    client.force_login(user)
    return client.get(path).content.decode()


# The course to come


def test_the_plan_leads_those_who_prescribe_to_what_can_be_changed(ben, cast, plan, running, coming):
    links = [url("course_change", coming), url("course_stop", running), url("plan_end", plan)]
    clinic = reverse("cycles:plan", kwargs={"code": cast.anna_patient.code})
    text = ben.get(clinic).content.decode()
    assert all(link in text for link in links)
    assert url("course_change", running) not in text
    own = page(ben, cast.anna, reverse("cycles:plan"))
    assert not any(link in own for link in links)


def test_a_course_to_come_is_given_another_first_day(ben, coming):
    words = save(ben, "course_change", coming, what="move", starts_on="2027-01-20", reason="holiday")
    assert words == "Course 2 now starts on Wednesday 20 January 2027."
    assert (coming.starts_on, coming.state, coming.reason) == (date(2027, 1, 20), "planned", "holiday")
    assert coming.doses.first().due_at == utc(2027, 1, 20, 10)


@pytest.mark.parametrize(("what", "state"), [("hold", "held"), ("cancel", "cancelled")])
def test_a_course_to_come_is_held_or_left_out(ben, coming, what, state):
    save(ben, "course_change", coming, what=what, kind="infection", reason="infection")
    assert (coming.state, coming.reason) == (state, "infection")


def test_a_held_course_is_given_a_day_again_also_after_its_day_has_passed(ben, cast, coming):
    hold = factories.hold(cast.ben, coming, "infection")
    with time_machine.travel(utc(2027, 2, 1, 12), tick=False):
        ben.force_login(cast.ben)
        text = ben.get(url("course_change", coming)).content.decode()
        save(ben, "course_change", coming, what="move", starts_on="2027-02-10", reason="better", holds=hold.ref)
    assert "It is on hold." in text
    assert "Ben, Saturday 21 November 2026, midday" in " ".join(text.split())
    assert "A new first day lifts every hold named here, for every course." in text
    assert (coming.state, coming.starts_on) == ("planned", date(2027, 2, 10))


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"reason": "holiday"}, "what", "Choose what to change"),
        ({"what": "hold", "kind": "fatigue"}, "reason", "Give the reason"),
        ({"what": "hold", "reason": "a"}, "kind", "Choose why the course waits"),
        ({"what": "move", "reason": "a"}, "starts_on", "Enter the new first day"),
        ({"what": "move", "reason": "a", "starts_on": "2026-11-20"}, "starts_on", "has passed"),
        ({"what": "move", "reason": "a", "starts_on": "2027-12-01"}, "starts_on", "more than a year"),
        ({"what": "move", "reason": "a", "starts_on": "0001-01-01"}, "starts_on", "Check the year"),
        ({"what": "move", "reason": "a", "starts_on": "2026-11-22"}, "__all__", "overlaps course 1"),
    ],
)
def test_a_half_decision_is_refused_in_words(ben, coming, form, field, words):
    assert words in str(errors(ben, "course_change", coming, **form)[field])
    coming.refresh_from_db()
    assert (coming.starts_on, coming.state) == (date(2027, 1, 13), "planned")


def test_a_course_that_has_started_is_not_changed(ben, cast, running):
    answer = ben.post(url("course_change", running), {"what": "cancel", "reason": "rash"})
    assert answer.url == reverse("cycles:plan", kwargs={"code": cast.anna_patient.code})
    running.refresh_from_db()
    assert running.state == "planned"


# The course that runs


@pytest.mark.parametrize(
    ("form", "last"),
    [
        ({"when": "now"}, date(2026, 11, 20)),
        ({"when": "today"}, date(2026, 11, 21)),
        ({"when": "earlier", "last_on": "2026-11-19"}, date(2026, 11, 19)),
    ],
)
def test_a_course_that_runs_is_stopped(ben, running, form, last):
    assert save(ben, "course_stop", running, reason="rash", **form) == "Course 1 is stopped."
    assert (running.state, running.stopped_on, running.reason) == ("stopped_early", last, "rash")


def test_after_a_stop_right_now_today_asks_for_no_injection_and_says_who_decided(ben, cast, running):
    save(ben, "course_stop", running, when="now", reason="rash")
    text = " ".join(page(ben, cast.anna, "/").split())
    assert "Course 1 was stopped early." in text
    assert "Decided by Ben on Saturday 21 November 2026 at midday. Reason given: rash" in text
    assert "Record this injection" not in text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"reason": "rash"}, "when"),
        ({"when": "now"}, "reason"),
        ({"when": "earlier", "reason": "rash"}, "last_on"),
        ({"when": "earlier", "reason": "rash", "last_on": "2026-11-17"}, "last_on"),
        ({"when": "earlier", "reason": "rash", "last_on": "2026-11-21"}, "last_on"),
    ],
)
def test_a_half_stop_is_refused_in_words(ben, running, form, field):
    assert list(errors(ben, "course_stop", running, **form)) == [field]


def test_a_course_to_come_is_not_stopped(ben, coming):
    assert ben.get(url("course_stop", coming)).status_code == 302


# The plan


def test_a_plan_is_ended_with_its_reason_and_everything_recorded_stays(ben, cast, plan, running, coming):
    record = factories.injection(cast.anna_patient, cast.anna, running.doses.first()).injection
    assert "What stays:" in ben.get(url("plan_end", plan)).content.decode()
    assert "stays" in save(ben, "plan_end", plan, reason="moved away")
    states = list(plan.cycles.order_by("number").values_list("state", flat=True))
    assert (plan.ended_on, states) == (NOW.date(), ["stopped_early", "cancelled"])
    record.refresh_from_db()
    assert record.voided_at is None
    assert "Reason given: moved away" in page(ben, cast.anna, "/")
    assert "The plan ended on Saturday 21 November 2026." in page(ben, cast.anna, reverse("cycles:plan"))


def test_a_plan_does_not_end_without_a_reason_and_not_twice(ben, cast, plan):
    assert "reason" in errors(ben, "plan_end", plan, reason="")
    save(ben, "plan_end", plan, reason="moved away")
    assert ben.post(url("plan_end", plan), {"reason": "again"}).status_code == 302
    plan.refresh_from_db()
    assert plan.end_reason == "moved away"


def test_a_patient_without_a_clinic_decides_alone(client):
    lee = factories.lone_patient()
    plan = factories.plan(lee, lee.user, starts_on=date(2026, 11, 25), now=NOW)
    client.force_login(lee.user)
    save(client, "course_change", plan.cycles.get(), what="hold", kind="infection", reason="cold")
    assert "Course 1 is on hold: an infection" in client.get("/").content.decode()
