"""The page of choices: which mails come, how early, and when none comes; for patients, for helpers, for a clinic."""

import html
import re
import threading
from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import Client

from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import User
from il2tracker.audit.models import AuditEvent
from il2tracker.reminders import actions, facts, forms, kinds
from il2tracker.reminders.actions import Habits
from il2tracker.reminders.models import Delivery, Preference
from il2tracker.reminders.wishes import Quiet
from tests import factories
from tests.factories import Cast

pytestmark = pytest.mark.django_db
PAGE = "/settings/reminders/"
HOURS = {"quiet_from": "10pm", "quiet_to": "7am", "doses_pass": "on", "most_per_day": "8"}
PATIENT = {
    "shown": "injections before feel plan hours",
    "lead_minutes": "15",
    "after_minutes": "60",
    **dict.fromkeys(kinds.SWITCHES, "on"),
    **HOURS,
}


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def anna(client: Client, cast: Cast) -> Client:
    client.force_login(cast.anna)
    return client


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def headings(page: str) -> list[str]:
    return [html.unescape(words) for words in re.findall(r"<legend><h2>(.*?)</h2>", page)]


def without(*names: str, **others: str) -> dict[str, Any]:
    return {name: value for name, value in {**PATIENT, **others}.items() if name not in names}


# What the page shows


def test_at_first_everything_is_on_and_the_numbers_are_those_of_the_start(anna: Client) -> None:
    page = anna.get(PAGE).content.decode()
    assert page.count("checked") == len(kinds.SWITCHES) - len(kinds.OFF_AT_FIRST) + 1
    assert '<option value="15" selected>15 minutes before</option>' in page
    assert '<option value="60" selected>60 minutes after</option>' in page
    assert '<option value="8" selected>8</option>' in page
    assert re.search(r'name="quiet_from" value="10pm"', page)
    assert re.search(r'name="quiet_to" value="7am"', page)
    assert headings(page) == ["Injections", "Before a course", "How you are", "My plan", "Quiet hours and how many"]
    assert "All of them on is a good start" in page


def test_what_waits_in_quiet_hours_and_what_counts_towards_the_most_is_said_as_it_is(anna: Client) -> None:
    page = " ".join(html.unescape(anna.get(PAGE).content.decode()).split())
    assert "In quiet hours mails about a day wait, and come when the hours are over." in page
    assert "mails wait, and come" not in page
    assert "Account mails and test mails come besides." in page
    assert "that person’s clock" not in page


def test_a_helper_reads_whose_clock_the_hours_are_on(cast: Cast) -> None:
    page = " ".join(html.unescape(signed_in(cast.sam).get(PAGE).content.decode()).split())
    assert "For mails about somebody you help, these hours and the day count on that person’s clock." in page
    assert "mails about a day wait" not in page


def test_hours_are_written_on_the_readers_own_clock(anna: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.anna.pk).update(clock="24")
    assert 'name="quiet_from" value="22:00"' in anna.get(PAGE).content.decode()


def test_a_helper_sees_the_one_switch_for_helpers_and_the_quiet_hours(cast: Cast) -> None:
    page = signed_in(cast.sam).get(PAGE).content.decode()
    assert headings(page) == ["Somebody I help", "Quiet hours and how many"]
    assert "lets you be told" in page
    assert "injection_due" not in page
    assert "mails about a day wait" not in page  # nothing that a helper gets ever waits


def test_a_clinician_chooses_the_summary_and_reads_that_urgent_reports_always_come(cast: Cast) -> None:
    page = signed_in(cast.ben).get(PAGE).content.decode()
    assert headings(page) == ["My clinic"]
    assert re.findall(r'name="(digest\w*)"', page) == ["digest", "digest_empty"]
    assert 'name="to_call"' in page
    assert "urgent reports cannot be switched off here" in page


def test_a_clinician_who_is_a_patient_elsewhere_and_helps_somebody_sees_it_all(cast: Cast) -> None:
    accounts.create_patient(by=cast.ben, user=cast.ben, team_phone="020 7946 0100", emergency_phone="999")
    accounts.share_with_person(by=cast.anna, patient=cast.anna_patient, person=cast.ben)
    page = signed_in(cast.ben).get(PAGE).content.decode()
    assert headings(page) == [str(group.heading) for group in forms.GROUPS]


