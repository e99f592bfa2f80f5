"""The quick ways through a check-in, what is measured, and a lump: what is sent, what comes back."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from cycles.models import SiteReaction
from cycles.site_actions import report_reaction
from il2tracker.alerts.models import Alert
from sideeffects.actions import Answers, finish_check_in, record_check_in
from sideeffects.answers import Lump
from sideeffects.models import CheckIn
from sideeffects.units import parse_temperature, parse_weight
from tests import factories

pytestmark = pytest.mark.django_db
CHECK_IN = "/check-in/"
SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def anna(cast, client):
    client.force_login(cast.anna)
    return client


def send(client, url=CHECK_IN, **fields):
    return client.post(url, {"key": str(uuid4()), "unit": "C", **fields})


def text(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split()).replace(SPACE, " ")


def save(cast, ago=timedelta(hours=1), temperature="", **answers):
    if temperature:
        answers |= {"temperature": parse_temperature(temperature), "temperature_typed": temperature}
    answers["flags"] = frozenset(answers.get("flags", ()))
    return record_check_in(
        by=cast.anna, patient=cast.anna_patient, key=uuid4(), answers=Answers(**answers), now=timezone.now() - ago
    ).check_in


def ticked(page):
    """What is ticked in the form, by name."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]* checked[^>]*>", page.content.decode()):
        value = re.search(r'value="([^"]*)"', tag)
        found.setdefault(re.search(r'name="([^"]+)"', tag)[1], []).append(value[1] if value else "on")
    return found


# Measured


def test_what_was_measured_is_saved_and_shown_as_it_was_entered(anna):
    answer = send(anna, none_of_flags="on", weight="72,5", weight_unit="kg", pressure="95 over 60", stools="0")
    saved = CheckIn.objects.get()
    assert (str(saved.weighed), str(saved.pressure), saved.stools) == (f"72.5{SPACE}kg", f"95/60{SPACE}mmHg", 0)
    page = text(anna.get(answer.headers["Location"]))
    assert page.count("72.5 kg, 95/60 mmHg, bowel movements in 24 hours: 0") == 2
    assert "72.5 kg, 95/60 mmHg" in text(anna.get("/"))


def test_nothing_measured_is_nothing_saved(anna):
    send(anna, none_of_flags="on", weight="", weight_unit="lb", pressure="", stools="")
    saved = CheckIn.objects.get()
    assert (saved.weighed, saved.weight_unit, saved.pressure, saved.stools) == (None, "", None, None)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"weight": "heavy"}, "“heavy” could not be read as a weight."),
        ({"weight": "12"}, "12 kg is not the weight of a grown person."),
        ({"pressure": "80/120"}, "the larger number comes first"),
        ({"stools": "often"}, "“often”: write how often as a number"),
        ({"symptoms": "lump", "how_lump": "1", "lump_size": "12"}, "Choose the place of the lump."),
        (
            {"symptoms": "lump", "how_lump": "1", "lump_site": "tfr", "lump_size": "big"},
            "Write the width in millimetres",
        ),
        ({"symptoms": "lump", "how_lump": "1", "lump_site": "nose"}, "Select a valid choice."),
    ],
)
def test_bad_input_is_answered_beside_the_field_and_in_the_summary_and_kept(anna, sent, said):
    response = send(anna, none_of_flags="on", **sent)
    assert response.status_code == 422
    assert text(response).count(said) == 2
    target = re.search(r'<div class="error-summary".*?href="#(id_\w+)"', response.content.decode(), re.DOTALL)[1]
    assert f'id="{target}"' in response.content.decode()
    assert CheckIn.objects.count() == SiteReaction.objects.count() == 0
    for name, value in sent.items():
        if name in {"weight", "pressure", "stools", "lump_size"}:
            assert f'value="{value}"' in response.content.decode()


def test_a_measurement_that_is_wrong_is_never_hidden_behind_more(anna):
    assert 'class="more" open' in send(anna, none_of_flags="on", pressure="x").content.decode()
    assert 'class="more" open' not in send(anna, temperature="x").content.decode()


