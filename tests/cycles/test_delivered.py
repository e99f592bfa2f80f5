"""What was given of each course: "9 of 10, 67.5 of 75 million units"."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles import delivered
from cycles.course_actions import stop_cycle
from cycles.delivered import Delivered
from cycles.models import PlannedDose
from cycles.plan_actions import open_next_cycle
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
START = date(2026, 11, 18)
AFTER = utc(2026, 11, 30, 12)


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def plan(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=utc(2026, 11, 10))


@pytest.fixture
def doses(plan):
    return list(plan.cycles.get(number=1).doses.all())


def give(cast, doses, **facts):
    return [
        factories.injection(cast.anna_patient, cast.anna, dose, now=dose.due_at, site="aur", **facts).injection
        for dose in doses
    ]


def of_first(plan, now=AFTER):
    cycle = plan.cycles.get(number=1)
    return delivered.of_courses([cycle], now)[cycle.pk]


def test_nine_of_ten(cast, plan, doses):
    give(cast, doses[:9])
    give(cast, doses[9:], state="skipped", reason="ill")
    got = of_first(plan)
    assert got.words == "9 of 10, 67.5 of 75 million units"
    assert got.notes_words == "1 not taken"


def test_part_off_plan_undone_and_unrecorded_are_each_said(cast, plan, doses):
    """2.14, D18: kept apart, never mixed into the sum of the plan."""
    give(cast, doses[:2], state="partial", amount=Decimal("4.5"))
    (undone,) = give(cast, doses[2:3])
    factories.void(cast.anna, undone)
    give(cast, doses[3:5])
    factories.injection(cast.anna_patient, cast.anna, at=utc(2026, 11, 21, 12), amount=Decimal(3), site="aur")
    got = of_first(plan, now=doses[6].due_at)
    assert got == Delivered(
        planned=10,
        planned_amount=Decimal(75),
        given=4,
        in_part=2,
        given_amount=Decimal(24),
        not_taken=0,
        unrecorded=3,
        off_plan=1,
        off_plan_amount=Decimal(3),
    )
    assert got.notes_words == "2 in part; 3 not recorded; 1 outside the plan: 3 million units"


def test_sums_are_exact(cast, plan, doses):
    """A sum of thirds of a milli-unit would show it: nothing here is a binary fraction."""
    for dose, amount in zip(
        doses, ["0.1", "0.2", "0.7", "7.001", "7.333", "7.5", "1.1", "2.2", "3.3", "4.4"], strict=True
    ):
        give(cast, [dose], state="partial", amount=Decimal(amount))
    assert of_first(plan).given_amount == Decimal("33.834")


def test_a_stopped_course_misses_nothing_after_its_stop(cast, plan, doses):
    give(cast, doses[:5])
    stop_cycle(by=cast.ben, cycle=plan.cycles.get(number=1), on=START + timedelta(days=2), reason="rash")
    got = of_first(plan)
    assert (got.words, got.unrecorded) == ("5 of 10, 37.5 of 75 million units", 1)


def test_what_waits_on_hold_is_not_called_unrecorded(cast, plan, doses):
    give(cast, doses[:2])
    factories.hold(cast.ben, plan.cycles.get(number=1), "fever", now=doses[2].due_at)
    assert of_first(plan).unrecorded == 0


def test_an_injection_outside_the_plan_belongs_to_the_course_that_had_started_last(cast, plan, doses):
    open_next_cycle(plan=plan, today=START)
    first, second = plan.cycles.order_by("number")
    for at in (utc(2026, 11, 17, 12), utc(2026, 12, 20, 12), utc(2027, 1, 12, 23, 59), utc(2027, 1, 13, 0, 1)):
        factories.injection(cast.anna_patient, cast.anna, at=at, amount=Decimal(1), site="aur")
    both = delivered.of_courses([first, second], AFTER)
    assert (both[first.pk].off_plan, both[second.pk].off_plan) == (2, 1)
    assert delivered.of_courses([first], AFTER)[first.pk].off_plan == 2


def test_five_weeks_of_the_label_are_279_million_units(cast):
    """O3: 20 injections, 279 million units."""
    plan = factories.plan(
        cast.dan_patient, cast.ben, protocol="kidney-label", starts_on=date(2026, 1, 5), now=utc(2026, 1, 1)
    )
    assert of_first(plan).words == "0 of 20, 0 of 279 million units"


def test_it_costs_three_statements_however_many_courses(cast, plan, doses):
    give(cast, doses)
    for number in range(2, 6):
        open_next_cycle(plan=plan, today=START + timedelta(days=56 * (number - 1)))
    assert PlannedDose.objects.filter(cycle__plan=plan).count() == 60
    cycles = list(plan.cycles.all())
    for some in (cycles[:1], cycles):
        with CaptureQueriesContext(connection) as found:
            delivered.of_courses(some, AFTER)
        assert len(found) == 3
    assert delivered.of_courses([], AFTER) == {}
