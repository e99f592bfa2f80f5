"""The check-in in the browser's terms: what is sent, what comes back."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from il2tracker.accounts import actions as accounts
from il2tracker.alerts import actions as alerts
from il2tracker.alerts.models import Alert
from il2tracker.audit.models import AuditEvent
from sideeffects.actions import Answers, record_check_in
from sideeffects.models import CheckIn
from sideeffects.units import parse_temperature
from tests import factories

pytestmark = pytest.mark.django_db
CHECK_IN = "/check-in/"


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
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def save(cast, **answers):
    answers["flags"] = frozenset(answers.get("flags", ()))
    return record_check_in(
        by=cast.anna, patient=cast.anna_patient, key=uuid4(), answers=Answers(**answers), now=timezone.now()
    ).check_in


# The form


def test_the_form_asks_for_red_flags_first_and_for_someone_else_to_look(anna):
    page = text(anna.get(CHECK_IN))
    assert page.index("Any of these right now?") < page.index("2. Temperature") < page.index("3. Anything else?")
    assert "Is someone with you? Ask them to look at this list." in page
    assert "Anna, born 1974" in page


def test_a_calm_check_in_is_saved_and_named(anna, cast):
    sent = {
        "none_of_flags": "on",
        "temperature": "37,4",
        "symptoms": ["tired"],
        "how_tired": "2",
        "note": "slept badly",
    }
    response = anna.post(CHECK_IN, {"key": str(uuid4()), "unit": "C", **sent}, follow=True)
    saved = CheckIn.objects.get()
    assert response.redirect_chain == [(reverse("sideeffects:entry", args=[saved.ref]), 302)]
    assert "37.4 °C, tired (moderate), a note." in text(response).replace("\xa0", " ")
    assert saved.none_of_flags
    assert saved.patient == cast.anna_patient


def test_no_page_calls_a_reading_normal_or_cheers(anna):
    response = anna.post(CHECK_IN, {"key": str(uuid4()), "none_of_flags": "on", "temperature": "36.8"}, follow=True)
    words = text(response).lower()
    assert not re.search(r"normal|\bfine\b|\bgood\b|great|well done|thank|no fever", words)
    assert "this reading may be lower than your real temperature" in words


def test_nothing_chosen_at_all_is_asked_for_again(anna):
    response = send(anna)
    assert response.status_code == 422
    assert "Choose any that apply, or None of these." in text(response)
    assert CheckIn.objects.count() == 0


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"temperature": "hot"}, "“hot” could not be read as a temperature. Write it like 38.4 °C or 101.1 °F."),
        ({"temperature": "29"}, "“29” is not a body temperature."),
        ({"temperature": "37.2F"}, "“37.2F” is not a body temperature."),
        ({"temperature": "98", "unit": "C"}, "98 is no body temperature in °C. Choose °F?"),
        ({"symptoms": "tired"}, "Say how bad it is: tired."),
        ({"symptoms": "tired", "how_tired": "4"}, "Select a valid choice."),
        ({"no_symptoms": "on", "symptoms": "tired", "how_tired": "1"}, "You also chose symptoms."),
        ({"medicine": "perhaps"}, "Select a valid choice."),
        ({"note": "x" * 2001}, "Ensure this value has at most 2000 characters"),
    ],
)
def test_bad_input_is_answered_beside_the_field_and_in_the_summary_and_kept(anna, sent, said):
    response = send(anna, none_of_flags="on", **{"note": "kept words", **sent})
    assert response.status_code == 422
    assert text(response).count(said) == 2
    assert "There is a problem" in text(response)
    assert CheckIn.objects.count() == 0
    assert sent.get("note", "kept words") in response.content.decode()


def test_what_was_typed_and_ticked_is_still_there_after_an_error(anna):
    page = send(anna, temperature="hott", medicine="not_taken", symptoms=["itch"], how_itch="2").content.decode()
    assert 'value="hott"' in page
    assert 'value="itch" checked' in page
    assert re.search(r'name="how_itch" value="2" checked', page)
    assert re.search(r'name="medicine" value="not_taken" checked', page)


def test_a_symptom_behind_more_stays_open_after_an_error(anna):
    page = send(anna, symptoms=["hair_loss"]).content.decode()
    assert re.search(r"<details class=\"more\" open>.*hair_loss", page, re.DOTALL)


def test_every_line_of_the_summary_leads_to_something_on_the_page(anna):
    page = send(anna, temperature="hot", symptoms=["tired"], no_symptoms="on", medicine="x").content.decode()
    targets = re.findall(r'href="#(id_[a-z_]+)"', page)
    assert len(targets) == 5
    assert [target for target in targets if f'id="{target}"' not in page] == []


def test_a_severity_without_its_tick_is_not_lost(anna):
    send(anna, none_of_flags="on", how_itch="1")
    assert CheckIn.objects.get().reports.get().symptom.code == "itch"


def test_a_unit_in_the_text_wins_over_the_button(anna, cast):
    send(anna, none_of_flags="on", temperature="98.6 F", unit="C")
    assert str(CheckIn.objects.get().reading) == "98.6\xa0°F"
    cast.anna_patient.refresh_from_db()
    assert 'value="F" checked' in anna.get(CHECK_IN).content.decode()


def test_a_double_click_leaves_one_check_in(anna):
    key = str(uuid4())
    places = {send(anna, key=key, flags="fainted").headers["Location"] for _ in range(2)}
    assert len(places) == CheckIn.objects.count() == Alert.objects.count() == 1


def test_a_calm_check_in_sent_twice_is_said_to_be_there_already(anna):
    key = str(uuid4())
    send(anna, key=key, none_of_flags="on")
    page = text(anna.get(send(anna, key=key, none_of_flags="on").headers["Location"]))
    assert "This check-in was saved already" in page
    assert CheckIn.objects.count() == 1


def test_going_back_and_ticking_a_red_flag_is_a_new_check_in_that_interrupts(anna, cast):
    key = str(uuid4())
    send(anna, key=key, none_of_flags="on")
    places = {send(anna, key=key, flags="chest_pain").headers["Location"] for _ in range(2)}
    newest = CheckIn.objects.newest_first().first()
    assert places == {reverse("sideeffects:urgent", args=[newest.ref])}
    assert [row.flags for row in CheckIn.objects.newest_first()] == [["chest_pain"], []]
    assert Alert.objects.open().of(cast.anna_patient).count() == 1


def test_the_key_of_somebody_else_stops_nothing(anna, cast):
    key = str(uuid4())
    send(anna, key=key, flags="fainted")
    anna.force_login(cast.dan)
    assert "/now/" in send(anna, key=key, flags="fainted").headers["Location"]
    assert CheckIn.objects.of(cast.dan_patient).count() == 1


@pytest.mark.parametrize("field", ["note", "temperature", "medicine", "key", "unit", "no\0such", "how_tired"])
def test_a_sign_that_no_database_keeps_does_not_lose_an_urgent_report(anna, field):
    response = send(anna, **{"flags": ["chest_pain", "\0"], "symptoms": "tired", field: "a\0b"})
    saved = CheckIn.objects.get()
    assert response.headers["Location"] == reverse("sideeffects:urgent", args=[saved.ref])
    assert "\0" not in repr(saved.unfinished)
    assert {"no\0such", "nosuch"}.isdisjoint(saved.unfinished)


def test_only_what_the_form_asks_is_kept_to_finish(anna):
    send(anna, flags="chest_pain", temperature="hot", password="secret", how_nonsense="1")
    assert {"password", "how_nonsense"}.isdisjoint(CheckIn.objects.get().unfinished)


def test_a_key_that_was_tampered_with_stops_nothing(anna):
    assert "/now/" in send(anna, flags="fainted", key="no key").headers["Location"]


def test_a_kidney_plan_asks_for_signs_of_infection_among_the_red_flags(cast, client):
    factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label")
    client.force_login(cast.dan)
    page = client.get(CHECK_IN).content.decode()
    assert re.search(r'name="flags" value="cough"', page)
    assert not re.search(r'name="symptoms" value="cough"', page)
    assert "over 38\xa0°C" in page
    assert "/now/" in send(client, flags="cough").headers["Location"]


def test_an_hiv_plan_shows_its_own_limit(cast, anna):
    factories.plan(cast.anna_patient, cast.ben)
    page = text(anna.get(CHECK_IN))
    assert "over 102 °F" in page
    assert "drip" not in page


# Red before any error (R4)


@pytest.mark.parametrize(
    "sent",
    [
        {"flags": "urine_less", "temperature": "hot"},
        {"flags": ["urine_less", "nonsense"], "none_of_flags": "on"},
        {"temperature": "40.5"},
        {"temperature": "105", "unit": "C"},
        {"flags": "chest_pain", "symptoms": "tired"},
    ],
)
def test_anything_urgent_is_saved_and_interrupts_although_the_rest_is_not_valid(anna, sent):
    response = send(anna, **sent)
    saved = CheckIn.objects.get()
    assert response.headers["Location"] == reverse("sideeffects:urgent", args=[saved.ref])
    assert saved.alerts.exists()
    assert saved.is_unfinished
    page = anna.get(response.headers["Location"])
    assert "Part of what you entered could not be read" in text(page)


def test_the_rest_is_kept_to_finish(anna):
    send(anna, flags="urine_less", temperature="hot", symptoms=["tired"], how_tired="1")
    saved = CheckIn.objects.get()
    url = reverse("sideeffects:finish", args=[saved.ref])
    page = anna.get(url)
    assert 'value="hot"' in page.content.decode()
    assert "The urgent part is saved. This is not yet:" in text(page)
    assert send(anna, url, flags="urine_less", temperature="hotter").status_code == 422
    send(anna, url, flags="urine_less", temperature="38.6", symptoms=["tired"], how_tired="1")
    saved.refresh_from_db()
    assert (str(saved.reading), saved.is_unfinished, CheckIn.objects.count()) == ("38.6\xa0°C", False, 1)
    assert anna.get(url).headers["Location"] == reverse("sideeffects:entry", args=[saved.ref])


def test_a_red_flag_ticked_while_finishing_is_saved_although_the_rest_is_not_valid(anna):
    send(anna, flags="urine_less", temperature="hot")
    saved = CheckIn.objects.get()
    response = send(anna, reverse("sideeffects:finish", args=[saved.ref]), flags="chest_pain", temperature="hot")
    assert response.headers["Location"] == reverse("sideeffects:urgent", args=[saved.ref])
    saved.refresh_from_db()
    assert (saved.flags, saved.is_unfinished) == (["chest_pain", "urine_less"], True)
    assert Alert.objects.open().count() == 2


def test_going_back_after_finishing_and_ticking_a_red_flag_is_a_new_check_in(anna):
    send(anna, flags="urine_less", temperature="hot")
    url = reverse("sideeffects:finish", args=[CheckIn.objects.get().ref])
    for _ in range(2):
        send(anna, url, flags="urine_less", temperature="38")
    assert CheckIn.objects.count() == 1
    for _ in range(2):
        send(anna, url, flags=["urine_less", "chest_pain"], temperature="38")
    assert [row.flags for row in CheckIn.objects.newest_first()] == [["chest_pain", "urine_less"], ["urine_less"]]
    assert Alert.objects.open().count() == 2


# The page that interrupts


def urgent_page(client, saved):
    return client.get(reverse("sideeffects:urgent", args=[saved.ref]))


def test_the_number_comes_before_everything_else(anna, cast):
    page = urgent_page(anna, save(cast, flags=["urine_less"])).content.decode()
    body = page[page.index("<h1") :]
    assert body.index('href="tel:020') < body.index("Read this to them") < body.index("After you tried")
    assert "Call Clinic North now" in page
    for words in ("Do not wait for someone to call you.", "nobody may have seen it", "not watched round the clock"):
        assert words in page
    assert "If you cannot get through, call 999." in page


def test_an_emergency_heads_the_page_with_the_emergency_number(anna, cast):
    page = text(urgent_page(anna, save(cast, flags=["chest_pain", "urine_less"])))
    assert "Call 999 now" in page
    assert page.index("999") < page.index("020 7946")


def test_thoughts_of_suicide_show_the_crisis_card_and_nothing_else_shouts(anna, cast):
    cast.north.crisis_phone = "116 123"
    cast.north.save()
    page = text(urgent_page(anna, save(cast, flags=["suicidal"])))
    assert "Call now. Do not stay alone." in page
    assert page.index("116 123") < page.index("020 7946")
    assert "999" in page


def test_low_mood_alone_says_today(anna, cast):
    assert "Call your team today" in text(urgent_page(anna, save(cast, flags=["low_mood_worse"])))


def test_the_page_says_what_to_read_out(anna, cast):
    plan = factories.plan(cast.anna_patient, cast.ben)
    dose = plan.cycles.get(number=1).doses.order_by("due_at").first()
    now = timezone.now()
    factories.injection(cast.anna_patient, cast.anna, dose, at=now - timedelta(hours=1), now=now)
    saved = save(
        cast, flags=["urine_less"], severities={"tired": 2}, temperature=parse_temperature("101.5F"), medicine="did_not"
    )
    page = text(urgent_page(anna, saved)).replace("\xa0", " ")
    assert f"code {cast.anna_patient.code}" in page
    assert "Course 1, day 1 of 5. Last injection 7.5 million units" in page
    assert "101.5 °F; fever medicine in the last 6 hours: yes, and it did not come down" in page
    assert "Tired (moderate)" in page


def test_a_patient_without_a_clinic_gets_his_own_numbers_and_no_promise(client):
    patient = factories.lone_patient()
    client.force_login(patient.user)
    page = text(client.get(send(client, flags="fainted").headers["Location"]))
    assert "020 7946 0100" in page
    assert "No clinic sees this report." in page
    assert "clinic’s list" not in page


def test_the_page_of_a_calm_check_in_leads_to_the_entry(anna, cast):
    saved = save(cast, none_of_flags=True)
    assert urgent_page(anna, saved).headers["Location"] == reverse("sideeffects:entry", args=[saved.ref])


def test_once_the_clinic_acknowledged_it_the_page_says_who(anna, cast):
    saved = save(cast, flags=["urine_less"])
    alerts.acknowledge(by=cast.ben, alert=saved.alerts.get(), now=timezone.now())
    for name in ("urgent", "entry"):
        page = text(anna.get(reverse(f"sideeffects:{name}", args=[saved.ref])))
        assert page.count("Ben has seen this report") == 1
        assert "Call again if anything gets worse. That is not an all-clear." in page
        assert "nobody may have seen it" not in page
    page = text(urgent_page(anna, saved))
    assert page.index("Ben has seen this report") < page.index("Read this to them")


def test_the_page_says_whether_the_clinic_has_been_told_and_never_that_anybody_was_reached(anna, cast):
    saved = save(cast, flags=["urine_less"])
    assert "Your clinic is being told by mail." in text(urgent_page(anna, saved))
    alert = alerts.notified(alert=saved.alerts.get(), at=timezone.now())
    assert "Nobody has answered it yet." in text(urgent_page(anna, saved))
    alerts.nobody_reached(alert=alert, now=timezone.now())
    page, entry = (text(anna.get(reverse(f"sideeffects:{name}", args=[saved.ref]))) for name in ("urgent", "entry"))
    for words in ("Nobody has answered it. Call now: 020 7946", "Do not wait for someone to call you."):
        assert words in page
    assert "Nobody has answered it. Call now: 020 7946" in entry
    alerts.acknowledge(by=cast.ben, alert=alert, now=timezone.now())
    assert "Nobody has answered" not in text(urgent_page(anna, saved))


# Entry and list


def test_a_severe_symptom_asks_to_call_today(anna):
    response = send(anna, none_of_flags="on", symptoms=["itch"], how_itch="3")
    page = text(anna.get(response.headers["Location"]))
    assert "Call your team today about this" in page
    assert "020 7946" in page


def test_only_who_has_a_clinic_reads_of_the_clinics_list(anna, cast, client):
    words = "This report is in your clinic’s list"
    sent = {"none_of_flags": "on", "symptoms": ["itch"], "how_itch": "3"}
    assert words in text(anna.get(send(anna, **sent).headers["Location"]))
    client.force_login(factories.lone_patient().user)
    page = text(client.get(send(client, **sent).headers["Location"]))
    assert "020 7946 0100" in page
    assert words not in page
    assert "No clinic sees this report." in page


def test_mild_aches_after_an_injection_are_noted_as_often_seen_beside_what_else_they_can_be(anna, cast):
    plan = factories.plan(cast.anna_patient, cast.ben)
    now = timezone.now()
    dose = plan.cycles.get(number=1).doses.order_by("due_at").first()
    factories.injection(cast.anna_patient, cast.anna, dose, at=now - timedelta(hours=3), now=now)
    saved = save(cast, severities={"aches": 1}, temperature=parse_temperature("38.2"), medicine="not_taken")
    page = text(anna.get(reverse("sideeffects:entry", args=[saved.ref])))
    assert "Often seen after an injection: aching muscles or joints, 38.2 °C." in page
    assert "They can also be an infection." in page


def test_what_was_not_answered_is_not_shown_as_none(anna, cast):
    page = text(anna.get(reverse("sideeffects:entry", args=[save(cast, flags=["fainted"]).ref])))
    assert "Symptoms nothing chosen" in page
    assert "Symptoms None" in text(anna.get(reverse("sideeffects:entry", args=[save(cast, no_symptoms=True).ref])))


def test_a_clinician_reads_the_entry_with_its_alert_and_the_sources_and_the_patient_can_see_that(cast, client):
    saved = save(cast, flags=["urine_less"], severities={"taste": 1})
    client.force_login(cast.ben)
    page = text(client.get(reverse("sideeffects:entry", args=[saved.ref])))
    assert "Acknowledge" in page
    assert "rule T2" in page
    assert "Taste change" in page
    assert "New check-in" not in page
    assert AuditEvent.objects.filter(action="sideeffects.check_in.opened", actor_ref=cast.ben.ref).count() == 1


def test_an_empty_list_says_what_it_will_show(anna):
    page = text(anna.get(reverse("sideeffects:earlier")))
    assert "Here stands how you felt" in page
    assert "New check-in" in page


def test_the_list_goes_on_by_key(anna, cast):
    now = timezone.now()
    for n in range(32):
        record_check_in(
            by=cast.anna,
            patient=cast.anna_patient,
            key=uuid4(),
            answers=Answers(none_of_flags=True),
            now=now - timedelta(hours=n),
        )
    first = anna.get(reverse("sideeffects:earlier"))
    older = anna.get(reverse("sideeffects:earlier"), {"before": first.context["older"]})
    assert (len(first.context["check_ins"]), len(older.context["check_ins"])) == (30, 2)
    assert not {*first.context["check_ins"]} & {*older.context["check_ins"]}


# Who


def test_a_carer_records_for_the_patient_and_sees_her_numbers(cast, client):
    client.force_login(cast.sam)
    code = {"code": cast.anna_patient.code}
    page = client.get(reverse("sideeffects:check_in", kwargs=code))
    assert "Anna, born 1974" in text(page)
    response = send(client, reverse("sideeffects:check_in", kwargs=code), flags="confused")
    assert "020 7946" in text(client.get(response.headers["Location"]))
    assert CheckIn.objects.get().recorded_by == cast.sam


@pytest.mark.parametrize(
    ("who", "reads", "writes"), [("ben", 200, 403), ("carla", 404, 404), ("dan", 404, 404), ("eve", 404, 404)]
)
def test_the_clinic_reads_and_others_see_nothing(cast, client, who, reads, writes):
    saved = save(cast, flags=["urine_less"], unfinished={"temperature": ["hot"]})
    client.force_login(getattr(cast, who))
    code = {"code": cast.anna_patient.code}
    for name, kwargs in (("entry", {"ref": saved.ref}), ("urgent", {"ref": saved.ref}), ("earlier", code)):
        assert client.get(reverse(f"sideeffects:{name}", kwargs=kwargs)).status_code == reads
    assert client.get(reverse("sideeffects:check_in", kwargs=code)).status_code == writes
    assert send(client, reverse("sideeffects:check_in", kwargs=code), flags="fainted").status_code == writes
    assert send(client, reverse("sideeffects:finish", args=[saved.ref]), flags="fainted").status_code == writes
    assert CheckIn.objects.count() == 1


def test_a_carer_who_may_only_look_reads_and_does_not_write(cast, client):
    eve = factories.user("Olga")
    accounts.share_with_person(by=cast.anna, patient=cast.anna_patient, person=eve)
    client.force_login(eve)
    code = {"code": cast.anna_patient.code}
    assert client.get(reverse("sideeffects:earlier", kwargs=code)).status_code == 200
    assert send(client, reverse("sideeffects:check_in", kwargs=code), flags="fainted").status_code == 403


def test_a_stranger_is_asked_to_sign_in(client):
    assert send(client, flags="fainted").headers["Location"].startswith("/sign-in/")


# Statements


def statements(django_assert_max_num_queries, act):
    with django_assert_max_num_queries(200) as counted:
        act()
    return len(counted.captured_queries)


def test_pages_take_the_same_statements_however_much_is_there(anna, cast, django_assert_max_num_queries):
    def walk():
        saved = CheckIn.objects.of(cast.anna_patient).newest_first().first()
        urls = [CHECK_IN, reverse("sideeffects:earlier")]
        urls += [reverse(f"sideeffects:{name}", args=[saved.ref]) for name in ("entry", "urgent")]
        return [statements(django_assert_max_num_queries, lambda url=url: anna.get(url)) for url in urls]

    save(cast, flags=["urine_less"], severities={"tired": 1})
    few = walk()
    for _ in range(6):
        save(cast, flags=["urine_less", "fainted"], severities={"tired": 3, "itch": 2, "rash": 1, "lump": 1})
    assert walk() == few
    assert max(few) <= 20, few


def test_saving_takes_the_same_statements_however_long_the_record_is(anna, cast, django_assert_max_num_queries):
    def act():
        return statements(
            django_assert_max_num_queries, lambda: send(anna, none_of_flags="on", symptoms=["lump"], how_lump="1")
        )

    few = act()
    for n in range(5):
        record_check_in(
            by=cast.anna,
            patient=cast.anna_patient,
            key=uuid4(),
            answers=Answers(severities={"lump": 1, "itch": 1}),
            now=timezone.now() - timedelta(days=n),
        )
    assert act() == few
