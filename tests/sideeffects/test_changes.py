"""A check-in that is put right: its history stays, the rules speak again, no alert is dismissed or lowered."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from il2tracker.accounts import actions as accounts
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.audit.models import AuditEvent
from sideeffects import story
from sideeffects.actions import Answers, record_check_in, said
from sideeffects.change_actions import change_check_in
from sideeffects.models import CheckIn, SymptomReport
from sideeffects.units import Pressure, parse_pressure, parse_temperature, parse_weight
from tests import factories

pytestmark = pytest.mark.django_db

SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def anna(cast, client):
    client.force_login(cast.anna)
    return client


def of(temperature="", **answers):
    if temperature:
        answers |= {"temperature": parse_temperature(temperature), "temperature_typed": temperature}
    answers["flags"] = frozenset(answers.get("flags", ()))
    return Answers(**answers)


def save(cast, by=None, ago=timedelta(hours=1), **answers):
    answers, now = of(**answers), timezone.now() - ago
    return record_check_in(
        by=by or cast.anna, patient=cast.anna_patient, key=uuid4(), answers=answers, now=now
    ).check_in


def change(cast, check_in, by=None, reason="", **answers):
    return change_check_in(
        by=by or cast.anna, check_in=check_in, answers=of(**answers), now=timezone.now(), reason=reason
    )


def raised(check_in):
    return sorted(check_in.alerts.values_list("rule", "tier"))


def text(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split()).replace(SPACE, " ")


# What is kept


def test_a_change_replaces_every_answer_and_keeps_the_old_ones_in_the_history(cast):
    check_in = save(cast, temperature="38.6", severities={"tired": 2, "itch": 1}, note="old", none_of_flags=True)
    new = {
        "none_of_flags": True,
        "temperature": "37.6",
        "severities": {"tired": 1, "nausea": 2},
        "weight": parse_weight("72.5", "kg"),
        "pressure": parse_pressure("120/80"),
        "stools": 0,
        "note": "new",
    }
    done = change(cast, check_in, reason="misread the thermometer", **new)
    check_in = CheckIn.objects.get()
    assert (done.changed, done.urgent) == (True, False)
    assert said(check_in) == of(**new)
    assert [row.temperature for row in check_in.history.order_by("history_date")] == [
        parse_temperature("38.6").value,
        parse_temperature("37.6").value,
    ]
    newest = check_in.history.latest()
    assert (newest.history_user, newest.history_change_reason) == (cast.anna, "misread the thermometer")
    gone = SymptomReport.history.get(history_type="-")
    assert (gone.symptom.code, gone.severity, gone.history_user) == ("itch", 1, cast.anna)


def test_the_moment_and_who_recorded_it_stay(cast):
    check_in = save(cast, by=cast.sam, none_of_flags=True)
    change(cast, check_in, note="later words")
    after = CheckIn.objects.get()
    assert (after.felt_at, after.recorded_by, after.recorded_at) == (check_in.felt_at, cast.sam, check_in.recorded_at)


def test_the_same_answers_again_change_nothing(cast):
    check_in = save(cast, temperature="38.40", severities={"tired": 2}, weight=parse_weight("72.50", "kg"))
    assert not change(
        cast, check_in, temperature="38.4 °C", severities={"tired": 2}, weight=parse_weight("72.5", "kg")
    ).changed
    assert check_in.history.count() == 1


def test_a_symptom_that_was_said_to_be_absent_stays_absent(cast):
    check_in = save(cast, severities={"tired": 2, "nausea": 0})
    change(cast, check_in, severities={"tired": 1})
    assert said(CheckIn.objects.get()).severities == {"tired": 1, "nausea": 0}


def test_a_change_is_audited_without_clinical_values(cast):
    change(cast, save(cast, none_of_flags=True), note="secret", reason="secret too")
    assert AuditEvent.objects.filter(action="sideeffects.check_in.changed").count() == 1
    assert "secret" not in "".join(event.detail for event in AuditEvent.objects.all())


def test_an_unfinished_one_is_finished_first(cast):
    check_in = save(cast, flags=["fainted"], unfinished={"temperature": ["hot"]})
    with pytest.raises(ValidationError, match="Finish"):
        change(cast, check_in, none_of_flags=True)


@pytest.mark.parametrize("who", ["sam", "ben", "carla", "dan", "eve"])
def test_nobody_else_changes_what_the_patient_wrote(cast, who):
    check_in = save(cast, none_of_flags=True)
    with pytest.raises(PermissionDenied):
        change(cast, check_in, by=getattr(cast, who), note="not mine")
    assert CheckIn.objects.get().note == ""


def test_a_carer_changes_his_own_entry_as_long_as_he_may_record(cast):
    check_in = save(cast, by=cast.sam, none_of_flags=True)
    assert change(cast, check_in, by=cast.sam, note="mine").changed
    accounts.stop_sharing(by=cast.anna, sharing=cast.anna_patient.sharings.get(person=cast.sam))
    with pytest.raises(PermissionDenied):
        change(cast, check_in, by=cast.sam, note="no longer mine")


# The rules speak again


def test_an_edit_that_takes_a_red_flag_back_leaves_its_alert_open_and_red(cast):
    check_in = save(cast, flags=["urine_less"])
    assert not change(cast, check_in, none_of_flags=True).urgent
    alert = Alert.objects.get()
    assert (alert.tier, alert.is_open, alert.closed_at) == ("RED", True, None)
    assert raised(check_in) == [("T2", "RED")]


@pytest.mark.parametrize("answer", ["mistake", "called"])
def test_an_answer_of_the_patient_and_an_edit_together_dismiss_nothing(cast, answer):
    check_in = save(cast, flags=["urine_less"])
    alerts.answer(by=cast.anna, alert=check_in.alerts.get(), answer=answer, now=timezone.now())
    change(cast, check_in, none_of_flags=True)
    assert Alert.objects.open().count() == 1


def test_an_edit_that_lowers_a_fever_leaves_the_alert_with_its_words(cast):
    check_in = save(cast, temperature="39.4")
    change(cast, check_in, temperature="37.4")
    assert Alert.objects.get().title.replace(SPACE, " ") == "Fever: 39.4 °C"


@pytest.mark.parametrize(
    ("first", "then", "new"),
    [
        ({"none_of_flags": True}, {"flags": ["chest_pain"]}, ("T1", "EMERGENCY")),
        ({"temperature": "37.0"}, {"temperature": "38.5"}, ("T5", "RED")),
        ({"temperature": "38.5"}, {"temperature": "39.5"}, ("T5", "RED")),
        ({"flags": ["palpitations"]}, {"flags": ["palpitations", "sore_leg"]}, ("T11", "RED")),
        ({"severities": {"tired": 1}}, {"severities": {"tired": 3}}, ("T13", "AMBER")),
        ({"severities": {"tired": 3}}, {"severities": {"tired": 3, "itch": 3}}, ("T13", "AMBER")),
    ],
)
def test_an_edit_that_says_more_is_told(cast, first, then, new):
    check_in = save(cast, **first)
    before = Alert.objects.count()
    done = change(cast, check_in, **then)
    newest = Alert.objects.latest("pk")
    assert Alert.objects.count() == before + 1
    assert (newest.rule, newest.tier) == new
    assert newest in check_in.alerts.all()
    assert done.urgent == (new[1] != "AMBER")


def test_an_edit_of_the_note_tells_nothing_again_however_the_alert_stands(cast):
    check_in = save(cast, flags=["urine_less"], severities={"tired": 3})
    change(cast, check_in, flags=["urine_less"], severities={"tired": 3}, note="one")
    for alert in Alert.objects.all():
        alerts.acknowledge(by=cast.ben, alert=alert, now=timezone.now())
    assert not change(cast, check_in, flags=["urine_less"], severities={"tired": 3}, note="two").urgent
    assert Alert.objects.count() == 2


def test_a_sign_that_was_taken_back_and_is_reported_again_is_told_again(cast):
    check_in = save(cast, none_of_flags=True)
    for flags in (["fainted"], [], ["fainted"]):
        for alert in Alert.objects.open():
            alerts.acknowledge(by=cast.ben, alert=alert, now=timezone.now())
        change(cast, check_in, flags=flags, none_of_flags=not flags)
    assert Alert.objects.filter(rule="T7").count() == 2
    assert Alert.objects.open().filter(rule="T7").count() == 1


def test_when_the_alert_cannot_be_raised_nothing_is_changed(cast, monkeypatch):
    check_in = save(cast, none_of_flags=True)

    def fails(**_facts):
        raise RuntimeError

    monkeypatch.setattr("sideeffects.raising.raise_alert", fails)
    with pytest.raises(RuntimeError):
        change(cast, check_in, flags=["fainted"])
    assert CheckIn.objects.get().flags == []


# The story


def test_the_story_shows_both_versions_and_nothing_that_stayed(cast):
    check_in = save(cast, temperature="38.6", severities={"tired": 2}, none_of_flags=True)
    change(cast, check_in, temperature="37.6", severities={"tired": 2, "itch": 1}, none_of_flags=True, stools=3)
    newest, first = story.of(CheckIn.objects.get())
    assert (first.what, first.changes) == ("Recorded", ())
    changes = {each.name: (each.old.replace(SPACE, " "), each.new.replace(SPACE, " ")) for each in newest.changes}
    assert changes == {
        "Temperature": ("38.6 °C", "37.6 °C"),
        "Symptoms": ("Tired (moderate)", "Itching (mild), Tired (moderate)"),
        "Measured": ("", "bowel movements in 24 hours: 3"),
    }


def test_the_story_follows_symptoms_through_several_changes(cast):
    check_in = save(cast, severities={"tired": 1})
    change(cast, check_in, severities={"itch": 2})
    change(cast, check_in, severities={"itch": 3, "tired": 1})
    steps = story.of(CheckIn.objects.get())
    shown = [[(each.old, each.new) for each in step.changes] for step in steps]
    assert shown == [
        [("Itching (moderate)", "Itching (severe), Tired (mild)")],
        [("Tired (mild)", "Itching (moderate)")],
        [],
    ]


def test_an_entry_that_was_never_changed_has_no_story(anna, cast):
    check_in = save(cast, none_of_flags=True)
    assert story.of(check_in) == []
    assert "What happened to this entry" not in text(anna.get(reverse("sideeffects:entry", args=[check_in.ref])))


# The page


def page_of(check_in, name="change"):
    return reverse(f"sideeffects:{name}", args=[check_in.ref])


def everything(cast):
    return save(
        cast,
        flags=["low_mood_worse"],
        temperature="101.5F",
        medicine="did_not",
        severities={"tired": 2, "hair_loss": 1},
        weight=parse_weight("160", "lb"),
        pressure=parse_pressure("95/60"),
        stools=0,
        note="a note",
    )


def form_of(page):
    """What a browser would send back."""
    html = page.content.decode()
    form = html[html.index('<form method="post" novalidate') : html.index("</form>")]
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        kind = re.search(r'type="(\w+)"', tag)
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if kind and kind[1] in {"checkbox", "radio"} and " checked" not in tag:
            continue
        empty = "on" if kind and kind[1] == "checkbox" else ""
        sent.setdefault(name[1], []).append(value[1] if value else empty)
    sent["note"] = [re.search(r"<textarea[^>]*>\s*(.*?)</textarea>", form, re.DOTALL)[1]]
    return sent


def test_the_form_is_filled_with_what_was_said_and_sent_as_it_stands_changes_nothing(anna, cast):
    check_in = everything(cast)
    answer = anna.post(page_of(check_in), form_of(anna.get(page_of(check_in))), follow=True)
    assert "Nothing is different." in text(answer)
    assert check_in.history.count() == 1


def test_a_change_leads_to_the_entry_with_both_versions(anna, cast):
    check_in = everything(cast)
    sent = form_of(anna.get(page_of(check_in))) | {"how_tired": "1", "pressure": "100/60", "reason": "Read it wrong"}
    page = anna.post(page_of(check_in), sent, follow=True)
    words = text(page)
    assert "Changed. What it said before stands below." in words
    assert "Changed (“Read it wrong”) at" in words
    assert "95/60 mmHg" in words
    assert "100/60 mmHg" in words
    assert CheckIn.objects.get().pressure == Pressure(100, 60)


def test_a_red_flag_that_is_ticked_in_a_change_interrupts(anna, cast):
    check_in = save(cast, none_of_flags=True)
    sent = form_of(anna.get(page_of(check_in))) | {"flags": "fainted", "none_of_flags": ""}
    answer = anna.post(page_of(check_in), sent)
    assert answer.headers["Location"] == page_of(check_in, "urgent")
    assert "020 7946" in text(anna.get(answer.headers["Location"]))


def test_a_red_flag_in_a_change_that_is_not_valid_is_a_check_in_of_its_own(anna, cast):
    check_in = save(cast, none_of_flags=True, temperature="37.0")
    answer = anna.post(page_of(check_in), {"key": str(uuid4()), "flags": "fainted", "temperature": "hot"})
    other = CheckIn.objects.newest_first().first()
    assert answer.headers["Location"] == page_of(other, "urgent")
    assert (other.flags, other.is_unfinished, other != check_in) == (["fainted"], True, True)
    assert other.felt_at == check_in.felt_at
    check_in.refresh_from_db()
    assert (check_in.flags, str(check_in.reading)) == ([], f"37{SPACE}°C")


@pytest.mark.parametrize(
    ("first", "then", "interrupts"),
    [
        ({"temperature": "38.3"}, {"temperature": "39.9"}, True),
        ({"temperature": "38.3"}, {"temperature": "38.3"}, False),
        ({"temperature": "38.3"}, {"temperature": "38.2"}, False),
        ({"severities": {"low_mood": 1}}, {"symptoms": "low_mood", "how_low_mood": "2"}, True),
    ],
)
def test_what_is_worse_beside_a_box_that_cannot_be_read_interrupts_and_is_kept(anna, cast, first, then, interrupts):
    """R4, without a plan: the clinic knows of the first, not of how bad it is by now."""
    check_in = save(cast, none_of_flags=True, **first)
    assert check_in.alerts.count() == 1
    sent = {"key": str(uuid4()), "none_of_flags": "on", "pressure": "high", **then}
    answer = anna.post(page_of(check_in), sent)
    assert answer.status_code == (302 if interrupts else 422)
    assert Alert.objects.count() == 1 + interrupts
    assert CheckIn.objects.count() == 1 + interrupts


def test_a_worse_fever_beside_a_box_that_cannot_be_read_is_kept_while_finishing(anna, cast):
    check_in = save(cast, temperature="38.3", unfinished={"pressure": ["high"]})
    answer = anna.post(page_of(check_in, "finish"), {"key": str(uuid4()), "temperature": "39.9", "pressure": "high"})
    assert answer.headers["Location"] == page_of(check_in, "urgent")
    check_in.refresh_from_db()
    assert (check_in.temperature_typed, check_in.is_unfinished, Alert.objects.count()) == ("39.9", True, 2)


def test_a_change_that_is_not_valid_keeps_what_was_typed(anna, cast):
    check_in = save(cast, none_of_flags=True)
    answer = anna.post(page_of(check_in), {"none_of_flags": "on", "weight": "heavy", "reason": "why not"})
    assert answer.status_code == 422
    assert 'value="heavy"' in answer.content.decode()
    assert 'value="why not"' in answer.content.decode()
    assert check_in.history.count() == 1


def test_what_the_form_of_that_day_does_not_ask_stays_as_it_was_said(anna, cast):
    check_in = save(cast, flags=["drip_site", "fainted"])
    sent = form_of(anna.get(page_of(check_in)))
    assert sent["flags"] == ["fainted"]
    anna.post(page_of(check_in), sent | {"flags": [], "none_of_flags": "on", "note": "not fainted"})
    check_in.refresh_from_db()
    assert (check_in.flags, check_in.none_of_flags) == (["drip_site"], False)


def test_an_unfinished_entry_leads_to_finishing_it(anna, cast):
    check_in = save(cast, flags=["fainted"], unfinished={"temperature": ["hot"]})
    assert anna.get(page_of(check_in)).headers["Location"] == page_of(check_in, "finish")


def test_the_entry_offers_the_change_only_to_those_who_may(cast, client):
    check_in = save(cast, none_of_flags=True)
    for who, offered in (("anna", True), ("sam", False), ("ben", False)):
        client.force_login(getattr(cast, who))
        page = client.get(page_of(check_in, "entry")).content.decode()
        assert (page_of(check_in) in page) is offered, who


# Two people at the same entry


def sent_of(client, check_in, user, **boxes):
    client.force_login(user)
    return form_of(client.get(page_of(check_in))) | {name: str(value) for name, value in boxes.items()}


def test_a_change_made_from_an_older_version_comes_back_with_both_and_nothing_is_lost(client, cast):
    check_in = save(cast, by=cast.sam, temperature="37.2", none_of_flags=True)
    hers = sent_of(client, check_in, cast.anna, note="shivering since two", temperature="37.4")
    client.post(page_of(check_in), sent_of(client, check_in, cast.sam, temperature="37.6", stools=4))
    client.force_login(cast.anna)
    back = client.post(page_of(check_in), hers)
    assert back.status_code == 422
    words = text(back)
    assert "It was changed while you wrote" in words
    assert "by Sam" in words
    assert "37.2 °C 37.6 °C" in words, "what the newer version says now"
    assert "bowel movements in 24 hours: 4" in words
    again = form_of(back)
    assert (again["note"], again["temperature"]) == (["shivering since two"], ["37.4"])
    check_in.refresh_from_db()
    assert (str(check_in.reading), check_in.stools, check_in.note) == (f"37.6{SPACE}°C", 4, "")
    saved = client.post(page_of(check_in), again | {"stools": "4"})
    assert saved.headers["Location"] == page_of(check_in, "entry")
    check_in.refresh_from_db()
    assert (str(check_in.reading), check_in.stools, check_in.note) == (f"37.4{SPACE}°C", 4, "shivering since two")


def test_a_red_flag_that_somebody_added_meanwhile_is_not_taken_out_unread(client, cast):
    check_in = save(cast, by=cast.sam, none_of_flags=True)
    hers = sent_of(client, check_in, cast.anna, note="better")
    his = sent_of(client, check_in, cast.sam, flags="fainted")
    client.post(page_of(check_in), his | {"none_of_flags": ""})
    client.force_login(cast.anna)
    back = client.post(page_of(check_in), hers)
    assert back.status_code == 422
    assert page_of(check_in, "urgent") in back.content.decode(), "the way to the numbers stands on the page"
    check_in.refresh_from_db()
    assert check_in.flags == ["fainted"]


def test_a_red_flag_typed_into_an_older_version_is_told_all_the_same(client, cast):
    """R4: it becomes a check-in of its own, of the same moment, with everything that was typed."""
    check_in = save(cast, by=cast.sam, none_of_flags=True)
    hers = sent_of(client, check_in, cast.anna, note="on the stairs") | {"flags": "fainted", "none_of_flags": ""}
    client.post(page_of(check_in), sent_of(client, check_in, cast.sam, note="his words"))
    client.force_login(cast.anna)
    answer = client.post(page_of(check_in), hers)
    other = CheckIn.objects.exclude(pk=check_in.pk).get()
    assert answer.headers["Location"] == page_of(other, "urgent")
    assert "020 7946" in text(client.get(answer.headers["Location"]))
    assert (other.felt_at, other.note, other.is_unfinished) == (check_in.felt_at, "on the stairs", False)
    assert raised(other) == [("T7", "RED")]
    check_in.refresh_from_db()
    assert check_in.note == "his words"


def test_a_sign_that_somebody_put_right_meanwhile_is_not_told_again_by_a_page_that_still_shows_it(client, cast):
    check_in = save(cast, by=cast.sam, flags=["fainted"], temperature="39.5", severities={"vomiting": 3})
    hers = sent_of(client, check_in, cast.anna, note="on the stairs")
    right = {"flags": [], "none_of_flags": "on", "temperature": "37.5", "symptoms": ["vomiting"], "how_vomiting": "1"}
    client.post(page_of(check_in), sent_of(client, check_in, cast.sam) | right)
    client.force_login(cast.anna)
    told = Alert.objects.count()
    back = client.post(page_of(check_in), hers)
    assert back.status_code == 422
    assert "39.5 °C 37.5 °C" in text(back)
    assert (CheckIn.objects.count(), Alert.objects.count()) == (1, told)
    worse = client.post(page_of(check_in), hers | {"temperature": "40.1"})
    assert worse.headers["Location"] == page_of(CheckIn.objects.exclude(pk=check_in.pk).get(), "urgent")


def test_a_page_that_does_not_say_what_it_was_made_from_overwrites_nothing(client, cast):
    check_in = save(cast, none_of_flags=True, note="old")
    back = client.post(page_of(check_in), sent_of(client, check_in, cast.anna, note="new") | {"read": ""})
    assert back.status_code == 422
    check_in.refresh_from_db()
    assert check_in.note == "old"


def test_what_both_wrote_alike_is_no_quarrel(client, cast):
    check_in = save(cast, by=cast.sam, none_of_flags=True)
    hers = sent_of(client, check_in, cast.anna, note="tired")
    client.post(page_of(check_in), sent_of(client, check_in, cast.sam, note="tired"))
    client.force_login(cast.anna)
    assert "Nothing is different." in text(client.post(page_of(check_in), hers, follow=True))