def test_a_red_flag_beside_a_wrong_measurement_interrupts_and_the_rest_is_kept_to_finish(anna):
    assert "/now/" in send(anna, flags="fainted", weight="heavy", pressure="120/80").headers["Location"]
    saved = CheckIn.objects.get()
    assert saved.unfinished["weight"] == ["heavy"]
    page = anna.get(reverse("sideeffects:finish", args=[saved.ref])).content.decode()
    assert 'value="heavy"' in page
    assert 'value="120/80"' in page


def test_a_weight_far_from_the_last_one_is_asked_about_until_its_unit_stands_in_the_text(anna, cast):
    save(cast, none_of_flags=True, weight=parse_weight("72", "kg"))
    response = send(anna, none_of_flags="on", weight="160", weight_unit="kg")
    assert "160 kg? The last weight was 72 kg." in text(response)
    send(anna, none_of_flags="on", weight="160 kg", weight_unit="kg")
    assert str(CheckIn.objects.newest_first().first().weighed) == f"160{SPACE}kg"


def test_the_unit_of_the_last_weight_is_chosen_next_time(anna, cast):
    assert ticked(anna.get(CHECK_IN))["weight_unit"] == ["kg"]
    save(cast, none_of_flags=True, weight=parse_weight("160", "lb"))
    assert ticked(anna.get(CHECK_IN))["weight_unit"] == ["lb"]


def test_whoever_measures_in_fahrenheit_is_first_offered_pounds(anna, cast):
    save(cast, none_of_flags=True, temperature="99 F")
    assert ticked(anna.get(CHECK_IN))["weight_unit"] == ["lb"]


def test_the_report_to_read_out_holds_what_was_measured(anna):
    place = send(anna, flags="fainted", pressure="85/50").headers["Location"]
    assert "Measured 85/50 mmHg" in text(anna.get(place))


def test_a_lump_of_a_day_that_is_still_to_come_where_the_patient_is_now_is_noted_today(anna, cast):
    """Saved in Auckland, then the zone set to Los Angeles: the red flag beside it is not lost."""
    check_in = save(cast, none_of_flags=True)
    CheckIn.objects.filter(pk=check_in.pk).update(zone="Pacific/Kiritimati", felt_at=timezone.now())
    type(cast.anna_patient).objects.filter(pk=cast.anna_patient.pk).update(time_zone="Pacific/Pago_Pago")
    lump = {"symptoms": "lump", "how_lump": "1", "lump_site": "tfr", "flags": "fainted"}
    answer = send(anna, f"/check-in/{check_in.ref}/change/", **lump)
    assert "/now/" in answer.headers["Location"]
    assert SiteReaction.objects.get().noticed_on == cast.anna_patient.__class__.objects.get(
        pk=cast.anna_patient.pk
    ).today(timezone.now())


# The same as last time


LAST = {
    "severities": {"tired": 2, "hair_loss": 1, "nausea": 0},
    "note": "secret",
    "temperature": "38.2",
    "medicine": "did_not",
}


def test_the_same_as_last_time_fills_in_symptoms_and_severities_and_nothing_else(anna, cast):
    last = save(
        cast, **LAST, flags=["fainted"], weight=parse_weight("72", "kg"), stools=3, none_of_flags=False
    )  # fmt: skip
    page = anna.get(CHECK_IN, {"same": last.ref})
    assert ticked(page) == {
        "unit": ["C"],
        "weight_unit": ["kg"],
        "symptoms": ["tired", "hair_loss"],
        "how_tired": ["2"],
        "how_hair_loss": ["1"],
    }
    html = page.content.decode()
    assert 'name="temperature" value=""' in html
    assert "secret" not in html
    assert "Filled in as last time. Change what is different now." in text(page)
    assert CheckIn.objects.count() == 1


