"""The page that says what to expect, and the words in it."""

import re
from datetime import timedelta

import pytest
import time_machine

from il2tracker.alerts import actions as alerts
from sideeffects import effects
from sideeffects.expectation_actions import expect
from sideeffects.models import Symptom
from tests import factories
from tests.sideeffects.test_reading import save

AT = factories.utc(2026, 11, 21, 12)
LINES = {f"{source}{n}" for source, last in (("A", 168), ("B", 187)) for n in range(1, last + 1)}


def every_sentence() -> list[str]:
    sentences = [
        text
        for one in effects.everything()
        for text in (one.words, *(advice.text for advice in one.says + one.calms + one.fluids), *one.often.values())
    ]
    return sentences + [part.text for plan in ("hiv", "kidney") for part in effects.days(plan)]


# The words


def test_all_fifty_five_stand_under_one_body_system_each():
    listed = [one.code for _system, rows in effects.by_system("hiv") for one in rows]
    assert sorted(listed) == [f"S{n:02}" for n in range(1, 56)]
    assert all(one.words for one in effects.everything())


@pytest.mark.parametrize("banned", ["%", r"\bin 100\b", r"\bevery 100\b", "normal", r"\bsafe", "all clear", r"\bskip"])
def test_no_sentence_gives_a_percentage_or_calms_falsely(banned):
    assert [text for text in every_sentence() if re.search(banned, text, re.IGNORECASE)] == []


def test_every_sentence_of_a_source_names_a_line_of_it():
    lines = [advice.line for one in effects.everything() for advice in one.says + one.calms + one.fluids]
    parts = [
        line for plan in ("hiv", "kidney") for part in effects.days(plan) for line in re.split(", |–", part.source)
    ]
    assert set(lines + parts) <= LINES


def test_a_row_that_both_sources_name_cites_both():
    for one in effects.everything():
        sources = {source for source, word in (("B", one.often["kidney"]), ("A", one.often["hiv"])) if word}
        assert sources <= {line[0] for line in one.lines.split(", ")}, one.code


def test_rows_that_speak_of_the_same_point_to_each_other():
    codes = {one.code for one in effects.everything()}
    assert {code for one in effects.everything() for code in one.also} <= codes
    assert not [one.code for one in effects.everything() if one.code in one.also]


@pytest.mark.parametrize(("plan", "first"), [("hiv", "S05"), ("kidney", "S05"), ("", "S05")])
def test_what_is_listed_most_often_comes_first(plan, first):
    (_system, rows), *_others = effects.by_system(plan)
    assert rows[0].code == first


def test_how_often_is_said_for_the_own_source_first():
    nausea = next(one for one in effects.everything() if one.code == "S10")
    assert nausea.listed("hiv") == [("hiv", "less frequent"), ("kidney", "common")]
    assert nausea.listed("kidney") == [("kidney", "common"), ("hiv", "less frequent")]


def test_a_kidney_plan_never_hears_of_days_three_to_five():
    assert "Days 3 to 5" in [part.title for part in effects.days("hiv")]
    assert not [part for part in effects.days("kidney") if "3 to 5" in part.title + part.text]
    assert effects.days("other") == effects.days("") == ()


def test_each_day_of_a_course_is_in_one_part_only():
    for plan in ("hiv", "kidney"):
        for day in range(1, 60):
            assert sum(part.holds(day) for part in effects.days(plan)) == 1
        assert not any(part.holds(None) for part in effects.days(plan))


# The page


@pytest.fixture
def cast(db):
    with time_machine.travel(AT, tick=False):
        cast = factories.cast()
        factories.plan(cast.anna_patient, cast.ben, starts_on=AT.date() - timedelta(days=3))
        yield cast


@pytest.fixture
def page(client, cast):
    def read(user, code=""):
        client.force_login(user)
        return client.get(f"/people/{code}/check-in/effects/" if code else "/check-in/effects/").content.decode()

    return read


def test_the_page_marks_the_days_on_which_the_course_is(page, cast):
    shown = page(cast.anna)
    now = re.search(r'<li aria-current="date">.*?<b>([^<]+)</b>', shown)
    assert now is not None
    assert now[1] == "Days 3 to 5"
    assert shown.index("Serious effects can start on any day") < shown.index("On which day")


