"""What was taken along comes back: the same results in another diary, and none twice in the same one."""

import json

import pytest
from django.utils import timezone

from il2tracker.accounts.models import Patient
from labs.error_actions import void_result
from labs.models import LabResult
from tests import factories
from tests.exchange.conftest import RESULTS, bring, facts, take

KINDS = ("table", "record", "fhir")


def test_the_diary_of_these_tests_holds_every_kind_of_result(full):
    assert LabResult.objects.standing().of(full).count() == len(RESULTS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_result_comes_back_equal_in_an_empty_diary(cast, full, empty, kind):
    before = facts(full)
    bring(empty, take(full, cast.ben, kind), cast.ben)
    assert facts(empty) == before


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_diary_gets_nothing_twice(cast, full, kind):
    before = facts(full)
    batch = bring(full, take(full, cast.ben, kind), cast.ben)
    assert facts(full) == before
    assert batch.outcomes.get("already there") == len(RESULTS)


@pytest.mark.parametrize("kind", KINDS)
def test_moments_come_back_in_a_diary_of_another_zone(cast, full, empty, kind):
    Patient.objects.filter(pk=empty.pk).update(time_zone="Australia/Lord_Howe")
    bring(empty, take(full, cast.ben, kind), cast.ben)
    moments = [list(LabResult.objects.of(who).filter(drawn_at__isnull=False).values_list("drawn_at", flat=True))
               for who in (full, empty)]  # fmt: skip
    assert moments[0] == moments[1]
    assert len(moments[0]) == 1


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_a_result_by_two_routes_is_there_once(cast, full, empty, first, second):
    bring(empty, take(full, cast.ben, first), cast.ben)
    bring(empty, take(full, cast.ben, second), cast.ben)
    assert LabResult.objects.standing().of(empty).count() == len(RESULTS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_journey_changes_nothing(cast, full, empty, kind):
    """Also the ids of the laboratory and the raw text stay, once they have passed through a file."""
    bring(empty, take(full, cast.ben, kind), cast.ben)
    third = factories.lone_patient()
    bring(third, take(empty, cast.ben, kind), None)
    assert facts(third) == facts(empty)


def test_a_removed_result_stays_removed(cast, full, empty):
    void_result(by=cast.ben, result=LabResult.objects.standing().of(full)[0], now=timezone.now(), reason="wrong person")
    record = json.loads(take(full, cast.ben, "record"))
    assert [row["removed_because"] for row in record["removed_results"]] == ["wrong person"]
    for kind in KINDS:
        bring(empty, take(full, cast.ben, kind), cast.ben)
    assert LabResult.objects.standing().of(empty).count() == len(RESULTS) - 1


def test_an_empty_diary_gives_files_that_can_be_read(cast, empty):
    for kind in KINDS:
        take(empty, cast.ben, kind)
    assert json.loads(take(empty, cast.ben, "record"))["results"] == []
    assert len(json.loads(take(empty, cast.ben, "fhir"))["entry"]) == 1