def test_without_a_script_the_button_keeps_what_was_filled_in_already(anna, cast):
    last = save(cast, severities={"tired": 2})
    page = send(anna, same=last.ref, none_of_flags="on", temperature="37,4", symptoms="itch", how_itch="1", note="mine")
    assert page.status_code == 200
    found = ticked(page)
    assert (found["none_of_flags"], found["symptoms"], found["how_tired"]) == (["on"], ["tired", "itch"], ["2"])
    assert 'value="37,4"' in page.content.decode()
    assert "mine" in page.content.decode()
    assert "There is a problem" not in text(page)
    assert CheckIn.objects.count() == 1


@pytest.mark.parametrize(("chosen", "last_time"), [("3", 1), ("1", 3)])
def test_what_is_chosen_already_is_not_changed_by_the_same_as_last_time(anna, cast, chosen, last_time):
    """Severe now stays severe: the clinic is told of it (T13)."""
    last = save(cast, severities={"diarrhoea": last_time, "tired": 1})
    found = ticked(send(anna, same=last.ref, none_of_flags="on", symptoms="diarrhoea", how_diarrhoea=chosen))
    assert (found["symptoms"].count("diarrhoea"), found["how_diarrhoea"]) == (1, [chosen])
    assert found["how_tired"] == ["1"]


def test_a_severity_without_its_tick_is_chosen_too(anna, cast):
    last = save(cast, no_symptoms=True)
    found = ticked(send(anna, same=last.ref, none_of_flags="on", how_diarrhoea="3"))
    assert (found["how_diarrhoea"], "no_symptoms" in found) == (["3"], False)


def test_a_red_flag_that_is_ticked_already_interrupts_instead_of_copying(anna, cast):
    last = save(cast, severities={"tired": 2})
    assert "/now/" in send(anna, same=last.ref, flags="fainted").headers["Location"]
    assert Alert.objects.get().rule == "T7"


def test_the_script_gets_the_same_symptoms(anna, cast):
    save(cast, severities={"tired": 2, "nausea": 0})
    assert re.search(r'data-same="tired:2 "', anna.get(CHECK_IN).content.decode())


def test_no_symptoms_can_be_said_the_same_way_again(anna, cast):
    last = save(cast, no_symptoms=True, none_of_flags=True)
    assert ticked(anna.get(CHECK_IN, {"same": last.ref}))["no_symptoms"] == ["on"]


@pytest.mark.parametrize(
    ("ago", "answers", "offered"),
    [
        (timedelta(days=6, hours=23), {"severities": {"tired": 1}}, True),
        (timedelta(days=7, minutes=1), {"severities": {"tired": 1}}, False),
        (timedelta(hours=1), {"none_of_flags": True}, False),
        (timedelta(hours=1), {"severities": {"tired": 0}}, False),
        (timedelta(hours=1), {"no_symptoms": True}, True),
    ],
)
def test_only_answers_of_the_last_week_that_say_something_are_offered(anna, cast, ago, answers, offered):
    last = save(cast, ago=ago, **answers)
    assert ("Same as last time" in text(anna.get(CHECK_IN))) is offered
    assert ("Filled in as last time" in text(anna.get(CHECK_IN, {"same": last.ref}))) is offered


def test_nobody_copies_from_somebody_else_or_from_an_older_entry(anna, cast):
    older = save(cast, ago=timedelta(hours=3), severities={"itch": 1})
    save(cast, severities={"tired": 1})
    other = record_check_in(
        by=cast.dan, patient=cast.dan_patient, key=uuid4(), answers=Answers(severities={"rash": 1}), now=timezone.now()
    ).check_in
    for ref in (older.ref, other.ref, "nothing"):
        assert "symptoms" not in ticked(anna.get(CHECK_IN, {"same": ref})), ref


# No symptoms today


def test_no_symptoms_today_is_an_entry_of_its_own_in_one_tap(anna):
    answer = send(anna, nothing="on")
    saved = CheckIn.objects.get()
    assert (saved.none_of_flags, saved.no_symptoms, saved.flags, saved.reports.count()) == (True, True, [], 0)
    assert "Symptoms None" in text(anna.get(answer.headers["Location"]))


def test_no_symptoms_today_keeps_the_temperature_and_its_rules(anna):
    assert "/now/" in send(anna, nothing="on", temperature="39.2").headers["Location"]
    assert str(CheckIn.objects.get().reading) == f"39.2{SPACE}°C"


