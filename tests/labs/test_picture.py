"""What the trend page, the clinic's page and the list are told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cycles.actions import void_injection
from cycles.models import Cycle, Injection, PlannedDose, PlanVersion, Protocol
from il2tracker.accounts.actions import create_patient
from il2tracker.accounts.models import Patient
from labs import facts
from labs.glances import glances
from labs.picture import picture
from labs.trends import Verdict
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 20, 12)
STORY = [
    ("2026-01-14", "388", "4100"),
    ("2026-07-15", "422", "<20"),
    ("2026-08-12", "958", "64"),
    ("2026-09-09", "508", "<20"),
    ("2026-10-14", "840", "<20"),
    ("2026-11-04", "612", "<20"),
]


def given(cast: factories.Cast, upto: datetime = NOW, **more: Any) -> None:
    for dose in PlannedDose.objects.filter(patient=cast.anna_patient, due_at__lt=upto):
        factories.injection(cast.anna_patient, cast.anna, dose, now=NOW, **more)


@pytest.fixture
def story(cast: factories.Cast, result: Any) -> factories.Cast:
    """Anna on the plan from 29 July 2026, every dose given, six draws."""
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 7, 29), now=utc(2026, 11, 20), cd4_goal=600)
    given(cast)
    for on, count, load in STORY:
        result(count, on=on)
        result(load, on=on, test="hiv_rna")
    return cast


def verdicts(patient: Patient, now: datetime = NOW, test: str = "cd4") -> dict[str, Verdict]:
    judged = facts.load([patient], now)[patient.pk].judged()
    return {r.drawn_on.isoformat(): j.verdict for r, j in judged if r.analyte.code == test}


def test_the_trend_of_the_story_is_said_drawn_and_tabled(story: factories.Cast) -> None:
    seen = picture(story.anna_patient, story.anna, NOW)
    assert (seen.last, seen.last_on, seen.change, seen.before) == ("612", date(2026, 11, 4), "", "422")
    assert (seen.viral_load, seen.goal, seen.gained, seen.hiv) == ("less than 20", 600, True, True)
    assert seen.left_out.startswith("2 results were taken too soon")
    assert [row.cd4 for row in seen.rows] == ["612", "840", "508", "958", "422", "388"]
    assert [row.word for row in seen.rows] == [
        "reliable", "too soon", "reliable", "too soon", "before any injection", "before any injection",
    ]  # fmt: skip
    assert [row.reason for row in seen.rows][:2] == ["38 days after course 2", "17 days after course 2"]
    assert [len(panel.wide.shapes) for panel in seen.panels] == [6, 6]


def test_every_mark_of_the_drawings_is_a_row_of_the_table(story: factories.Cast) -> None:
    seen = picture(story.anna_patient, story.anna, NOW, chosen="all")
    texts = [row.cd4 for row in seen.rows]
    assert sorted(shape.text for shape in seen.panels[0].wide.shapes) == sorted(texts)


@pytest.mark.parametrize(("chosen", "draws"), [("1", 6), ("2", 7), ("all", 8)])
def test_a_range_shows_its_years_and_the_sentence_knows_all(
    story: factories.Cast, result: Any, chosen: str, draws: int
) -> None:
    result("300", on="2025-03-01")
    result("250", on="2015-03-01")
    seen = picture(story.anna_patient, story.anna, NOW, chosen=chosen)
    assert len(seen.rows) == draws
    assert (seen.last, seen.total) == ("612", 14)


def test_the_clinicians_variant_adds_doses_nadir_and_progress(story: factories.Cast) -> None:
    patient = story.anna_patient
    patient.nadir_cd4, patient.nadir_on = 212, date(2011, 5, 1)
    patient.save()
    seen = picture(patient, story.ben, NOW, for_clinic=True)
    wide = seen.panels[0].wide
    assert [band.note for band in wide.bands] == ["75 million", "75 million", "37.5 so far"]
    assert "Nadir 212, 2011" in {level.label.text for level in wide.levels}
    assert (seen.early, seen.progress) == (date(2027, 1, 29), "")
    own = picture(patient, story.anna, NOW)
    assert [band.note for band in own.panels[0].wide.bands] == ["", "", ""]
    assert (own.early, own.progress) == (date(2027, 1, 29), "")


LATER = utc(2027, 3, 1, 12)


def only_course_1(patient: Patient) -> None:
    Injection.objects.filter(patient=patient).exclude(planned_dose__cycle__number=1).delete()
    PlannedDose.objects.filter(patient=patient).exclude(cycle__number=1).delete()


@pytest.mark.parametrize(("now", "early", "change"), [(NOW, True, ""), (LATER, False, "190 higher than")])
def test_2_7_nothing_rises_or_falls_before_six_months_at_a_dose(
    story: factories.Cast, now: datetime, early: bool, change: str
) -> None:
    only_course_1(story.anna_patient)
    seen = picture(story.anna_patient, story.anna, now)
    assert (seen.early is not None, seen.change, seen.gained) == (early, change, True)
    assert seen.bar is not None
    assert (seen.bar.arrow == "") is early


def test_2_7_no_clear_rise_is_told_to_clinicians_only_and_names_no_other_route(
    story: factories.Cast, result: Any
) -> None:
    only_course_1(story.anna_patient)
    for on in ("2026-11-12", "2026-11-13"):
        result("400", on=on)
    said = picture(story.anna_patient, story.ben, LATER, for_clinic=True).progress
    assert said == "No clear rise after 6 months at this dose; review whether to go on. See the evidence."
    assert picture(story.anna_patient, story.anna, LATER).progress == ""


@pytest.mark.parametrize(("kind", "number", "goal"), [("above", 600, 600), ("rise", 150, 572), ("percent", 200, 844)])
def test_m6_the_goal_is_drawn_where_its_kind_puts_it(story: factories.Cast, kind: str, number: int, goal: int) -> None:
    story.anna_patient.refresh_from_db()
    story_plan = PlanVersion.objects.get(plan__patient=story.anna_patient)
    story_plan.goal_kind, story_plan.cd4_goal = kind, number
    story_plan.save()
    seen = picture(story.anna_patient, story.ben, NOW)
    assert seen.goal == goal
    assert f"Goal: above {goal}" in {level.label.text for level in seen.panels[0].wide.levels}


def test_d5_a_goal_over_a_baseline_that_nobody_drew_is_no_goal(cast: factories.Cast, result: Any) -> None:
    terms = {"cd4_goal": 150, "goal_kind": "rise"}
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 7, 29), now=utc(2026, 11, 20), **terms)
    given(cast)
    result("508", on="2026-09-09")
    seen = picture(cast.anna_patient, cast.anna, NOW)
    assert seen.goal is None


def test_the_clock_of_a_dose_starts_again_when_the_dose_changes(story: factories.Cast) -> None:
    later = Cycle.objects.get(patient=story.anna_patient, number=3).version
    later.document = {**later.document, "phases": [{**later.document["phases"][0]}]}
    later.document["phases"][0]["doses"] = [{"days": "1-5", "slots": ["am", "pm"], "amount": "6"}]
    later.pk, later.number = None, 2
    later.save()
    Cycle.objects.filter(patient=story.anna_patient, number=3).update(version=later)
    PlannedDose.objects.filter(patient=story.anna_patient, cycle__number=3).update(amount=6)
    assert picture(story.anna_patient, story.ben, NOW, for_clinic=True).early == date(2027, 5, 18)


# Verdicts from what was really recorded


def test_an_evening_dose_after_midnight_moves_the_window_by_a_day(cast: factories.Cast, result: Any) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 3, 4), now=utc(2026, 5, 1))
    doses = list(PlannedDose.objects.filter(patient=cast.anna_patient, cycle__number=1))
    for dose in doses[:-1]:
        factories.injection(cast.anna_patient, cast.anna, dose, now=NOW)
    factories.injection(cast.anna_patient, cast.anna, doses[-1], at=utc(2026, 3, 9, 0, 20), now=NOW)
    for day in ("2026-04-06", "2026-04-07", "2026-04-08", "2026-04-09"):
        result("500", on=day)
    assert list(verdicts(cast.anna_patient, utc(2026, 4, 20)).values()) == [
        Verdict.UNRELIABLE, Verdict.BORDERLINE, Verdict.BORDERLINE, Verdict.RELIABLE,
    ]  # fmt: skip


def test_unlogged_doses_count_as_given_and_say_so(cast: factories.Cast, result: Any) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 10, 14), now=utc(2026, 11, 20))
    result("958", on="2026-10-28")
    [row] = picture(cast.anna_patient, cast.anna, NOW).rows
    assert row.word == "too soon"
    assert row.reason == "10 days after course 1; not confirmed, because an injection before it was not recorded"


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"state": "held"}, Verdict.BASELINE),
        ({"state": "cancelled"}, Verdict.BASELINE),
        ({"state": "stopped_early", "stopped_on": date(2026, 10, 13)}, Verdict.BASELINE),
        ({"state": "stopped_early", "stopped_on": date(2026, 10, 14)}, Verdict.UNRELIABLE),
    ],
)
def test_doses_of_a_course_that_did_not_go_on_do_not_count(
    cast: factories.Cast, result: Any, change: dict[str, Any], verdict: Verdict
) -> None:
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 10, 14), now=utc(2026, 11, 20))
    Cycle.objects.filter(pk=plan.cycles.get(number=1).pk).update(**change)
    result("958", on="2026-10-28")
    assert list(verdicts(cast.anna_patient).values()) == [verdict]


def test_skipped_doses_do_not_count(cast: factories.Cast, result: Any) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 10, 14), now=utc(2026, 11, 20))
    given(cast, state="skipped", reason="ill")
    result("600", on="2026-10-28")
    assert list(verdicts(cast.anna_patient).values()) == [Verdict.BASELINE]


def test_undoing_a_dose_recomputes_every_reading_after_it(story: factories.Cast) -> None:
    before = verdicts(story.anna_patient)["2026-08-12"]
    for injection in Injection.objects.filter(patient=story.anna_patient, planned_dose__cycle__number=1):
        void_injection(by=story.anna, injection=injection, now=NOW, reason="not me")
    after = facts.load([story.anna_patient], NOW)[story.anna_patient.pk].judged()
    changed = next(j for r, j in after if r.drawn_on == date(2026, 8, 12))
    assert (before, changed.verdict, changed.unconfirmed) == (Verdict.UNRELIABLE, Verdict.UNRELIABLE, True)


def test_on_a_kidney_plan_the_verdict_does_not_apply(cast: factories.Cast, result: Any) -> None:
    row = Protocol.objects.filter(indication="kidney", timing_matters=False).first()
    document = factories.filled(row.regimen, Decimal(9)).document()
    facts_of_plan = {"protocol": row.slug, "document": document, "starts_on": date(2026, 10, 5)}
    factories.plan(cast.dan_patient, cast.ben, now=utc(2026, 11, 20), **facts_of_plan)
    result("600", on="2026-10-28", patient=cast.dan_patient)
    assert list(verdicts(cast.dan_patient).values()) == [Verdict.NOT_APPLICABLE]
    seen = picture(cast.dan_patient, cast.dan, NOW)
    assert (seen.last, seen.hiv, [row.word for row in seen.rows]) == ("600", False, [""])


def test_what_is_not_known_of_earlier_treatment_is_said(cast: factories.Cast, result: Any) -> None:
    cast.anna_patient.earlier_il2 = "unknown"
    cast.anna_patient.save()
    result("600", on="2026-10-28")
    [row] = picture(cast.anna_patient, cast.anna, NOW).rows
    assert (row.word, row.counts) == ("not known", False)


def test_a_viral_load_that_rose_after_a_course_is_shown_but_not_trusted(story: factories.Cast, result: Any) -> None:
    result("900", on="2026-11-20", test="hiv_rna")
    seen = picture(story.anna_patient, story.anna, NOW)
    assert (seen.viral_load, seen.viral_load_rose) == ("less than 20", True)


def test_one_reading_is_a_sentence_and_a_bar_without_a_drawing(cast: factories.Cast, result: Any) -> None:
    result("600", on="2026-10-28")
    seen = picture(cast.anna_patient, cast.anna, NOW)
    assert seen.panels == []
    assert seen.bar is not None
    assert (seen.last, seen.change) == ("600", "")


def test_without_results_everything_is_empty(cast: factories.Cast) -> None:
    seen = picture(cast.anna_patient, cast.anna, NOW)
    assert (seen.total, seen.rows, seen.panels, seen.bar, seen.last) == (0, [], [], None, "")


def test_two_draws_of_one_day_are_two_rows(cast: factories.Cast, result: Any) -> None:
    result("600", on="2026-10-28", at=utc(2026, 10, 28, 8))
    result("610", on="2026-10-28", at=utc(2026, 10, 28, 18))
    assert [row.cd4 for row in picture(cast.anna_patient, cast.anna, NOW).rows] == ["610", "600"]


# Lists


def test_a_glance_has_the_last_reliable_count_with_its_age(story: factories.Cast) -> None:
    glance = glances([story.anna_patient], NOW)[story.anna_patient.pk]
    assert (glance.last, glance.age, glance.stale, glance.viral_load) == ("612", 16, False, "less than 20")
    assert len(glance.spark.hollow) == 2
    old = glances([story.anna_patient], NOW + timedelta(days=90))[story.anna_patient.pk]
    assert old.stale


def test_fifty_patients_take_as_many_statements_as_one(
    story: factories.Cast, result: Any, django_assert_num_queries: Any
) -> None:
    many = [create_patient(by=story.ben, clinic=story.north, name=f"P{n}") for n in range(50)]
    for patient in many[:10]:
        result("500", on="2026-10-28", patient=patient)
    with django_assert_num_queries(6):
        one = glances([story.anna_patient], NOW)
    with django_assert_num_queries(6):
        fifty = glances([story.anna_patient, *many], NOW)
    assert len(one) == 1
    assert len(fifty) == 51


def test_a_trend_takes_the_same_statements_for_six_draws_as_for_three_hundred(
    story: factories.Cast, result: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(7):
        picture(story.anna_patient, story.ben, NOW, chosen="all", for_clinic=True)
    for n in range(100):
        result("500", on=(date(2020, 1, 1) + timedelta(days=7 * n)).isoformat())
    with django_assert_num_queries(7):
        picture(story.anna_patient, story.ben, NOW, chosen="all", for_clinic=True)
