"""A small panel of simulated patients, with the rules and the bounds of the large one (tests/bench/alerts.py)."""

import pytest

from sideeffects.facts import Facts
from sideeffects.triage import URGENT, assess
from tests.bench.alerts import FIRST, HIV, KIDNEY, NOON, Tally, changed, is_due, panel, seeds


@pytest.fixture(scope="module")
def small() -> Tally:
    return panel(HIV, 32) + panel(KIDNEY, 8)


def test_fewer_than_one_ordinary_check_in_in_ten_alerts(small: Tally) -> None:
    assert small.ordinary > 3000
    assert 0 < small.share < 0.10


def test_every_seeded_red_flag_interrupts(small: Tally) -> None:
    assert small.seeded > 50
    assert small.missed == []


@pytest.mark.parametrize("treatment", [HIV, KIDNEY], ids=lambda treatment: treatment.plan.indication)
def test_every_kind_of_red_flag_interrupts_an_otherwise_calm_check_in(treatment) -> None:
    calm = Facts(NOON, FIRST, plan=treatment.plan)
    assert not is_due(calm)
    found = {kind: assess(changed(calm, change)) for kind, change in seeds(calm).items()}
    assert len(found) >= 22
    assert [kind for kind, told in found.items() if not {finding.tier for finding in told} & URGENT] == []


def test_the_same_seed_makes_the_same_panel() -> None:
    assert panel(HIV, 2) == panel(HIV, 2)
    assert panel(HIV, 2) != panel(HIV, 2, seed=1)