def test_every_effect_and_the_date_of_each_source_is_on_the_page(page, cast):
    shown = page(cast.anna)
    assert [one.code for one in effects.everything() if one.words not in shown] == []
    assert "Written 10 December 2015. It may be outdated." in shown
    assert "Written about February 2007. It may be outdated." in shown


def test_a_kidney_plan_reads_the_days_of_its_own_source(page, cast):
    factories.plan(cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=AT.date() - timedelta(days=9))
    shown = page(cast.dan)
    now = re.search(r'<li aria-current="date">.*?<b>([^<]+)</b>', shown)
    assert now is not None
    assert now[1] == "As the course goes on"
    assert "Days 3 to 5" not in shown
    assert "From Cancer Research UK, 10 December 2015." in shown
    assert "over 38\N{NO-BREAK SPACE}°C" in shown


def test_a_plan_of_a_kind_that_the_sources_do_not_describe_names_no_days(page, cast):
    factories.plan(cast.dan_patient, cast.ben, protocol="hiv-low-daily", starts_on=AT.date())
    assert "On which day" not in page(cast.dan)


def test_how_often_is_said_in_words_of_each_text(page, cast):
    assert "Listed as less frequent (HIV text); common (kidney text)" in page(cast.anna)


def test_without_a_plan_the_page_names_no_days_and_the_limit_without_a_plan(page, cast):
    shown = page(cast.dan)
    assert "On which day" not in shown
    assert "over 38\N{NO-BREAK SPACE}°C" in shown


def test_nothing_on_the_page_calms_while_something_urgent_is_open(page, cast):
    calm = ["fade quickly", "Drink plenty", "On which day", "nearly always get better"]
    assert [words for words in calm if words not in page(cast.anna)] == []
    save(cast.anna, cast.anna_patient, AT, flags=frozenset({"urine_less"}))
    shown = page(cast.anna)
    assert [words for words in calm if words in shown] == []
    assert shown.index("Something urgent was reported") < shown.index("Serious effects can start on any day")
    assert "Contact your team at once." in shown


def taken_in_hand(cast, report):
    alerts.acknowledge(by=cast.ben, alert=report, now=AT + timedelta(minutes=5))


def lifted(cast, report):
    taken_in_hand(cast, report)
    alerts.answer(by=cast.anna, alert=report, answer="not_reached", now=AT + timedelta(minutes=9))


@pytest.mark.parametrize("become", [taken_in_hand, lifted])
def test_nothing_calms_before_somebody_has_closed_it(page, cast, become):
    become(cast, save(cast.anna, cast.anna_patient, AT, flags=frozenset({"urine_less"})).alerts.get())
    shown = page(cast.anna)
    assert "Something urgent was reported" in shown
    assert [words for words in ("fade quickly", "Drink plenty", "On which day") if words in shown] == []


def test_the_worst_report_stands_on_top_whoever_has_it_in_hand(page, cast):
    taken_in_hand(cast, save(cast.anna, cast.anna_patient, AT, flags=frozenset({"chest_pain"})).alerts.get())
    save(cast.anna, cast.anna_patient, AT, flags=frozenset({"urine_less"}))
    assert "<b>Chest pain</b>" in page(cast.anna)


def test_what_the_clinic_expects_is_a_plain_sentence(page, cast):
    dizzy, until = Symptom.objects.get(code="dizzy"), AT.date() + timedelta(days=4)
    expect(by=cast.ben, patient=cast.anna_patient, symptom=dizzy, worst=2, until=until, now=AT, note="New tablets.")
    shown = page(cast.anna)
    assert "Dizzy, up to moderate, until Wednesday 25 November 2026. New tablets." in shown
    assert "If it gets worse than that, or if you worry about it, call." in shown


def test_a_clinician_reads_codes_and_lines_and_a_patient_does_not(page, cast):
    assert "S11, B79, A68" in page(cast.ben, cast.anna_patient.code)
    assert "S11, B79, A68" not in page(cast.anna)


def test_the_page_takes_the_same_statements_whatever_is_expected(page, cast, django_assert_max_num_queries):
    def counted():
        with django_assert_max_num_queries(60) as found:
            page(cast.anna)
        return len(found)

    page(cast.anna)
    before = counted()
    for symptom in Symptom.objects.filter(code__in=["dizzy", "weak", "aches"]):
        expect(by=cast.ben, patient=cast.anna_patient, symptom=symptom, worst=1, until=AT.date(), now=AT)
    assert counted() == before
