"""What the clinic has to see stays on its list until a person has seen it, by name, and no patient can settle it."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from il2tracker.accounts.models import Patient
from il2tracker.audit.models import AuditEvent
from il2tracker.clinic.worklist import Rank, gather, reasons
from labs import import_actions, seen_actions, to_see, undo_actions
from labs.actions import Drawn, Entry, correct_result
from labs.error_actions import restore_result, void_result
from labs.models import LabResult, ToSee
from labs.units import Reading
from tests.clinic.conftest import NOW, TODAY
from tests.factories import utc

pytestmark = pytest.mark.django_db
RANGE = "3.5-5.1"


@pytest.fixture
def ada(north: Any) -> Patient:
    return north.patient("Ada", started=3)


@pytest.fixture
def high(north: Any, ada: Patient) -> LabResult:
    """Ada's potassium of 7.9, entered by her."""
    return north.measured(ada, "potassium", "7.9", RANGE)


@pytest.fixture
def of_clinic(north: Any, cast: Any, ada: Patient) -> LabResult:
    """A creatinine that Ben entered for Ada."""
    return north.measured(ada, "creatinine", "1.1", "0.6-1.2", source="clinic", entered_by=cast.ben)


def why(patient: Patient, at: Any = NOW) -> list[tuple[Rank, str]]:
    [facts] = gather(Patient.objects.filter(pk=patient.pk), at)
    return [(reason.rank, reason.words) for reason in reasons(facts, at, "12") if reason.rank in SEEING]


SEEING = {Rank.OUTSIDE, Rank.CHANGED, Rank.NOTHING}
HIGH = (Rank.OUTSIDE, "Potassium 7.9 mmol/L, above the range")
NOTHING = (Rank.NOTHING, "Nothing waits here")


def version(result: LabResult) -> dict[str, int]:
    return {result.ref: to_see.of_result(result).version}


def seen(by: Any, *results: LabResult, at: Any = NOW) -> list[ToSee]:
    versions = {ref: number for result in results for ref, number in version(result).items()}
    return seen_actions.see_results(by=by, patient=results[0].patient, versions=versions, now=at)


def changed(by: Any, result: LabResult, value: str, *, printed: str | None = None, at: Any = NOW) -> None:
    reading = Reading("=", Decimal(value), result.unit, None, value)
    with time_machine.travel(at, tick=False):
        entry = Entry(reading, result.printed_range if printed is None else printed)
        correct_result(by=by, result=result, reading=entry, drawn=Drawn(result.drawn_on), now=at, reason="misread")


@pytest.mark.parametrize("days", [1, 8, 60, 400])
def test_however_long_nobody_looks_it_stays(ada: Patient, high: LabResult, days: int) -> None:
    assert HIGH in why(ada, NOW + timedelta(days=days))


def test_once_seen_it_is_gone_with_the_name_and_the_moment_kept(cast: Any, ada: Patient, high: LabResult) -> None:
    [row] = seen(cast.ben, high)
    assert (row.seen_by, row.seen_at) == (cast.ben, NOW)
    assert why(ada) == [NOTHING]
    event = AuditEvent.objects.get(action="labs.result.seen")
    assert (event.actor_ref, event.patient_ref, event.subject_ref) == (cast.ben.ref, ada.ref, high.ref)


def test_it_can_be_taken_back_and_the_history_keeps_both_steps(cast: Any, ada: Patient, high: LabResult) -> None:
    seen(cast.ben, high)
    seen_actions.unsee_result(by=cast.ben, result=high)
    assert why(ada) == [HIGH]
    steps = [(row.seen_by, row.history_user) for row in ToSee.history.order_by("history_id")]
    assert steps == [(None, ada.user), (cast.ben, cast.ben), (None, cast.ben)]
    assert AuditEvent.objects.filter(action="labs.result.unseen", subject_ref=high.ref).count() == 1


def test_taking_back_leaves_alone_what_is_open_anyhow(cast: Any, ada: Patient, high: LabResult) -> None:
    seen(cast.ben, high)
    changed(ada.user, high, "8.4")
    assert seen_actions.unsee_result(by=cast.ben, result=high) == []
    assert why(ada) == [(Rank.OUTSIDE, "Potassium 8.4 mmol/L, above the range")]


