"""One last injection and one answer to "are the results in", for Today, the course page, the panel and reminders."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cycles import last_doses
from cycles.models import Cycle, PlannedDose
from cycles.plan_actions import open_next_cycle
from il2tracker.accounts import actions as accounts
from il2tracker.clinic import worklist
from il2tracker.reminders import facts_of_courses as reminders
from il2tracker.reminders import kinds
from il2tracker.today import blood, board, course, dates, home
from labs import actions, course_tests, facts
from labs.models import LabResult
from labs.trends import Draw
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 10, 12)
START, NEXT = date(2026, 9, 23), date(2026, 11, 18)  # the last planned day of course 1 is 27 September


@pytest.fixture
def plan(cast: factories.Cast) -> Any:
    made = factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=NOW)
    open_next_cycle(plan=made, today=NOW.date())
    return made


def give(cast: factories.Cast, *, last_at: Any = None, last_day: int = 5) -> None:
    doses = list(PlannedDose.objects.filter(cycle__number=1, day__lte=last_day))
    for dose in doses[:-1]:
        factories.injection(cast.anna_patient, cast.anna, dose, now=NOW)
    factories.injection(cast.anna_patient, cast.anna, doses[-1], at=last_at, now=NOW)
    for dose in PlannedDose.objects.filter(cycle__number=1, day__gt=last_day):
        factories.injection(cast.anna_patient, cast.anna, dose, state="skipped", reason="ill", now=NOW)


def coming() -> Cycle:
    return Cycle.objects.annotate(**course_tests.facts()).get(number=2)


EXAMPLES = [
    ("nothing recorded", lambda cast: None, date(2026, 9, 27)),
    ("all given", give, date(2026, 9, 27)),
    ("day 5 skipped", lambda cast: give(cast, last_day=4), date(2026, 9, 26)),
    ("the last one after midnight", lambda cast: give(cast, last_at=utc(2026, 9, 27, 23, 20)), date(2026, 9, 28)),
    (
        "one beside the plan",
        lambda cast: factories.injection(cast.anna_patient, cast.anna, at=utc(2026, 10, 5, 12), amount=5, now=NOW),
        date(2026, 10, 5),
    ),
    (
        "an earlier treatment that ended later",
        lambda cast: accounts.update_patient(
            by=cast.anna, patient=cast.anna_patient, earlier_il2="on", earlier_il2_on=date(2026, 10, 9)
        ),
        date(2026, 10, 9),
    ),
]


@pytest.mark.parametrize(("what", "act", "expected"), EXAMPLES, ids=[each[0] for each in EXAMPLES])
def test_everybody_counts_from_the_same_last_injection(
    cast: factories.Cast, plan: Any, what: str, act: Any, expected: date
) -> None:
    act(cast)
    patient = type(cast.anna_patient).objects.get(pk=cast.anna_patient.pk)
    assert last_doses.last_dose_on(coming(), patient) == expected
    assert board.read(patient, NOW).last_dose_on == expected
    [seen] = worklist.gather(type(patient).objects.filter(pk=patient.pk), NOW)
    assert seen.last_dose_on == expected
    judged = facts.load([patient], NOW)[patient.pk].record.judge(Draw(NOW.date()))
    assert judged.last_dose_on == expected
    window = reminders.cycle(coming().pk, NOW).window
    assert window is None or window[0] == max(date(2026, 11, 4), judged.reliable_from)


def test_of_a_course_that_is_running_the_injections_to_come_are_counted(cast: factories.Cast) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 11, 9), now=NOW)
    assert board.read(cast.anna_patient, NOW).last_dose_on == date(2026, 11, 13)


DRAWS = [
    ("none", [], "unknown", False),
    ("only the count", [("cd4", "2026-11-04")], "never", False),
    ("both on one day", [("cd4", "2026-11-04"), ("hiv_rna", "2026-11-04")], "never", True),
    ("both on two days", [("cd4", "2026-11-04"), ("hiv_rna", "2026-11-06")], "never", True),
    ("before the window", [("cd4", "2026-10-27"), ("hiv_rna", "2026-11-04")], "never", False),
    ("first day of the window", [("cd4", "2026-10-28"), ("hiv_rna", "2026-10-28")], "never", True),
    ("an earlier treatment too late", [("cd4", "2026-11-03"), ("hiv_rna", "2026-11-04")], "on", False),
]


@pytest.mark.parametrize(("what", "drawn", "earlier", "are_in"), DRAWS, ids=[each[0] for each in DRAWS])
def test_today_the_course_page_the_panel_and_reminders_agree_whether_results_are_in(
    cast: factories.Cast, plan: Any, result: Any, what: str, drawn: list[tuple[str, str]], earlier: str, are_in: bool
) -> None:
    for test, on in drawn:
        result("600", on=on, test=test)
    ended = date(2026, 10, 4) if earlier == "on" else None
    patient = accounts.update_patient(
        by=cast.anna, patient=cast.anna_patient, earlier_il2=earlier, earlier_il2_on=ended
    )
    page = course.compose(patient, NOW, "12", number=None, before=None)
    assert page is not None
    stages = {home.compose(patient, NOW, "12").blood.stage, page.blood.stage}
    assert (stages == {blood.Stage.RESULTS_IN}) is are_in
    assert len(stages) == 1
    [seen] = worklist.gather(type(patient).objects.filter(pk=patient.pk), NOW)
    assert (worklist.missing_results(seen) == []) is are_in
    assert reminders.cycle(coming().pk, NOW).results_in is are_in


def test_while_nobody_knows_of_an_earlier_treatment_no_result_is_in_and_the_panel_says_why(
    cast: factories.Cast, result: Any
) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=NEXT, now=NOW)
    for test in ("cd4", "hiv_rna"):
        result("600", on="2026-11-04", test=test)
    [seen] = worklist.gather(type(cast.anna_patient).objects.filter(pk=cast.anna_patient.pk), NOW)
    assert worklist.missing_results(seen) == []
    patient = accounts.update_patient(by=cast.anna, patient=cast.anna_patient, earlier_il2="unknown")
    [seen] = worklist.gather(type(patient).objects.filter(pk=patient.pk), NOW)
    assert worklist.reasons(seen, NOW, "12")[0].words == "Not known whether there was IL-2 before this diary"


UNREAD = [
    ("words", {"value": None, "unit": "", "text": "specimen clotted", "detected": None}),
    ("an unknown unit", {"unit": "", "unit_text": "furlongs"}),
    ("preliminary", {"status": "preliminary"}),
    ("removed", {"voided_at": NOW}),
]


@pytest.mark.parametrize(("what", "changed"), UNREAD, ids=[each[0] for each in UNREAD])
def test_a_result_that_cannot_be_read_is_waited_for_like_none(
    cast: factories.Cast, plan: Any, result: Any, what: str, changed: dict[str, Any]
) -> None:
    kept = [result("600", on="2026-11-04", test="cd4"), result("<20", on="2026-11-04", test="hiv_rna")]
    assert reminders.cycle(coming().pk, NOW).results_in
    LabResult.objects.filter(pk=kept[0].pk).update(**changed)
    assert not reminders.cycle(coming().pk, NOW).results_in
    assert course_tests.lacking(coming(), cast.anna_patient) == ["cd4"]
    assert home.compose(cast.anna_patient, NOW, "12").blood.stage is not blood.Stage.RESULTS_IN


def test_not_detected_is_a_result(cast: factories.Cast, plan: Any, result: Any) -> None:
    result("600", on="2026-11-04", test="cd4")
    result("not detected", on="2026-11-04", test="hiv_rna")
    assert course_tests.lacking(coming(), cast.anna_patient) == []


def test_a_draw_in_the_window_that_a_later_injection_makes_unreliable_does_not_fulfil(
    cast: factories.Cast, plan: Any, result: Any
) -> None:
    for test in ("cd4", "hiv_rna"):
        result("600", on="2026-11-04", test=test)
    assert course_tests.lacking(coming(), cast.anna_patient) == []
    factories.injection(cast.anna_patient, cast.anna, at=utc(2026, 10, 7, 12), amount=5, now=NOW)
    assert course_tests.lacking(coming(), cast.anna_patient) == ["cd4", "hiv_rna"]
    assert not reminders.cycle(coming().pk, NOW).results_in


ASKS = {"bloodwork_book", "bloodwork_due", "bloodwork_overdue"}
STAGES = [
    ("nothing yet", None, None, blood.Stage.OVERDUE, ASKS),
    ("booked for a day to come", date(2026, 11, 12), None, blood.Stage.BOOKED, set()),
    ("booked, and the day is over", date(2026, 11, 9), None, blood.Stage.OVERDUE, ASKS),
    ("booked for another course", date(2026, 12, 30), None, blood.Stage.OVERDUE, ASKS),
    ("drawn", None, date(2026, 11, 6), blood.Stage.DRAWN, set()),
    ("drawn before these weeks", None, date(2026, 10, 20), blood.Stage.OVERDUE, ASKS),
]


@pytest.mark.parametrize(("what", "booked", "drawn", "stage", "asked"), STAGES, ids=[each[0] for each in STAGES])
def test_booked_and_drawn_end_what_asks_for_the_draw_and_results_end_everything(
    cast: factories.Cast,
    plan: Any,
    result: Any,
    what: str,
    booked: date | None,
    drawn: date | None,
    stage: blood.Stage,
    asked: set[str],
) -> None:
    """2.4, B4, on 10 November: the draw was due on the 4th, the course starts on the 18th."""
    actions.book_bloodwork(by=cast.anna, cycle=coming(), booked_for=booked)
    actions.record_drawn(by=cast.anna, cycle=coming(), drawn_on=drawn, now=NOW)
    assert home.compose(cast.anna_patient, NOW, "12").blood.stage is stage
    assert asked_for() == asked | {"results_missing"}
    for test in ("cd4", "hiv_rna"):
        result("600", on="2026-11-04", test=test)
    assert home.compose(cast.anna_patient, NOW, "12").blood.stage is blood.Stage.RESULTS_IN
    assert asked_for() == set()


def asked_for() -> set[str]:
    """The kinds of mail about blood that would still be wanted for the coming course."""
    fact = reminders.cycle(coming().pk, NOW)
    return {kind.name for kind in kinds.DAY_KINDS if kind.is_bloodwork and fact.blocked(kind) is None}


@pytest.mark.parametrize(
    ("starts", "due"),
    [
        (date(2026, 12, 2), date(2026, 11, 18)),  # a Wednesday
        (date(2026, 12, 5), date(2026, 11, 20)),  # due on a Saturday: the Friday before
        (date(2026, 12, 6), date(2026, 11, 20)),  # due on a Sunday
    ],
)
def test_a_draw_that_falls_due_at_a_weekend_is_asked_for_on_the_friday_before(
    cast: factories.Cast, starts: date, due: date
) -> None:
    factories.plan(cast.anna_patient, cast.ben, starts_on=starts, now=NOW)
    found = home.compose(cast.anna_patient, NOW, "12")
    assert found.blood.due_on == due
    assert dates.blood_test_day(board.read(cast.anna_patient, NOW), None) == due


def test_a_friday_on_which_blood_would_be_too_soon_is_not_asked_for(cast: factories.Cast) -> None:
    """The injection of 22 October makes 22 November the first reliable day: a Sunday, and the due day."""
    factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 12, 6), now=NOW)
    factories.injection(cast.anna_patient, cast.anna, at=utc(2026, 10, 22, 12), amount=5, now=NOW)
    assert home.compose(cast.anna_patient, NOW, "12").blood.due_on == date(2026, 11, 22)
