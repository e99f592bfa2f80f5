"""What a clinician decides about a suggestion: kept, audited, and nothing of the plan changes."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from cycles.advice_actions import decide
from cycles.models import AdviceDecision, PlanVersion
from il2tracker.accounts import looked
from il2tracker.audit.models import AuditEvent
from tests import factories
from tests.factories import utc

pytestmark = pytest.mark.django_db
NOW = utc(2026, 11, 21, 12)


@pytest.fixture
def cast():
    return factories.cast()


@pytest.fixture
def plan(cast):
    return factories.plan(cast.anna_patient, cast.ben, starts_on=date(2026, 12, 2), now=utc(2026, 11, 20))


@pytest.fixture
def choose(cast, plan):
    def choose(decision="accepted", *, by=None, digest="a" * 64, **more):
        inputs, suggestion = ["CD4+ 655 on 2026-08-05"], {"interval": 84}
        facts = {"rule": "INT-1", "digest": digest, "inputs": inputs, "suggestion": suggestion, "now": NOW}
        return decide(by=by or cast.ben, plan=plan, decision=decision, **facts, **more)

    return choose


def test_a_decision_is_kept_with_what_it_rests_on_and_changes_no_plan(choose, cast, plan):
    row = choose()
    row.refresh_from_db()
    assert (row.plan, row.rule, row.decision, row.decided_by) == (plan, "INT-1", "accepted", cast.ben)
    assert (row.inputs, row.suggestion) == (["CD4+ 655 on 2026-08-05"], {"interval": 84})
    assert PlanVersion.objects.filter(plan=plan).count() == 1


def test_it_is_written_down_in_words_that_name_no_advice(choose, cast):
    row = choose("declined", reason="too soon for her")
    event = AuditEvent.objects.get(action="cycles.advice.declined")
    assert (event.actor_ref, event.patient_ref) == (cast.ben.ref, cast.anna_patient.ref)
    assert (event.subject_ref, event.detail) == (row.ref, "INT-1")
    assert looked.in_words(event.action) == "changed the clinic’s notes on your plan"


@pytest.mark.parametrize("who", ["anna", "sam", "carla", "dan", "eve"])
def test_only_a_member_of_the_patients_clinic_decides(choose, cast, who):
    with pytest.raises(PermissionDenied):
        choose(by=getattr(cast, who))
    assert not AdviceDecision.objects.exists()


def test_a_decline_without_a_reason_is_refused(choose):
    with pytest.raises(ValidationError, match="Say why it is declined"):
        choose("declined")
    assert not AdviceDecision.objects.exists()


@pytest.mark.parametrize("first", ["accepted", "declined"])
def test_what_somebody_has_decided_meanwhile_is_not_decided_twice(choose, first):
    choose(first, reason="no")
    with pytest.raises(ValidationError, match="decided meanwhile"):
        choose()
    assert AdviceDecision.objects.count() == 1


def test_later_is_no_last_word_and_other_inputs_are_another_suggestion(choose):
    choose("later", later_until=date(2026, 11, 28))
    choose("declined", reason="no")
    choose(digest="b" * 64)
    assert AdviceDecision.objects.count() == 3
