"""What goes wrong for one patient, or for one family of reminders, silences nobody else and cancels nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from cycles import course_actions
from cycles.models import Cycle, PlannedDose
from il2tracker.accounts.models import Patient
from il2tracker.alerts.models import Alert
from il2tracker.reminders import actions, facts, facts_of_clinics, facts_of_courses, planning, sources
from il2tracker.reminders.models import Heartbeat, Reminder
from tests import factories
from tests.factories import Cast
from tests.reminders.test_planning import START, before, changed

pytestmark = pytest.mark.django_db
NOW = before(1)
FAMILY = {"doses": "injection_due", "courses": "cycle_day", "plans": "plan_changed"}


@pytest.fixture
def cast() -> Cast:
    return factories.cast()


@pytest.fixture
def lees(cast: Cast) -> list[Patient]:
    """Five patients whose course starts tomorrow, and Anna, whose plan was changed besides."""
    plan = factories.plan(cast.anna_patient, cast.ben, starts_on=START)
    changed(cast, plan)
    found = [factories.lone_patient(f"Lee{number}") for number in range(5)]
    for each in found:
        factories.plan(each, each.user, starts_on=START)
    return found


def spoil(family: str, patients: list[Patient], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be made of what is known of them."""
    broken = {patient.pk for patient in patients}
    module, name = {
        "doses": (facts, "_dose_fact"),
        "courses": (facts_of_courses, "_cycle_fact"),
        "plans": (facts_of_courses, "_version_fact"),
    }[family]
    build = getattr(module, name)

    def stumble(row: dict[str, Any], *rest: Any) -> Any:
        if row["patient_id"] in broken:
            raise ValueError("secret@example.org")
        return build(row, *rest)

    monkeypatch.setattr(module, name, stumble)


def reminded(kind: str) -> set[int]:
    rows = Reminder.objects.filter(kind=kind, state="planned")
    return {pk for pk in rows.values_list("patient", flat=True) if pk}


@pytest.mark.parametrize("family", ["doses", "courses"])
def test_one_patient_of_whom_nothing_can_be_made_silences_nobody(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch, caplog: Any, family: str
) -> None:
    spoil(family, [lees[2]], monkeypatch)
    planning.plan(NOW)
    everybody = {cast.anna_patient.pk, *(lee.pk for lee in lees)}
    assert reminded(FAMILY[family]) == everybody - {lees[2].pk}
    assert Heartbeat.read().planned_at == NOW
    said = [record.getMessage() for record in caplog.records if record.name == sources.__name__]
    assert [f"patients {lees[2].pk}: ValueError" in line for line in said] == [True] * (2 if family == "doses" else 1)
    assert "secret" not in caplog.text


def test_nor_does_a_zone_that_is_gone_from_the_computer(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "follow_patients", lambda now: 0)  # it would mend the first one
    PlannedDose.objects.filter(patient=lees[0]).update(zone="Bad/Zone")
    Patient.objects.filter(pk=lees[1].pk).update(time_zone="Bad/Zone")
    planning.plan(NOW)
    assert reminded("injection_due") >= {cast.anna_patient.pk, *(lee.pk for lee in lees[2:])}
    assert lees[0].pk not in reminded("injection_due")