def test_who_gets_no_reminders_has_no_such_page(cast: Cast) -> None:
    assert signed_in(cast.eve).get(PAGE).status_code == 404
    assert signed_in(cast.eve).post(PAGE, PATIENT).status_code == 404
    assert Client().get(PAGE)["Location"].startswith("/sign-in/")


def test_a_helper_whose_permission_has_ended_has_no_such_page(cast: Cast) -> None:
    accounts.stop_sharing(by=cast.anna, sharing=cast.anna_patient.sharings.get(person=cast.sam))
    assert signed_in(cast.sam).get(PAGE).status_code == 404


def test_every_switch_that_there_is_stands_on_the_page() -> None:
    shown = [name for group in forms.GROUPS for name in group.fields]
    assert set(shown) >= set(kinds.ALL_SWITCHES)
    assert len(shown) == len(set(shown))


# What is chosen


def test_what_is_chosen_is_kept_shown_and_written_down(anna: Client, cast: Cast) -> None:
    chosen = without("cycle_week", "doses_pass", lead_minutes="60", after_minutes="30", most_per_day="4")
    answer = anna.post(PAGE, {**chosen, "quiet_from": "21:30", "quiet_to": "6.30am"}, follow=True)
    page, me = answer.content.decode(), cast.anna.pk
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "Your reminders are saved." in page
    assert page.count("checked") == len(kinds.SWITCHES) - 1
    choices = facts.choices(me)
    assert choices.off == {(me, "cycle_week")}
    assert (choices.leads, choices.afters, choices.caps) == ({me: 60}, {me: 30}, {me: 4})
    assert choices.quiets == {me: Quiet(time(21, 30), time(6, 30), doses_pass=False)}
    for shown in ('value="9:30pm"', 'value="6:30am"', '<option value="60" selected>', '<option value="4" selected>'):
        assert shown in page
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.patient_ref) == ("reminders.preferences.chosen", cast.anna_patient.ref)


def test_equal_hours_mean_no_quiet_hours(anna: Client, cast: Cast) -> None:
    anna.post(PAGE, {**PATIENT, "quiet_from": "midnight", "quiet_to": "midnight"})
    quiet = facts.choices(cast.anna.pk).quiet(cast.anna.pk)
    assert quiet.until(factories.utc(2026, 11, 21, 23), cast.anna_patient.zone) is None


def test_another_persons_choices_are_left_alone(anna: Client, cast: Cast) -> None:
    dans = Preference.objects.create(user=cast.dan, kind=kinds.INJECTION_DUE, lead_minutes=45)
    Delivery.objects.create(user=cast.dan, most_per_day=9)
    anna.post(PAGE, without(*kinds.SWITCHES, most_per_day="6"))
    kept = Preference.objects.get(pk=dans.pk)
    assert (kept.user, kept.is_on, kept.lead_minutes) == (cast.dan, True, 45)
    assert set(Preference.objects.exclude(pk=kept.pk).values_list("user", flat=True)) == {cast.anna.pk}
    assert dict(Delivery.objects.values_list("user", "most_per_day")) == {cast.anna.pk: 6, cast.dan.pk: 9}


def test_a_helper_and_a_clinician_switch_theirs_off(cast: Cast) -> None:
    signed_in(cast.sam).post(PAGE, {"shown": "carer hours", **HOURS, "most_per_day": "6"})
    signed_in(cast.ben).post(PAGE, {"shown": "clinic", "to_call": "on", "digest": "on"})
    assert facts.choices().off == {(cast.sam.pk, "carer_missing"), (cast.ben.pk, "digest_empty")}
    assert facts.choices().caps == {cast.sam.pk: 6}
    assert not Delivery.objects.filter(user=cast.ben).exists()


def test_nobody_switches_what_is_not_theirs(cast: Cast) -> None:
    signed_in(cast.sam).post(PAGE, {**PATIENT, "shown": "injections before plan carer clinic hours"})
    assert set(Preference.objects.values_list("user", "kind")) == {(cast.sam.pk, "carer_missing")}


