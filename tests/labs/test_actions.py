"""Keeping, correcting and removing results; the draw before a course."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from il2tracker.audit.models import AuditEvent
from labs import actions
from labs.actions import ConflictError, Drawn
from labs.models import Analyte, LabResult
from labs.units import library
from labs.written import parse
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def reading(text: str, test: str = "cd4") -> Any:
    analyte = Analyte.objects.get(code=test)
    return parse(analyte.rule, text)


def test_a_result_keeps_what_was_written_its_source_and_an_audit_row(cast: factories.Cast, result: Any) -> None:
    kept = result("< 20", on="2026-03-01", test="hiv_rna", by=cast.anna)
    kept.refresh_from_db()
    assert (kept.comparator, kept.value, kept.unit, kept.raw) == ("<", Decimal(20), "copies_ml", "< 20")
    assert (kept.source, kept.entered_by, kept.zone) == ("patient", cast.anna, "Europe/London")
    event = AuditEvent.objects.get(action="labs.result.added")
    assert (event.actor_ref, event.subject_ref) == (cast.anna.ref, kept.ref)
    assert "20" not in event.detail


@pytest.mark.parametrize(("who", "source"), [("anna", "patient"), ("sam", "carer"), ("ben", "clinic")])
def test_who_may_add_and_as_what(cast: factories.Cast, result: Any, who: str, source: str) -> None:
    assert result("612", on="2026-03-01", by=getattr(cast, who)).source == source


@pytest.mark.parametrize("who", ["carla", "dan", "eve"])
def test_others_may_neither_add_nor_change_nor_remove(cast: factories.Cast, result: Any, who: str) -> None:
    stranger, kept = getattr(cast, who), result("612", on="2026-03-01")
    with pytest.raises(PermissionDenied):
        result("613", on="2026-03-02", by=stranger)
    with pytest.raises(PermissionDenied):
        actions.correct_result(by=stranger, result=kept, reading=reading("61"), drawn=Drawn(kept.drawn_on), now=NOW)
    with pytest.raises(PermissionDenied):
        actions.void_result(by=stranger, result=kept, now=NOW, reason="x")


def test_the_same_result_twice_is_one_row(cast: factories.Cast, result: Any) -> None:
    assert result("612", on="2026-03-01") == result("612.0", on="2026-03-01")
    assert LabResult.objects.count() == 1


def test_another_value_for_the_same_draw_is_asked_about_and_may_replace(cast: factories.Cast, result: Any) -> None:
    first = result("612", on="2026-03-01")
    with pytest.raises(ConflictError):
        result("640", on="2026-03-01")
    second = result("640", on="2026-03-01", replace=True)
    assert second.pk == first.pk
    assert [row.value for row in first.history.order_by("history_id")] == [Decimal(612), Decimal(640)]
    assert second.status == "corrected"


def test_the_database_keeps_one_standing_result_per_fingerprint(cast: factories.Cast, result: Any) -> None:
    kept = result("612", on="2026-03-01")
    kept.pk, kept.ref = None, "otherref22"
    with pytest.raises(IntegrityError), transaction.atomic():
        kept.save()


def test_a_day_to_come_is_refused_in_the_patients_own_calendar(cast: factories.Cast, result: Any) -> None:
    today = cast.anna_patient.today(NOW)
    assert result("612", on=today.isoformat())
    with pytest.raises(ValidationError, match="has not come yet"):
        result("612", on=(today + timedelta(days=1)).isoformat())
    with pytest.raises(ValidationError, match="has not come yet"):
        result("612", on=today.isoformat(), at=timezone.now() + timedelta(hours=1))


def test_a_correction_keeps_the_old_value_and_who_changed_it(cast: factories.Cast, result: Any) -> None:
    kept = result("61", on="2026-03-01", by=cast.anna)
    actions.correct_result(
        by=cast.ben, result=kept, reading=reading("612"), drawn=Drawn(date(2026, 3, 2)), now=NOW, note="typing slip"
    )
    new, old = kept.history.order_by("-history_id")
    assert (new.value, new.history_user, new.note, new.drawn_on) == (612, cast.ben, "typing slip", date(2026, 3, 2))
    assert (old.value, old.history_user) == (61, cast.anna)


def test_a_removed_result_frees_its_place_and_stays_as_a_row(cast: factories.Cast, result: Any) -> None:
    kept = result("612", on="2026-03-01")
    with pytest.raises(ValidationError, match="Say why"):
        actions.void_result(by=cast.ben, result=kept, now=NOW, reason="  ")
    actions.void_result(by=cast.ben, result=kept, now=NOW, reason="another patient’s")
    assert not LabResult.objects.standing().exists()
    again = result("612", on="2026-03-01")
    assert again.pk != kept.pk
    assert actions.void_result(by=cast.ben, result=kept, now=NOW, reason="again").void_reason == "another patient’s"
    with pytest.raises(ValidationError, match="was removed"):
        actions.correct_result(by=cast.ben, result=kept, reading=reading("1"), drawn=Drawn(kept.drawn_on), now=NOW)


def test_the_library_is_loaded_once_however_often_it_is_loaded(cast: factories.Cast) -> None:
    actions.load_library()
    actions.load_library()
    assert [a.code for a in Analyte.objects.all()] == list(library())


def test_timing_matters_only_for_what_il2_disturbs(cast: factories.Cast) -> None:
    timed = {analyte.code for analyte in Analyte.objects.all() if analyte.rule.timing_matters}
    assert timed == {"cd4", "cd4_percent", "cd4_cd8_ratio", "hiv_rna"}


# The draw before a course


def test_bloodwork_is_booked_and_drawn_once_per_course(cast: factories.Cast) -> None:
    cycle = factories.plan(cast.anna_patient, cast.ben).cycles.first()
    booked = actions.book_bloodwork(by=cast.anna, cycle=cycle, booked_for=date(2026, 12, 1))
    drawn = actions.record_drawn(by=cast.ben, cycle=cycle, drawn_on=date(2026, 1, 5), now=NOW)
    assert (booked.pk, drawn.booked_for, drawn.drawn_on) == (drawn.pk, date(2026, 12, 1), date(2026, 1, 5))
    with pytest.raises(ValidationError, match="has not come yet"):
        actions.record_drawn(by=cast.ben, cycle=cycle, drawn_on=date(2126, 1, 5), now=NOW)
    with pytest.raises(PermissionDenied):
        actions.book_bloodwork(by=cast.carla, cycle=cycle, booked_for=None)