def test_a_second_person_who_has_seen_it_changes_nothing(cast: Any, ada: Patient, high: LabResult) -> None:
    seen(cast.ben, high)
    assert seen(cast.ben, high, at=NOW + timedelta(hours=1)) == []
    assert ToSee.objects.get().seen_at == NOW


@pytest.mark.parametrize("who", ["ada", "anna", "carla", "dan", "sam", "eve"])
def test_nobody_but_the_clinic_settles_it(cast: Any, ada: Patient, high: LabResult, who: str) -> None:
    person = ada.user if who == "ada" else getattr(cast, who)
    with pytest.raises(PermissionDenied):
        seen(person, high)
    with pytest.raises(PermissionDenied):
        seen_actions.unsee_result(by=person, result=high)
    assert why(ada) == [HIGH]


def test_what_changed_while_somebody_looked_is_not_seen(cast: Any, ada: Patient, high: LabResult) -> None:
    read = version(high)
    changed(ada.user, high, "8.4")
    with pytest.raises(ValidationError, match="changed while you looked"):
        seen_actions.see_results(by=cast.ben, patient=ada, versions=read, now=NOW)
    assert why(ada) == [(Rank.OUTSIDE, "Potassium 8.4 mmol/L, above the range")]


def test_a_new_value_has_to_be_seen_anew_and_a_new_note_has_not(cast: Any, ada: Patient, high: LabResult) -> None:
    seen(cast.ben, high)
    high.refresh_from_db()
    correct_result(
        by=ada.user,
        result=high,
        reading=Entry(high.reading, RANGE),
        drawn=Drawn(high.drawn_on),
        now=NOW,
        reason="typing",
        note="fasting",
    )
    assert why(ada) == [NOTHING]
    changed(ada.user, high, "8.4")
    assert why(ada) == [(Rank.OUTSIDE, "Potassium 8.4 mmol/L, above the range")]


SETTLES = {
    "a newer final one inside": ({"value": "4.2", "days_ago": 0}, True),
    "a newer one outside": ({"value": "6.6", "days_ago": 0}, False),
    "a newer one that the patient typed": ({"value": "4.2", "days_ago": 0, "source": "patient"}, False),
    "a newer one that a carer typed": ({"value": "4.2", "days_ago": 0, "source": "carer"}, False),
    "a newer preliminary one": ({"value": "4.2", "days_ago": 0, "status": "preliminary"}, False),
    "a newer one without a range": ({"value": "4.2", "days_ago": 0, "printed": ""}, False),
    "an older one inside": ({"value": "4.2", "days_ago": 2}, False),
    "one of the same day without a time": ({"value": "4.2", "days_ago": 1}, False),
    "another test": ({"test": "creatinine", "value": "1.0", "days_ago": 0, "printed": "0.6-1.2"}, False),
    "a newer one that was removed": ({"value": "4.2", "days_ago": 0, "voided_at": NOW}, False),
}


@pytest.mark.parametrize("case", SETTLES)
def test_only_a_newer_final_result_of_the_test_inside_its_range_settles_it(
    north: Any, ada: Patient, high: LabResult, case: str
) -> None:
    facts, settles = SETTLES[case]
    facts = {"test": "potassium", "printed": RANGE, "source": "clinic", **facts}
    north.measured(ada, facts.pop("test"), facts.pop("value"), facts.pop("printed"), **facts)
    assert (HIGH[0] not in {rank for rank, _words in why(ada)}) == settles


def test_of_one_day_the_later_of_two_times_settles_it(north: Any, ada: Patient) -> None:
    day = {"days_ago": 1, "at": NOW}
    north.measured(ada, "potassium", "7.9", RANGE, drawn_at=utc(2026, 11, 20, 8), **day)
    north.measured(ada, "potassium", "4.2", RANGE, drawn_at=utc(2026, 11, 20, 14), source="clinic", **day)
    assert why(ada) == [NOTHING]


