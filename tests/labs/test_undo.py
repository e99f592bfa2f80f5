"""Taking a whole import back: what it added goes, what it replaced or hid comes back, what people changed stays."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from il2tracker.accounts import actions as accounts
from il2tracker.audit.models import AuditEvent
from labs import import_actions, undo_actions
from labs.models import ImportBatch, LabResult
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HEAD = "date,test,value,status,result id\n"


def added(cast: factories.Cast, rows: str, **more: Any) -> ImportBatch:
    batch = import_actions.keep_upload(
        by=cast.anna, patient=cast.anna_patient, file_name="own.csv", content=(HEAD + rows).encode(), now=NOW
    )
    return import_actions.confirm_upload(by=cast.anna, batch=batch, patients={"": cast.anna_patient}, now=NOW, **more)


def undo(cast: factories.Cast, batch: ImportBatch) -> undo_actions.Undoing:
    return undo_actions.undo_batch(by=cast.anna, batch=ImportBatch.objects.get(pk=batch.pk), now=NOW)


def standing() -> dict[str, Decimal]:
    return {str(row.drawn_on): row.value for row in LabResult.objects.standing()}


def test_what_the_file_added_leaves_every_list_and_the_history_keeps_it(cast: factories.Cast) -> None:
    batch = added(cast, "2026-01-05,cd4,612,,\n2026-02-05,cd4,640,,\n")
    done = undo(cast, batch)
    assert (len(done.hides), len(done.restores), done.stays) == (2, 0, [])
    assert standing() == {}
    assert {row.void_reason for row in LabResult.objects.all()} == {undo_actions.UNDONE}
    assert LabResult.history.count() == 4
    batch.refresh_from_db()
    assert (batch.state, batch.undone_by) == ("undone", cast.anna)
    assert AuditEvent.objects.get(action="labs.import.undone").patient_ref == cast.anna_patient.ref


def test_undoing_twice_does_nothing_more_and_the_same_file_can_be_added_again(cast: factories.Cast) -> None:
    rows = "2026-01-05,cd4,612,,\n"
    batch = added(cast, rows)
    undo(cast, batch)
    assert undo(cast, batch) == undo_actions.Undoing([], [], [])
    assert LabResult.history.count() == 2
    assert added(cast, rows).outcomes == {"new": 1}
    assert standing() == {"2026-01-05": Decimal(612)}


def test_what_it_corrected_replaced_or_hid_is_put_back_as_it_was(cast: factories.Cast, result: Any) -> None:
    added(cast, "2026-01-05,cd4,612,final,a\n2026-02-05,cd4,640,final,b\n")
    result("500", on="2026-03-05")
    second = "2026-01-05,cd4,621,corrected,a\n2026-02-05,cd4,640,entered in error,b\n2026-03-05,cd4,520,,\n"
    batch = added(cast, second, replace=True)
    assert batch.outcomes == {"correction": 1, "taken back": 1, "replaced": 1}
    assert standing() == {"2026-01-05": Decimal(621), "2026-03-05": Decimal(520)}
    done = undo(cast, batch)
    assert (len(done.hides), len(done.restores)) == (0, 3)
    assert standing() == {"2026-01-05": Decimal(612), "2026-02-05": Decimal(640), "2026-03-05": Decimal(500)}
    assert {row.status for row in LabResult.objects.all()} == {"final"}


def test_what_somebody_changed_since_stays_and_is_said(cast: factories.Cast) -> None:
    first = added(cast, "2026-01-05,cd4,612,,\n2026-02-05,cd4,640,,\n")
    changed = LabResult.objects.get(value=640)
    changed.value, changed.status = Decimal(644), "corrected"
    changed.save()
    done = undo(cast, first)
    assert ([each.value for each in done.stays], len(done.hides)) == ([644], 1)
    assert standing() == {"2026-02-05": Decimal(644)}


def test_an_old_value_is_not_put_back_over_one_that_was_entered_again(cast: factories.Cast, result: Any) -> None:
    added(cast, "2026-01-05,cd4,612,final,a\n")
    batch = added(cast, "2026-01-05,cd4,612,entered in error,a\n")
    result("612", on="2026-01-05")
    done = undo(cast, batch)
    assert (len(done.restores), len(done.stays)) == (0, 1)
    assert list(standing().values()) == [612]


@pytest.mark.parametrize("order", ["ab", "ba", "abc", "cba", "bca", "bac", "acb", "cab"])
def test_whatever_the_order_nothing_of_files_that_are_all_taken_back_stands(cast: factories.Cast, order: str) -> None:
    rows = {"a": ("612", "final"), "b": ("650", "corrected"), "c": ("655", "corrected")}
    files = {}
    for name in sorted(order):
        value, status = rows[name]
        files[name] = added(cast, f"2026-01-05,cd4,{value},{status},x\n")
    for name in order:
        undo(cast, files[name])
    assert standing() == {}
    assert LabResult.objects.get().void_reason == undo_actions.UNDONE


@pytest.mark.parametrize(("order", "stands"), [("c", 650), ("bc", 612), ("ca", 650), ("ac", 650)])
def test_what_stands_is_what_the_files_that_were_not_taken_back_say(
    cast: factories.Cast, order: str, stands: int
) -> None:
    files = {
        name: added(cast, f"2026-01-05,cd4,{row},x\n")
        for name, row in (("a", "612,final"), ("b", "650,corrected"), ("c", "655,corrected"))
    }
    for name in order:
        undo(cast, files[name])
    assert list(standing().values()) == [stands]


def test_the_statements_do_not_grow_with_the_file_and_the_history_is_whole(
    cast: factories.Cast, django_assert_max_num_queries: Any
) -> None:
    rows = "".join(f"2026-0{month}-{day:02},cd4,{600 + day},,\n" for month in range(1, 6) for day in range(1, 21))
    batch = added(cast, rows)
    with django_assert_max_num_queries(40):
        undo(cast, batch)
    assert standing() == {}
    last = LabResult.history.order_by("-history_id")[:100]
    assert {(row.history_type, row.history_user, row.void_reason) for row in last} == {
        ("~", cast.anna, undo_actions.UNDONE)
    }
    result = LabResult.objects.latest("pk")
    newest = result.history.latest("history_id")
    assert all(getattr(newest, f.attname) == getattr(result, f.attname) for f in newest.tracked_fields)


def test_the_name_of_a_file_stays_out_of_the_access_log(cast: factories.Cast) -> None:
    """A name can hold a clinical value: anna-cd4-312.csv."""
    undo(cast, added(cast, "2026-01-05,cd4,612,,\n"))
    assert AuditEvent.objects.get(action="labs.import.undone").detail == "1 results"


def test_only_the_owner_takes_back_and_only_whom_he_may_still_add_for(cast: factories.Cast) -> None:
    batch = added(cast, "2026-01-05,cd4,612,,\n")
    with pytest.raises(PermissionDenied):
        undo_actions.undo_batch(by=cast.ben, batch=batch, now=NOW)
    bens = import_actions.keep_upload(
        by=cast.ben, patient=cast.anna_patient, file_name="b.csv", content=b"date,cd4\n2026-03-05,640\n", now=NOW
    )
    import_actions.confirm_upload(by=cast.ben, batch=bens, patients={"": cast.anna_patient}, now=NOW)
    accounts.stop_sharing(by=cast.anna, sharing=cast.anna_patient.sharings.get(clinic=cast.north))
    with pytest.raises(PermissionDenied):
        undo_actions.undo_batch(by=cast.ben, batch=bens, now=NOW)
    assert len(standing()) == 2


def test_a_file_is_listed_looked_at_and_taken_back_in_the_browser(
    anna: Client, cast: factories.Cast, text: Any, result: Any
) -> None:
    batch = added(cast, "2026-01-05,cd4,612,,\n2026-02-05,cd4,640,,\n")
    listed = text(anna.get("/results/import/"))
    assert f'<a href="/results/import/{batch.ref}/added/">own.csv</a>' in listed
    page = f"/results/import/{batch.ref}"
    assert "new: 2" in text(anna.get(f"{page}/added/"))
    asked = text(anna.get(f"{page}/undo/"))
    assert "2 results that the file added leave every list and drawing." in asked
    assert len(standing()) == 2
    assert anna.post(f"{page}/undo/").url == f"{page}/added/"
    said = text(anna.get(f"{page}/added/"))
    assert "2 results taken back." in said
    assert "It was taken back on" in said
    assert standing() == {}
    assert anna.get(f"{page}/undo/").url == f"{page}/added/"
    assert "taken back" in text(anna.get("/results/import/"))


def test_a_file_that_waits_has_nothing_to_take_back(anna: Client, cast: factories.Cast) -> None:
    batch = import_actions.keep_upload(
        by=cast.anna, patient=cast.anna_patient, file_name="own.csv", content=b"date,cd4\n2026-01-05,612\n", now=NOW
    )
    assert anna.get(f"/results/import/{batch.ref}/added/").status_code == 404
    assert anna.post(f"/results/import/{batch.ref}/undo/").status_code == 404


def test_a_nurse_sees_whose_results_a_file_brought_and_each_of_them_is_told(
    ben: Client, cast: factories.Cast, text: Any
) -> None:
    content = b"patient,date,cd4\n12,2026-01-05,612\n12,2026-02-05,640\n"
    people = {"12": cast.anna_patient}
    batch = import_actions.keep_upload(by=cast.ben, patient=None, file_name="all.csv", content=content, now=NOW)
    import_actions.confirm_upload(by=cast.ben, batch=batch, patients=people, now=NOW)
    for path in ("added", "undo"):
        shown = text(ben.get(f"/results/import/{batch.ref}/{path}/"))
        if path == "added":
            code = cast.anna_patient.code
            assert f'<a href="/people/{code}/results/">{code}</a> {cast.anna_patient.name}: 2 results' in shown
    looks = AuditEvent.objects.filter(action="labs.batch.opened")
    assert [(look.actor_ref, look.patient_ref) for look in looks] == [(cast.ben.ref, cast.anna_patient.ref)] * 2