def test_a_plan_that_cannot_be_read_hides_no_other_change(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = factories.plan(cast.dan_patient, cast.ben, starts_on=START)
    changed(cast, other)
    spoil("plans", [cast.dan_patient], monkeypatch)
    planning.plan(before(9))
    assert reminded("plan_changed") == {cast.anna_patient.pk}


@pytest.mark.parametrize("family", ["doses", "courses", "plans"])
def test_what_was_planned_for_a_patient_is_left_alone_until_it_is_known_again(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    planning.plan(NOW)
    stored = list(Reminder.objects.order_by("pk").values())
    assert cast.anna_patient.pk in reminded(FAMILY[family])
    spoil(family, [cast.anna_patient], monkeypatch)
    planning.plan(NOW)
    assert list(Reminder.objects.order_by("pk").values()) == stored
    monkeypatch.undo()
    planning.plan(NOW)
    assert list(Reminder.objects.order_by("pk").values()) == stored


@pytest.mark.parametrize("source", [one for one in sources.SOURCES if one.by_patient], ids=lambda one: one.kinds[0])
def test_what_is_asked_for_some_patients_is_asked_for_nobody_else(
    cast: Cast, lees: list[Patient], source: sources.Source
) -> None:
    patients = [cast.anna_patient, cast.dan_patient]
    changed(cast, factories.plan(cast.dan_patient, cast.ben, starts_on=START))
    for patient in patients:
        factories.alert(patient, patient.user)
        actions.choose(by=patient.user, switches={"check_in": True})
    Alert.objects.update(raised_at=NOW)

    def reminded_of(low: int, high: int) -> set[int | None]:
        tick = sources.Round(NOW, before(9), (low, high))
        return {wish.patient_id for wish in source.every(tick) if tick.holds(wish)}

    ends = sorted(patient.pk for patient in patients)
    assert reminded_of(*ends) >= set(ends)
    assert [reminded_of(pk, pk) for pk in ends] == [{pk} for pk in ends]


@pytest.mark.parametrize(
    ("family", "of"),
    [
        ("doses", "injection_due, injection_again, injection_missing, carer_missing"),
        ("plans", "plan_changed"),
    ],
)
def test_staff_read_in_the_log_whom_it_concerns(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch, caplog: Any, family: str, of: str
) -> None:
    other = factories.plan(cast.dan_patient, cast.ben, starts_on=START)
    changed(cast, other)
    broken = sorted([cast.anna_patient, cast.dan_patient], key=lambda patient: patient.pk)
    spoil(family, broken, monkeypatch)
    planning.plan(before(9) if family == "plans" else NOW)
    names = f"{broken[0].pk}, {broken[1].pk}"
    assert f"No reminders of {of} for patients {names}: ValueError" in caplog.messages


def test_while_others_can_be_known_the_search_goes_on(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST_UNKNOWN", 2)
    spoil("doses", [lees[0], lees[2], lees[4]], monkeypatch)
    planning.plan(NOW)
    assert reminded("injection_due") == {cast.anna_patient.pk, lees[1].pk, lees[3].pk}


def test_a_course_that_cannot_follow_its_patient_keeps_nobody_from_being_reminded(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    Patient.objects.filter(pk__in=[lees[0].pk, lees[1].pk]).update(time_zone="America/New_York")
    follow, stays = course_actions.follow_patient, Cycle.objects.get(patient=lees[0])

    def stumble(*, cycle: Cycle, now: datetime) -> bool:
        if cycle.pk == stays.pk:
            raise ValueError("nobody knows")
        return follow(cycle=cycle, now=now)

    monkeypatch.setattr(planning.course_actions, "follow_patient", stumble)
    assert planning.plan(NOW).rezoned == 1
    assert reminded("injection_due") == {cast.anna_patient.pk, *(lee.pk for lee in lees)}
    assert f"Course {stays.ref} stays on its old clock" in caplog.messages


def test_for_whom_it_can_be_known_it_still_ends(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    planning.plan(NOW)
    spoil("doses", [lees[0]], monkeypatch)
    PlannedDose.objects.filter(patient=lees[1]).delete()
    planning.plan(NOW)
    assert reminded("injection_due") == {cast.anna_patient.pk, *(lee.pk for lee in lees if lee != lees[1])}


def test_a_whole_family_that_fails_takes_no_other_with_it_and_the_heartbeat_says_so(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    planning.plan(before(1, 11))
    kept = set(Reminder.objects.filter(kind="digest", state="planned").values_list("pk", flat=True))

    def broken(**which: Any) -> Any:
        raise ValueError("secret")

    monkeypatch.setattr(facts_of_clinics, "members", broken)
    Reminder.objects.exclude(kind="digest").delete()
    planning.plan(NOW)
    assert reminded("injection_due") == {cast.anna_patient.pk, *(lee.pk for lee in lees)}
    assert set(Reminder.objects.filter(kind="digest", state="planned").values_list("pk", flat=True)) == kept
    assert Heartbeat.read().planned_at == before(1, 11), "so that staff are told, and nothing is forgotten"
    assert "No reminders of digest for patients of all: ValueError" in caplog.messages
    assert "secret" not in caplog.text


def test_where_nobody_can_be_known_it_is_given_up_soon(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST_UNKNOWN", 3)
    spoil("doses", [cast.anna_patient, *lees], monkeypatch)
    planning.plan(NOW)
    assert reminded("injection_due") == set()
    assert reminded("cycle_day") == {cast.anna_patient.pk, *(lee.pk for lee in lees)}
    assert Heartbeat.read().planned_at is None


def test_the_search_for_one_patient_takes_few_statements(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    planning.plan(NOW)
    spoil("courses", [lees[1]], monkeypatch)
    with CaptureQueriesContext(connection) as asked:
        planning.plan(NOW)
    courses = [
        query["sql"] for query in asked if "earlier_il2" in query["sql"] and 'FROM "cycles_cycle"' in query["sql"]
    ]
    assert len(courses) <= 2 * 6


def test_a_database_that_is_gone_is_nobodys_fault_and_ends_the_tick(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_facts: Any, **_which: Any) -> Any:
        raise DatabaseError("gone")

    monkeypatch.setattr(facts, "doses_between", gone)
    with pytest.raises(DatabaseError):
        planning.plan(NOW)


@pytest.mark.parametrize("which", ["labs.forget_uploads", "forgetting.forget", "one_tap_actions.forget"])
def test_what_cannot_be_forgotten_keeps_nobody_from_being_reminded(
    cast: Cast, lees: list[Patient], monkeypatch: pytest.MonkeyPatch, caplog: Any, which: str
) -> None:
    module, _dot, name = which.partition(".")
    forgotten = []

    def stumble(*_facts: Any, **_which: Any) -> None:
        raise ValueError("secret")

    def note(now: datetime, other: str) -> None:
        forgotten.append(other)

    others = {"labs.forget_uploads", "forgetting.forget", "one_tap_actions.forget"} - {which}
    for other in others:
        place, _dot, what = other.partition(".")
        monkeypatch.setattr(getattr(planning, place), what, lambda *a, _o=other, **k: forgotten.append(_o))
    monkeypatch.setattr(getattr(planning, module), name, stumble)
    planning.plan(NOW)
    assert reminded("injection_due")
    assert Heartbeat.read().planned_at == NOW
    assert set(forgotten) == others
    assert "Something old cannot be forgotten: ValueError" in caplog.messages
    assert "secret" not in caplog.text
