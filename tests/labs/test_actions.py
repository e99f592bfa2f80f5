"""Keeping, correcting and removing results; the draw before a course."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from il2tracker.audit.models import AuditEvent
from labs import actions, error_actions
from labs.actions import ConflictError, Conflicts, Drawn, Entry
from labs.models import Analyte, LabResult, rules
from labs.units import library
from labs.written import parse
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def reading(text: str, test: str = "cd4") -> Any:
    analyte = Analyte.objects.get(code=test)
    return parse(analyte.rule, text)


def correct(kept: LabResult, text: str, *, by: Any, drawn: Drawn | None = None, reason: str = "misread") -> LabResult:
    drawn = drawn or Drawn(kept.drawn_on, kept.drawn_at)
    return actions.correct_result(by=by, result=kept, reading=reading(text), drawn=drawn, now=NOW, reason=reason)


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
        correct(kept, "61", by=stranger)
    with pytest.raises(PermissionDenied):
        error_actions.void_result(by=stranger, result=kept, now=NOW, reason="x")
    error_actions.void_result(by=cast.ben, result=kept, now=NOW, reason="x")
    with pytest.raises(PermissionDenied):
        error_actions.restore_result(by=stranger, result=kept)


def test_the_same_result_twice_is_one_row(cast: factories.Cast, result: Any) -> None:
    assert result("612", on="2026-03-01") == result("612.0", on="2026-03-01")
    assert LabResult.objects.count() == 1


def test_another_value_for_the_same_draw_is_asked_about_and_may_replace(cast: factories.Cast, result: Any) -> None:
    first = result("612", on="2026-03-01")
    with pytest.raises(ConflictError) as asked:
        result("640", on="2026-03-01")
    [met] = asked.value.meetings
    assert (met.analyte.code, met.entry.reading.value, met.there) == ("cd4", 640, first)
    with pytest.raises(ValidationError, match="Say why"):
        result("640", on="2026-03-01", conflicts=Conflicts.REPLACE, reason=" ")
    second = result("640", on="2026-03-01", conflicts=Conflicts.REPLACE, reason="misread")
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
    correct(kept, "612", by=cast.ben, drawn=Drawn(date(2026, 3, 2)), reason="typing slip")
    new, old = kept.history.order_by("-history_id")
    assert (new.value, new.history_user, new.history_change_reason, new.drawn_on) == (
        612,
        cast.ben,
        "typing slip",
        date(2026, 3, 2),
    )
    assert (old.value, old.history_user, old.history_change_reason) == (61, cast.anna, None)


def test_a_correction_needs_a_reason_that_the_history_can_hold(cast: factories.Cast, result: Any) -> None:
    kept = result("61", on="2026-03-01")
    with pytest.raises(ValidationError, match="Say why"):
        correct(kept, "612", by=cast.ben, reason="  ")
    with pytest.raises(ValidationError, match="100 letters"):
        correct(kept, "612", by=cast.ben, reason="x" * 101)
    kept.refresh_from_db()
    assert kept.value == 61


def test_a_correction_cannot_move_a_result_onto_another_of_the_same_test(cast: factories.Cast, result: Any) -> None:
    kept, other = result("61", on="2026-03-01"), result("612", on="2026-03-02")
    with pytest.raises(ValidationError, match="already have a result of this test"):
        correct(kept, "61", by=cast.ben, drawn=Drawn(other.drawn_on))
    result("28", on="2026-03-03", test="cd4_percent")
    assert correct(kept, "61", by=cast.ben, drawn=Drawn(date(2026, 3, 3))).drawn_on == date(2026, 3, 3)


def test_the_laboratorys_mark_goes_with_the_value_it_stood_beside(cast: factories.Cast, result: Any) -> None:
    kept = result("61", on="2026-03-01")
    LabResult.objects.filter(pk=kept.pk).update(flag="L")
    assert correct(kept, "61", by=cast.ben).flag == "L"
    assert correct(kept, "612", by=cast.ben).flag == ""


def test_a_reading_keeps_the_range_and_the_laboratory_of_its_report(cast: factories.Cast) -> None:
    cd4 = Analyte.objects.get(code="cd4")
    [kept] = actions.add_results(
        by=cast.anna,
        patient=cast.anna_patient,
        drawn=Drawn(date(2026, 3, 1)),
        readings={cd4: Entry(reading("612"), "500 - 1500")},
        now=NOW,
        laboratory="North Lab",
    )
    kept.refresh_from_db()
    assert (kept.printed_range, kept.laboratory) == ("500 - 1500", "North Lab")


def test_keeping_what_is_there_adds_the_rest_of_the_draw(cast: factories.Cast, result: Any) -> None:
    first = result("612", on="2026-03-01")
    tests = {test.code: test for test in Analyte.objects.filter(code__in=["cd4", "cd4_percent"])}
    kept = actions.add_results(
        by=cast.anna,
        patient=cast.anna_patient,
        drawn=Drawn(date(2026, 3, 1)),
        readings={tests["cd4"]: reading("640"), tests["cd4_percent"]: reading("28", "cd4_percent")},
        now=NOW,
        conflicts=Conflicts.KEEP,
    )
    assert [row.analyte.code for row in kept] == ["cd4_percent"]
    first.refresh_from_db()
    assert (first.value, first.history.count()) == (612, 1)


def test_what_was_there_already_is_told_from_what_is_new(cast: factories.Cast, result: Any) -> None:
    first = result("612", on="2026-03-01")
    tests = {test.code: test for test in Analyte.objects.filter(code__in=["cd4", "cd4_percent"])}
    readings = {tests["cd4"]: reading("612.0"), tests["cd4_percent"]: reading("28", "cd4_percent")}
    drawn = Drawn(date(2026, 3, 1))
    kept = actions.add_results(by=cast.anna, patient=cast.anna_patient, drawn=drawn, readings=readings, now=NOW)
    assert (len(kept), kept.there) == (2, [first])


def test_a_removed_result_frees_its_place_and_stays_as_a_row(cast: factories.Cast, result: Any) -> None:
    kept = result("612", on="2026-03-01")
    with pytest.raises(ValidationError, match="Say what is wrong"):
        error_actions.void_result(by=cast.ben, result=kept, now=NOW, reason="  ")
    error_actions.void_result(by=cast.ben, result=kept, now=NOW, reason="another patient’s")
    assert not LabResult.objects.standing().exists()
    again = result("612", on="2026-03-01")
    assert again.pk != kept.pk
    again = error_actions.void_result(by=cast.ben, result=kept, now=NOW, reason="again")
    assert again.void_reason == "another patient’s"
    with pytest.raises(ValidationError, match="entered in error"):
        correct(kept, "1", by=cast.ben)


def test_whoever_took_a_result_out_can_put_it_back(cast: factories.Cast, result: Any) -> None:
    kept = result("612", on="2026-03-01")
    error_actions.void_result(by=cast.ben, result=kept, now=NOW, reason="another patient’s")
    assert not error_actions.may_restore(cast.anna, kept)
    with pytest.raises(PermissionDenied):
        error_actions.restore_result(by=cast.anna, result=kept)
    assert error_actions.may_restore(cast.ben, kept)
    back = error_actions.restore_result(by=cast.ben, result=kept)
    assert (back.voided_at, back.voided_by, back.void_reason) == (None, None, "")
    steps = [(row.voided_at is not None, row.history_change_reason) for row in kept.history.order_by("history_id")]
    assert steps == [(False, None), (True, "another patient’s"), (False, "put back")]
    assert AuditEvent.objects.filter(action="labs.result.restored", actor_ref=cast.ben.ref).count() == 1
    assert error_actions.restore_result(by=cast.ben, result=kept).history.count() == 3


def test_a_result_is_not_put_back_beside_another_of_its_draw(cast: factories.Cast, result: Any) -> None:
    kept = result("612", on="2026-03-01")
    error_actions.void_result(by=cast.ben, result=kept, now=NOW, reason="wrong day")
    result("640", on="2026-03-01")
    with pytest.raises(ValidationError, match="already have a result of this test"):
        error_actions.restore_result(by=cast.ben, result=kept)
    kept.refresh_from_db()
    assert kept.voided_at is not None


def test_a_result_that_changed_since_it_was_taken_out_stays_out(cast: factories.Cast, result: Any) -> None:
    kept = result("612", on="2026-03-01")
    error_actions.void_result(by=cast.ben, result=kept, now=NOW, reason="wrong day")
    kept.note = "the import touched it"
    kept.save()
    assert not error_actions.may_restore(cast.ben, kept)
    with pytest.raises(PermissionDenied):
        error_actions.restore_result(by=cast.ben, result=kept)


def test_the_library_is_loaded_once_however_often_it_is_loaded(cast: factories.Cast) -> None:
    actions.load_library()
    actions.load_library()
    codes = [a.code for a in Analyte.objects.all()]
    assert (codes[:2], codes[-1], len(codes)) == (["cd4", "cd4_percent"], "other", len(set(codes)))


def test_a_database_with_units_as_a_list_can_be_read_after_the_last_migration(cast: factories.Cast) -> None:
    Analyte.objects.update(units=["cells_ul", "a unit that has another name now"])
    import_module("labs.migrations.0005_catalogue_again").load(apps, None)
    assert set(rules()) == set(library())


def test_timing_matters_for_the_immune_tests_and_for_no_safety_test(cast: factories.Cast) -> None:
    """H19."""
    timed = {a.code for a in Analyte.objects.all() if a.rule.timing_matters}
    assert {"cd4", "cd4_percent", "hiv_rna"} <= timed
    assert {a.group for a in Analyte.objects.filter(code__in=timed)} == {"immune"}


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