def test_no_symptoms_today_never_speaks_over_a_red_flag_or_a_symptom(anna):
    assert "/now/" in send(anna, nothing="on", flags="fainted").headers["Location"]
    saved = CheckIn.objects.get()
    assert (saved.flags, saved.none_of_flags, saved.no_symptoms) == (["fainted"], False, False)
    response = send(anna, nothing="on", symptoms="tired", how_tired="1")
    assert "You also chose symptoms." in text(response)
    assert CheckIn.objects.count() == 1


def test_the_enter_key_means_save_and_not_no_symptoms(anna, cast):
    save(cast, severities={"tired": 1})
    form = anna.get(CHECK_IN).content.decode()
    buttons = re.findall(r"<button[^>]*>", form[form.index('class="check-in"') :])
    assert "name=" not in buttons[0]
    assert [bool(re.search('name="(nothing|same)"', button)) for button in buttons] == [False, True, True, False]


# A lump


def test_a_lump_with_its_place_rests_that_place_and_shows_on_the_entry(anna, cast):
    answer = send(anna, none_of_flags="on", symptoms="lump", how_lump="1", lump_site="tfr", lump_size="12 mm")
    lump = SiteReaction.objects.get()
    today = cast.anna_patient.today(timezone.now())
    assert (lump.site, lump.kind, lump.size_mm, lump.noticed_on, lump.recorded_by) == (
        "tfr",
        "lump",
        12,
        today,
        cast.anna,
    )
    assert "right thigh, front (lump, 12 mm across)" in text(anna.get(answer.headers["Location"]))


def test_a_lump_without_a_place_is_a_symptom_like_the_others(anna):
    answer = send(anna, none_of_flags="on", symptoms="lump", how_lump="1")
    assert SiteReaction.objects.count() == 0
    assert "say at which place, so that it rests" in text(anna.get(answer.headers["Location"]))


def test_a_place_whose_lump_is_not_ticked_is_left_alone(anna):
    send(anna, none_of_flags="on", lump_site="tfr", lump_size="12")
    assert (CheckIn.objects.count(), SiteReaction.objects.count()) == (1, 0)


def test_a_lump_that_is_noted_already_gets_its_present_size_and_keeps_its_first_day(anna, cast):
    now = timezone.now()
    first = cast.anna_patient.today(now) - timedelta(days=30)
    report_reaction(
        by=cast.anna,
        patient=cast.anna_patient,
        site="tfr",
        kind="lump",
        noticed_on=first,
        now=now,
        size_mm=12,
        note="hard",
    )
    for size in ("8", ""):
        send(anna, none_of_flags="on", symptoms="lump", how_lump="1", lump_site="tfr", lump_size=size)
    lump = SiteReaction.objects.get()
    assert (lump.size_mm, lump.noticed_on, lump.note) == (8, first, "hard")


def test_a_lump_sent_twice_while_finishing_is_one_check_in(cast):
    check_in = save(cast, flags=["fainted"], unfinished={"x": ["y"]})
    answers = Answers(severities={"lump": 1}, lump=Lump("tfr", 12))
    for created in (True, False):
        assert finish_check_in(by=cast.anna, check_in=check_in, answers=answers, now=timezone.now()).created is created
    assert (CheckIn.objects.count(), SiteReaction.objects.count()) == (1, 1)


# Asked again after a fever


def test_the_next_day_the_form_asks_how_the_fever_is_now(anna, cast):
    save(cast, ago=timedelta(days=1), temperature="38.9")
    assert re.search(r"Yesterday 38.9 °C at \S+\. How is it now\?", text(anna.get(CHECK_IN)))
    save(cast, ago=timedelta(minutes=1), temperature="38.0")
    assert "How is it now?" not in text(anna.get(CHECK_IN))


def test_a_change_of_the_feverish_entry_does_not_ask_about_itself(anna, cast):
    feverish = save(cast, ago=timedelta(days=1), temperature="38.9")
    assert "How is it now?" not in text(anna.get(reverse("sideeffects:change", args=[feverish.ref])))
