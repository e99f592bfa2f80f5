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
