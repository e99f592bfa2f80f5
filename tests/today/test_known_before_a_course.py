"""What the diary knows by itself before a course: results and viral load, as plain facts that a person looks at."""

from datetime import date

import pytest
import time_machine

from cycles.models import Cycle
from il2tracker.today.ready import compose
from labs import written
from labs.actions import Drawn, add_results
from labs.models import Analyte
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
BEFORE, NOW, START = utc(2026, 2, 1, 12), utc(2026, 3, 1, 12), date(2026, 3, 4)


@pytest.fixture
def told(cast):
    """`told((day, load, cd4), …)`: what is known three days before the first course with these results."""

    def tell(*draws, **plan):
        with time_machine.travel(NOW, tick=False):
            factories.plan(cast.anna_patient, cast.ben, starts_on=START, now=BEFORE, **plan)
            tests = {test.code: test for test in Analyte.objects.all()}
            for day, *typed in draws:
                pairs = zip(("hiv_rna", "cd4"), typed, strict=True)
                readings = {tests[code]: written.parse(tests[code].rule, text) for code, text in pairs if text}
                drawn = Drawn(date.fromisoformat(day))
                add_results(by=cast.ben, patient=cast.anna_patient, drawn=drawn, readings=readings, now=NOW)
            found = compose(cast.anna_patient, Cycle.objects.of(cast.anna_patient), NOW).known
        return {fact.code: fact for fact in found}

    return tell


def test_a_viral_load_that_can_be_measured_is_only_said(told):
    """P20, W8: detectable alone is a note."""
    load = told(("2026-02-03", "60", "540"), ("2026-02-18", "90", "560"))["viral_load"]
    assert "90" in load.words
    assert not load.needs_a_person


def test_a_viral_load_that_rose_needs_a_person(told):
    """P67: half a log10 step or more above the last one that counts."""
    load = told(("2026-02-03", "60", "540"), ("2026-02-18", "400", "560"))["viral_load"]
    assert load.words.startswith("Up: 400")
    assert load.needs_a_person


def test_results_that_are_not_in_need_a_person_and_say_which(told):
    """P66: measured before IL-2, best with the results in hand before day 1."""
    results = told(("2026-02-18", "", "560"))["results"]
    assert results.needs_a_person
    assert "viral load" in results.words
    assert "CD4+" not in results.words


def test_results_that_are_in_are_only_said(told):
    results = told(("2026-02-18", "<20", "560"))["results"]
    assert not results.needs_a_person


def test_on_a_plan_whose_timing_says_nothing_about_them_nothing_is_asked_about_them(told):
    assert told(("2026-02-18", "400", "560"), protocol="kidney-label") == {}