def test_what_was_not_on_the_page_when_it_was_loaded_stays_as_it_was(cast: Cast) -> None:
    """The permission came between the page and its answer: nobody unticked the switch for helpers."""
    page = signed_in(cast.dan).get(PAGE).content.decode()
    assert 'name="shown" value="injections before feel plan hours"' in page
    accounts.share_with_person(by=cast.anna, patient=cast.anna_patient, person=cast.dan)
    assert signed_in(cast.dan).post(PAGE, PATIENT).status_code == 302
    assert not Preference.objects.filter(kind="carer_missing").exists()


# What cannot be saved


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        *(({"lead_minutes": lead}, "Choose how early.") for lead in ("", "7", "-15", "soon", "15.0")),
        *(({"after_minutes": after}, "Choose when.") for after in ("", "45", "0")),
        *(({"most_per_day": most}, "Choose a number.") for most in ("", "5", "100")),
        ({"quiet_from": ""}, "Enter the time."),
        ({"quiet_to": "late"}, "Write the time like 9:40pm or 21:40."),
        ({"quiet_to": "7:30"}, "Write 7:30am or 7:30pm."),
        ({"shown": ""}, "Load this page again: nothing came with it."),
        ({"shown": "nonsense"}, "Load this page again: nothing came with it."),
    ],
)
def test_bad_input_is_refused_in_words_and_what_was_entered_is_still_there(
    anna: Client, wrong: dict[str, str], words: str
) -> None:
    sent = without("cycle_day", "doses_pass", quiet_from="9:15pm")
    answer = anna.post(PAGE, {**sent, **wrong})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert page.count(words) == (1 if "shown" in wrong else 2)
    assert page.count("checked") == len(kinds.SWITCHES) - 1
    assert 'value="9:15pm"' in page or "quiet_from" in wrong
    assert not Preference.objects.exists()
    assert not Delivery.objects.exists()


def test_all_is_saved_or_nothing(cast: Cast) -> None:
    habits = Habits(time(22), time(7), doses_pass=True, most_per_day=-1)
    with pytest.raises(ValidationError):
        actions.choose(by=cast.anna, switches=dict.fromkeys(kinds.SWITCHES, False), habits=habits)
    assert not Preference.objects.exists()
    assert not AuditEvent.objects.filter(action="reminders.preferences.chosen").exists()


def test_a_switch_alone_leaves_minutes_and_hours_as_they_are(cast: Cast) -> None:
    habits = Habits(time(21), time(6), doses_pass=False, most_per_day=4)
    switches = dict.fromkeys(kinds.SWITCHES, True)
    actions.choose(by=cast.anna, switches=switches, lead_minutes=60, after_minutes=30, habits=habits)
    actions.choose(by=cast.anna, switches={"injection_due": False, "injection_missing": False})
    choices, me = facts.choices(cast.anna.pk), cast.anna.pk
    assert (choices.leads, choices.afters, choices.caps) == ({me: 60}, {me: 30}, {me: 4})
    assert choices.off == {(me, "injection_due"), (me, "injection_missing")}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("who", "lock"),
    [
        ("anna", lambda cast: cast.anna_patient.lock()),
        ("sam", lambda cast: cast.anna_patient.lock()),
        ("ben", lambda cast: User.objects.select_for_update(no_key=True).get(pk=cast.ben.pk)),
    ],
)
def test_a_choice_waits_for_the_last_look_at_a_mail_that_is_leaving(
    cast: Cast, who: str, lock: Callable[[Cast], Any]
) -> None:
    """A2: a sender holds this lock between the look at the choices and the mark, so no mark comes after the choice."""

    def choose() -> None:
        actions.choose(by=getattr(cast, who), switches={"carer_missing": False})
        connection.close()

    chooser = threading.Thread(target=choose)
    with transaction.atomic():
        lock(cast)
        chooser.start()
        chooser.join(0.7)
        assert chooser.is_alive()
    chooser.join(20)
    assert facts.choices().off == {(getattr(cast, who).pk, "carer_missing")}