def test_somebody_elses_good_result_settles_nothing(north: Any, ada: Patient, high: LabResult) -> None:
    north.measured(north.patient("Ida"), "potassium", "4.2", RANGE, days_ago=0, source="clinic")
    assert why(ada) == [HIGH]


@pytest.mark.parametrize("who", ["patient", "carer"])
def test_what_the_clinic_entered_and_another_person_changed_has_to_be_seen(
    cast: Any, ada: Patient, of_clinic: LabResult, who: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr("labs.actions.may_add", lambda user, patient: True)
    person = ada.user if who == "patient" else cast.sam
    changed(person, of_clinic, "1.0")
    words = "the patient" if who == "patient" else person.name
    assert why(ada) == [(Rank.CHANGED, f"Creatinine 1 mg/dL, changed by {words}")]
    seen(cast.ben, of_clinic)
    assert why(ada) == [NOTHING]


def test_what_the_clinic_entered_and_the_patient_removed_has_to_be_seen(
    cast: Any, ada: Patient, of_clinic: LabResult
) -> None:
    void_result(by=ada.user, result=of_clinic, now=NOW, reason="not mine")
    assert why(ada) == [(Rank.CHANGED, "Creatinine 1.1 mg/dL, removed by the patient")]
    restore_result(by=ada.user, result=of_clinic)
    assert why(ada) == [NOTHING]


@pytest.mark.parametrize("step", ["change", "remove"])
def test_what_the_clinic_changes_itself_is_no_news(cast: Any, ada: Patient, of_clinic: LabResult, step: str) -> None:
    if step == "change":
        changed(cast.ben, of_clinic, "1.0")
    else:
        void_result(by=cast.ben, result=of_clinic, now=NOW, reason="double")
    assert why(ada) == [NOTHING]


def test_what_the_patient_entered_and_changed_is_no_news(north: Any, ada: Patient) -> None:
    mine = north.measured(ada, "creatinine", "1.1", "0.6-1.2")
    changed(ada.user, mine, "1.0")
    assert why(ada) == [NOTHING]


@pytest.mark.parametrize(("days_ago", "stands"), [(6, True), (8, False)])
def test_what_the_list_showed_before_this_was_kept_stands_there_still(
    ada: Patient, high: LabResult, days_ago: int, stands: bool
) -> None:
    """The list of the version before held a result for a week after it was entered."""
    ToSee.objects.all().delete()
    LabResult.objects.filter(pk=high.pk).update(created_at=NOW - timedelta(days=days_ago))
    migration = import_module("labs.migrations.0006_what_the_clinic_has_to_see")
    with time_machine.travel(NOW, tick=False):
        migration.stand_on_the_list(apps, None)
    assert why(ada) == [HIGH if stands else NOTHING]


# Files


def added(by: Any, patient: Patient, text: str, **how: Any) -> Any:
    with time_machine.travel(NOW, tick=False):
        kept = import_actions.keep_upload(by=by, patient=patient, file_name="a.csv", content=text.encode(), now=NOW)
        return import_actions.confirm_upload(by=by, batch=kept, patients={"": patient}, now=NOW, **how)


FILE = "date,test,value,unit,reference range\n{},potassium,{},mmol/L,3.5-5.1\n"


def test_a_result_of_a_file_has_to_be_seen_and_old_paper_has_not(cast: Any, ada: Patient) -> None:
    added(cast.ben, ada, FILE.format(TODAY, "6.2") + "2025-01-05,potassium,6.9,mmol/L,3.5-5.1\n")
    assert why(ada) == [(Rank.OUTSIDE, "Potassium 6.2 mmol/L, above the range")]
    assert ToSee.history.count() == 1


def test_a_file_of_the_patients_that_replaces_what_the_clinic_entered_has_to_be_seen(
    north: Any, cast: Any, ada: Patient
) -> None:
    north.measured(ada, "potassium", "4.2", RANGE, days_ago=0, source="clinic", entered_by=cast.ben)
    batch = added(ada.user, ada, FILE.format(TODAY, "4.6"), replace=True)
    assert why(ada) == [(Rank.CHANGED, "Potassium 4.6 mmol/L, changed by the patient")]
    undo_actions.undo_batch(by=ada.user, batch=batch, now=NOW)
    assert why(ada) == [(Rank.CHANGED, "Potassium 4.2 mmol/L, changed by the patient")]


def test_the_statements_of_a_file_do_not_grow_with_what_has_to_be_seen(north: Any, cast: Any) -> None:
    def statements(patient: Patient, rows: int) -> int:
        days = (TODAY - timedelta(days=n) for n in range(rows))
        text = FILE.splitlines()[0] + "\n" + "".join(f"{day},potassium,6.2,mmol/L,3.5-5.1\n" for day in days)
        with CaptureQueriesContext(connection) as captured:
            added(cast.ben, patient, text)
        assert ToSee.objects.filter(patient=patient).count() == rows
        return len(captured)

    assert statements(north.patient("Ida"), 30) == statements(north.patient("Ola"), 2)


# The pages


def press(see: Any, who: Any, patient: Patient, **data: Any) -> Any:
    return see(who, f"/people/{patient.code}/results/seen/", sent="1", **data)


def buttons(body: str) -> list[str]:
    return re.findall(r'name="result" value="([^"]+)"', body)


def test_the_button_stands_on_the_patients_page_and_settles_it(
    see: Any, cast: Any, ada: Patient, high: LabResult
) -> None:
    page = see(cast.ben, f"/people/{ada.code}/")
    assert "Nobody of the clinic has seen these yet Potassium 7.9 mmol/L, above the range" in page.text_read
    [value] = buttons(page.content.decode())
    answer = press(see, cast.ben, ada, result=value)
    assert (answer.status_code, answer["Location"]) == (302, f"/people/{ada.code}/")
    assert "Nobody of the clinic" not in see(cast.ben, f"/people/{ada.code}/").text_read
    assert "Nothing waits here" in see(cast.ben).text_read


def test_the_results_own_page_says_who_saw_it_and_takes_it_back(
    see: Any, cast: Any, ada: Patient, high: LabResult
) -> None:
    path = f"/results/entry/{high.ref}/"
    [value] = buttons(see(cast.ben, path).content.decode())
    assert press(see, cast.ben, ada, **{"result": value, "from": high.ref})["Location"] == path
    assert "Seen By Ben, Saturday 21 November 2026 at 9:35pm. Not seen after all" in see(cast.ben, path).text_read
    see(cast.ben, f"/people/{ada.code}/results/seen/{high.ref}/undo/", sent="1")
    assert "Nobody of the clinic has seen this yet" in see(cast.ben, path).text_read


def test_a_page_that_is_out_of_date_settles_nothing_and_says_so(
    see: Any, cast: Any, ada: Patient, high: LabResult
) -> None:
    [value] = buttons(see(cast.ben, f"/people/{ada.code}/").content.decode())
    changed(ada.user, high, "8.4")
    press(see, cast.ben, ada, result=value)
    text = see(cast.ben, f"/people/{ada.code}/").text_read
    assert "It was changed while you looked at it. Look at it again." in text
    assert "Potassium 8.4 mmol/L, above the range" in text


@pytest.mark.parametrize("junk", ["", "x", "x.", ".1", "x.y", "x.-1", "x.٣", "\0", "x." + "9" * 5000])
def test_junk_settles_nothing(see: Any, cast: Any, ada: Patient, high: LabResult, junk: str) -> None:
    assert press(see, cast.ben, ada, **{"result": junk, "from": junk}).status_code == 302
    assert why(ada) == [HIGH]


def test_the_patients_side_has_no_such_button(see: Any, cast: Any, ada: Patient, high: LabResult) -> None:
    for path in (f"/results/entry/{high.ref}/", "/results/", "/results/safety/"):
        page = see(ada.user, path)
        assert page.status_code == 200
        assert "Seen" not in page.text_read
        assert "seen/" not in page.content.decode()


def test_a_patients_results_of_one_clinic_are_not_settled_from_another_patients_page(
    north: Any, cast: Any, ada: Patient, high: LabResult
) -> None:
    ida = north.patient("Ida")
    assert seen_actions.see_results(by=cast.ben, patient=ida, versions=version(high), now=NOW) == []
    assert why(ada) == [HIGH]
