"""Files with results: kept, answered, confirmed, dropped."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from il2tracker.accounts import actions as accounts
from il2tracker.audit.models import AuditEvent
from labs import import_actions as actions
from labs.files.candidates import FileError
from labs.models import ImportBatch, LabResult
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()

TABLE = b"date,cd4\n2026-01-05,612\n2026-02-05,640\n"


def keep(cast: factories.Cast, content: bytes = TABLE, **more: Any) -> ImportBatch:
    facts = {"by": cast.anna, "patient": cast.anna_patient, "file_name": "own.csv", "now": NOW, **more}
    return actions.keep_upload(content=content, **facts)


def confirm(cast: factories.Cast, batch: ImportBatch, **more: Any) -> ImportBatch:
    return actions.confirm_upload(by=cast.anna, batch=batch, patients={"": cast.anna_patient}, now=NOW, **more)


def test_an_upload_adds_nothing_until_it_is_confirmed_and_its_text_is_forgotten_then(cast: factories.Cast) -> None:
    batch = keep(cast)
    assert not LabResult.objects.exists()
    done = confirm(cast, batch)
    assert (done.outcomes, bytes(done.content), done.state) == ({"new": 2}, b"", "done")
    assert LabResult.objects.filter(batch=batch, source="patient").count() == 2
    assert LabResult.history.filter(history_user=cast.anna).count() == 2
    assert AuditEvent.objects.get(action="labs.results.imported").detail == "2 results"


def test_confirming_twice_adds_once(cast: factories.Cast) -> None:
    batch = keep(cast)
    confirm(cast, batch)
    confirm(cast, ImportBatch.objects.get(pk=batch.pk))
    assert LabResult.objects.count() == 2


def test_the_same_file_again_is_the_same_upload_while_it_waits(cast: factories.Cast) -> None:
    assert keep(cast) == keep(cast)
    confirm(cast, keep(cast))
    again = keep(cast)
    assert confirm(cast, again).outcomes == {"already there": 2}
    assert LabResult.objects.count() == 2


def test_a_conflict_is_left_out_unless_it_is_to_replace(cast: factories.Cast, result: Any) -> None:
    there = result("600", on="2026-01-05")
    assert confirm(cast, keep(cast)).outcomes == {"conflict": 1, "new": 1}
    there.refresh_from_db()
    assert there.value == 600
    confirm(cast, keep(cast), replace=True)
    there.refresh_from_db()
    assert (there.value, there.status) == (612, "corrected")
    assert [row.value for row in there.history.order_by("history_id")] == [600, 612]


def test_an_old_upload_is_forgotten_whoever_uploads_next(cast: factories.Cast) -> None:
    batch = keep(cast)
    keep(cast, b"date,cd4\n2026-01-05,612\n", now=NOW + timedelta(hours=25))
    batch.refresh_from_db()
    assert (batch.state, bytes(batch.content)) == ("dropped", b"")


def test_only_the_owner_confirms_answers_or_drops(cast: factories.Cast) -> None:
    batch = keep(cast)
    for act in (
        lambda: actions.confirm_upload(by=cast.ben, batch=batch, patients={"": cast.anna_patient}, now=NOW),
        lambda: actions.answer_upload(by=cast.ben, batch=batch, answers={}),
        lambda: actions.drop_upload(by=cast.ben, batch=batch),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_a_file_for_a_patient_who_stopped_sharing_is_refused_at_the_end_too(cast: factories.Cast) -> None:
    batch = keep(cast, by=cast.ben)
    accounts.stop_sharing(by=cast.anna, sharing=cast.anna_patient.sharings.get(clinic=cast.north))
    with pytest.raises(PermissionDenied):
        actions.confirm_upload(by=cast.ben, batch=batch, patients={"": cast.anna_patient}, now=NOW)
    assert not LabResult.objects.exists()


def test_rows_of_several_people_are_never_one_persons_unless_that_was_said(cast: factories.Cast) -> None:
    table = b"patient,date,cd4\n1,2026-01-05,612\n2,2026-01-05,100\n"
    assert confirm(cast, keep(cast, table)).outcomes == {"left out": 2}
    batch = keep(cast, table)
    done = actions.confirm_upload(by=cast.anna, batch=batch, patients={"1": cast.anna_patient}, now=NOW)
    assert done.outcomes == {"new": 1, "left out": 1}
    assert LabResult.objects.get().value == 612


def test_a_file_over_the_browsers_limits_is_not_kept(cast: factories.Cast) -> None:
    for content in (b"a" * 1_100_000, b"date,cd4\n" + b"2026-01-05,612\n" * 5_001, b"\0\1\2\3" * 50):
        with pytest.raises(FileError):
            keep(cast, content)
    assert not ImportBatch.objects.exists()


def test_a_failure_in_the_middle_of_a_file_adds_nothing(cast: factories.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = keep(cast)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the machine stops here")

    monkeypatch.setattr(actions.log, "record_details", fail)
    with pytest.raises(RuntimeError):
        confirm(cast, batch)
    monkeypatch.undo()
    assert not LabResult.objects.exists()
    assert confirm(cast, ImportBatch.objects.get(pk=batch.pk)).outcomes == {"new": 2}


@pytest.mark.django_db(transaction=True)
def test_a_button_that_is_tapped_twice_at_once_keeps_one_upload(cast: factories.Cast) -> None:
    start = threading.Barrier(2)

    def tap(_number: int) -> int:
        start.wait(10)
        try:
            return keep(cast).pk
        finally:
            connection.close()

    for _round in range(5):
        ImportBatch.objects.all().delete()
        with ThreadPoolExecutor(2) as taps:
            assert len(set(taps.map(tap, range(2)))) == 1
        assert ImportBatch.objects.count() == 1
