"""What a laboratory corrects: a value, or only what is printed beside it; taken once, with its history, cheaply."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labs import import_actions, undo_actions, uploads
from labs.models import ImportBatch, LabResult, ToSee
from tests import factories

pytestmark = pytest.mark.django_db
HEAD = "date,test,value,unit,status,result id,range,flag,note\n"
NOW = timezone.now()
DRAW = "2026-01-05,viral load,<20,copies/mL,{},a,{},{},{}\n"


def kept(cast: factories.Cast, rows: str) -> ImportBatch:
    """A file that Anna adds."""
    content = (HEAD + rows).encode()
    batch = import_actions.keep_upload(
        by=cast.anna, patient=cast.anna_patient, file_name="own", content=content, now=NOW
    )
    return import_actions.confirm_upload(by=cast.anna, batch=batch, patients={"": cast.anna_patient}, now=NOW)


def beside(result: Any) -> tuple[str, str, str]:
    return result.printed_range, result.flag, result.note


@pytest.mark.parametrize(
    ("status", "after", "outcome", "stands"),
    [
        ("corrected", ("<50", "H", "fasting"), {"correction": 1}, ("<50", "H", "fasting")),
        ("corrected", ("<20", "L", "fasting"), {"correction": 1}, ("<20", "L", "fasting")),
        ("corrected", ("<20", "", "fasting"), {"correction": 1}, ("<20", "", "fasting")),
        ("corrected", ("<20", "H", "new tube"), {"correction": 1}, ("<20", "H", "new tube")),
        ("corrected", ("<40", "", ""), {"correction": 1}, ("<40", "", "fasting")),
        ("corrected", ("<20", "H", " Fasting "), {"already there": 1}, ("<20", "H", "fasting")),
        ("corrected", ("", "", ""), {"already there": 1}, ("<20", "H", "fasting")),
        ("final", ("<50", "L", "new tube"), {"already there": 1}, ("<20", "H", "fasting")),
    ],
)
def test_a_correction_of_what_stands_beside_a_value_is_taken_with_its_history(
    cast: factories.Cast, status: str, after: tuple[str, ...], outcome: dict[str, int], stands: tuple[str, ...]
) -> None:
    kept(cast, DRAW.format("final", "<20", "H", "fasting"))
    rows = DRAW.format(status, *after)
    assert kept(cast, rows).outcomes == outcome
    result = LabResult.objects.get()
    assert beside(result) == stands
    changed = "correction" in outcome
    assert result.status == ("corrected" if changed else "final")
    assert [beside(row) for row in result.history.order_by("history_id")] == [
        ("<20", "H", "fasting"),
        *([stands] if changed else []),
    ]
    assert kept(cast, rows).outcomes == {"already there": 1}, "the same correction again"
    assert kept(cast, DRAW.format("final", "<20", "H", "fasting")).outcomes == {"already there": 1}
    assert beside(LabResult.objects.get()) == stands


def test_whether_anything_was_found_can_be_all_that_is_corrected(cast: factories.Cast) -> None:
    kept(cast, "2026-01-05,viral load,<20,copies/mL,final,a,,,\n")
    found = "2026-01-05,viral load,<20 detected,copies/mL,corrected,a,,,\n"
    assert kept(cast, found).outcomes == {"correction": 1}
    assert LabResult.objects.get().detected is True
    assert kept(cast, found).outcomes == {"already there": 1}


def test_an_older_correction_of_a_range_does_not_come_back(cast: factories.Cast) -> None:
    corrections = [DRAW.format("corrected", limit, "", "") for limit in ("<30", "<40")]
    kept(cast, DRAW.format("final", "<20", "", ""))
    for rows in corrections:
        assert kept(cast, rows).outcomes == {"correction": 1}
    assert kept(cast, corrections[0]).outcomes == {"already there": 1}
    assert LabResult.objects.get().printed_range == "<40"
    both_again = kept(cast, "".join(corrections))
    assert both_again.outcomes == {"already there": 2}


def test_another_laboratory_corrects_no_range_of_this_one(cast: factories.Cast) -> None:
    head = "date,test,value,unit,status,laboratory,range\n"
    for rows in ("2026-01-05,potassium,4.1,mmol/L,final,North,3.5-5.1\n",
                 "2026-01-05,potassium,4.1,mmol/L,corrected,South,3.0-4.0\n"):  # fmt: skip
        batch = import_actions.keep_upload(
            by=cast.anna, patient=cast.anna_patient, file_name="own", content=(head + rows).encode(), now=NOW
        )
        done = import_actions.confirm_upload(by=cast.anna, batch=batch, patients={"": cast.anna_patient}, now=NOW)
    assert done.outcomes == {"already there": 1}
    assert LabResult.objects.get().printed_range == "3.5-5.1"


def test_the_page_says_what_the_laboratory_changes_beside_a_value_that_stays(anna: Any, text: Any, cast: Any) -> None:
    kept(cast, DRAW.format("final", "<20", "H", "fasting"))
    page = anna.post("/results/import/", {"pasted": HEAD + DRAW.format("corrected", "<50", "H", "new tube")}).url
    shown = text(anna.get(page))
    assert "Take over 1 change" in shown
    assert "The value stays. The laboratory changes the range, the note; the old version stays in the history." in shown


def test_a_correction_without_a_time_keeps_the_time_that_was_known(cast: factories.Cast) -> None:
    kept(cast, "2026-01-05 08:15,potassium,4.1,mmol/L,final,a,,,\n")
    assert kept(cast, "2026-01-05,potassium,4.3,mmol/L,corrected,a,,,\n").outcomes == {"correction": 1}
    result = LabResult.objects.get()
    assert (result.value, f"{result.local_drawn_at:%H:%M}") == (result.value.__class__("4.3"), "08:15")


def test_what_happens_to_one_result_again_and_again_in_one_file_happens_in_that_order(cast: factories.Cast) -> None:
    days = [f"2026-01-{day:02}" for day in range(1, 11)]
    rows = "".join(
        f"{day},potassium,{value},mmol/L,{status},{day},,,\n"
        for day in days
        for value, status in (("4.1", "preliminary"), ("4.2", "final"), ("4.3", "corrected"), ("4.3", "withdrawn"))
    )
    assert kept(cast, rows).outcomes == {"new": 10, "correction": 20, "taken back": 10}
    assert not LabResult.objects.standing().exists()
    for result in LabResult.objects.all():
        steps = result.history.order_by("history_id").values_list("value", "status", "voided_at")
        assert [(float(value), status, bool(gone)) for value, status, gone in steps] == [
            (4.1, "preliminary", False), (4.2, "final", False), (4.3, "corrected", False), (4.3, "corrected", True)
        ]  # fmt: skip


def test_a_value_that_moves_on_makes_room_for_another_of_the_same_file(cast: factories.Cast) -> None:
    """Nothing of this file is there twice, although the second takes the value that the first had."""
    rows = "2026-01-05,potassium,4.1,mmol/L,preliminary,a,,,\n2026-01-05,potassium,4.2,mmol/L,final,a,,,\n"
    rows += "2026-01-05,potassium,4.1,mmol/L,final,b,,,\n"
    assert kept(cast, rows).outcomes == {"new": 2, "correction": 1}
    assert sorted(float(row.value) for row in LabResult.objects.standing()) == [4.1, 4.2]


# Statements


def potassium(count: int, value: str, status: str, *, more: str = "") -> str:
    days = [(year, month, day) for year in (2024, 2025) for month in range(1, 13) for day in range(1, 26)]
    return "".join(
        f"{y}-{m:02}-{d:02},potassium,{value},mmol/L,{status},{y}{m:02}{d:02},{more},,\n" for y, m, d in days[:count]
    )


def statements(work: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        work()
    return len(asked)


@pytest.mark.parametrize(("value", "more"), [("4.3", ""), ("4.1", "3.5-5.0")], ids=["values", "ranges"])
def test_the_statements_do_not_grow_with_what_is_corrected(cast: factories.Cast, value: str, more: str) -> None:
    """Of one chunk of a file: looking at it, adding it, taking it back."""
    asked: dict[int, list[int]] = {}
    for count in (3, 60):
        LabResult.objects.all().delete()
        kept(cast, potassium(count, "4.1", "final"))
        content = (HEAD + potassium(count, value, "corrected", more=more)).encode()
        people = {"": cast.anna_patient}

        def look(content: bytes = content, people: Any = people) -> None:
            outcomes = list(uploads.read_upload(content, {}, people, NOW).outcomes())
            assert {outcome.state for outcome in outcomes} == {"correction"}

        batch = import_actions.keep_upload(
            by=cast.anna, patient=cast.anna_patient, file_name="own", content=content, now=NOW
        )
        asked[count] = [
            statements(look),
            statements(lambda b=batch, p=people: import_actions.confirm_upload(
                by=cast.anna, batch=b, patients=p, now=NOW)),
            statements(lambda b=batch: undo_actions.undo_batch(
                by=cast.anna, batch=ImportBatch.objects.get(pk=b.pk), now=NOW)),
        ]  # fmt: skip
        assert {float(row.value) for row in LabResult.objects.standing()} == {4.1}
        assert {row.printed_range for row in LabResult.objects.standing()} == {""}
        assert LabResult.history.filter(history_type="~").count() == 2 * count
        LabResult.history.all().delete()
    assert asked[3] == asked[60]


def test_the_statements_do_not_grow_with_what_the_clinic_entered_and_a_patient_corrects(cast: factories.Cast) -> None:
    """Each of them is raised for the clinic to see, together."""
    asked = []
    for count in (3, 60):
        ToSee.objects.all().delete()
        LabResult.objects.all().delete()
        kept(cast, potassium(count, "4.1", "final"))
        LabResult.objects.update(source="clinic")
        asked.append(statements(lambda n=count: kept(cast, potassium(n, "4.3", "corrected"))))
        assert ToSee.objects.filter(why="changed").count() == count
    assert asked[0] == asked[1]


def test_the_statements_do_not_grow_with_what_is_taken_back_by_the_laboratory(cast: factories.Cast) -> None:
    asked = []
    for count in (3, 60):
        LabResult.objects.all().delete()
        kept(cast, potassium(count, "4.1", "final"))
        asked.append(statements(lambda n=count: kept(cast, potassium(n, "4.1", "withdrawn"))))
        assert not LabResult.objects.standing().exists()
    assert asked[0] == asked[1]
