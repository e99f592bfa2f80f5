"""What the weekly mail of a clinic holds: whose, which kinds of reason, and in how many statements."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cycles.models import Cycle
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Membership, Sharing
from il2tracker.audit.models import AuditEvent
from il2tracker.clinic import digest
from tests import factories
from tests.clinic.conftest import NOW, North
from tests.clinic.test_suggestions import three_courses, turn_on
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def read(cast: Cast, user: Any = None, clinic: Any = None) -> dict[str, Any]:
    return digest.read(user or cast.ben, (clinic or cast.north).ref, NOW)


def part(cast: Cast, heading: str, **which: Any) -> list[str]:
    """The lines under a heading; [] when it is not there."""
    return dict(read(cast, **which)["parts"]).get(heading, [])


def test_a_calm_clinic_has_nothing_to_say_whoever_is_in_a_course(cast: Cast, north: North) -> None:
    north.patient("Uma", started=3)
    found = read(cast)
    assert (found["is_empty"], found["act"], found["running"], found["missing"]) == (True, 0, 1, 0)
    assert found["clinic"] == "Clinic North"


def test_each_kind_of_reason_has_its_words_and_its_age(cast: Cast, north: North) -> None:
    people = {name: north.patient(name, started=3) for name in ("Eva", "Leo", "Amy")}
    north.alert(people["Eva"], "RED", "much less urine", minutes=35)
    alert = north.alert(people["Leo"], "EMERGENCY", "chest pain", minutes=10)
    type(alert).objects.filter(pk=alert.pk).update(nobody_reached_at=NOW)
    north.alert(people["Amy"], "AMBER", "tired, severe", minutes=9000)
    people["Mia"] = north.patient("Mia", started=3, recorded=False)
    people["Rex"] = north.patient("Rex", started=47)
    people["Hal"] = north.patient("Hal", started=-9)
    factories.hold(cast.ben, Cycle.objects.get(patient=people["Hal"]), now=NOW - timedelta(days=2))
    code = {name: patient.code for name, patient in people.items()}
    assert part(cast, "Needs action:") == [
        f"{code['Leo']}: urgent report, nobody answered, 10 minutes ago",
        f"{code['Eva']}: urgent report, 35 minutes ago",
        f"{code['Amy']}: a report to call about, 6 days ago",
        f"{code['Mia']}: items not recorded, 3 days ago",
        f"{code['Hal']}: on hold, 2 days ago",
        f"{code['Rex']}: something missing, start in 9 days",
    ]
    assert part(cast, "Quiet:") == [code["Mia"]]
    assert read(cast)["act"] == 6


def test_a_start_is_ready_when_nothing_is_missing_and_nobody_waits_for_a_word(cast: Cast, north: North) -> None:
    ready, lacks = north.patient("Ada", started=47), north.patient("Rex", started=47)
    north.result(ready, 6)
    assert sorted(part(cast, "Starting in 14 days:")) == sorted(
        [f"{ready.code}: Monday 30 November, ready", f"{lacks.code}: Monday 30 November, not ready"]
    )
    assert part(cast, "Something missing before a start:") == [lacks.code]
    factories.confirms_starts(cast.north)
    assert sorted(part(cast, "Starting in 14 days:")) == sorted(
        f"{patient.code}: Monday 30 November, not ready" for patient in (ready, lacks)
    )


def test_a_start_that_nobody_confirmed_waits_for_a_word(cast: Cast, north: North) -> None:
    patient = north.patient("Ada", started=50)
    north.result(patient, 6)
    factories.confirms_starts(cast.north)
    assert part(cast, "Needs action:") == [f"{patient.code}: waits for your word, start in 6 days"]
    assert part(cast, "Starting in 14 days:") == [f"{patient.code}: Friday 27 November, not ready"]


def test_suggestions_that_wait_are_named_by_code_where_the_clinic_turned_them_on(cast: Cast, north: North) -> None:
    ida = three_courses(north)
    assert part(cast, "Suggestions to look at:") == []
    turn_on(cast.north)
    assert part(cast, "Suggestions to look at:") == [ida.code]


def test_it_holds_the_patients_of_this_clinic_only(cast: Cast, north: North) -> None:
    accounts.join_clinic(by=cast.eve, clinic=cast.south, user=cast.ben, title="nurse")
    patient = north.patient("Eva", started=3)
    north.alert(patient, "RED", "much less urine", minutes=35)
    assert part(cast, "Needs action:", clinic=cast.south) == []
    accounts.share_with_clinic(by=patient.user, patient=patient, clinic=cast.south)
    assert len(part(cast, "Needs action:", clinic=cast.south)) == 1
    Sharing.objects.filter(patient=patient, clinic=cast.north).update(revoked_at=NOW)
    assert part(cast, "Needs action:") == []


def test_a_member_who_is_its_patient_too_is_not_in_his_own(cast: Cast, north: North) -> None:
    patient = north.patient("Eva", started=3)
    accounts.join_clinic(by=cast.eve, clinic=cast.north, user=patient.user, title="nurse")
    north.alert(patient, "RED", "much less urine", minutes=35)
    assert part(cast, "Needs action:", user=patient.user) == []
    assert len(part(cast, "Needs action:")) == 1


def test_who_left_the_clinic_reads_nothing(cast: Cast, north: North) -> None:
    north.alert(north.patient("Eva", started=3), "RED", "much less urine", minutes=35)
    Membership.objects.filter(user=cast.ben).delete()
    assert read(cast)["is_empty"]


def test_a_mail_opens_nobodys_record(cast: Cast, north: North) -> None:
    """What it says is no more than that there is something to open; opening it is written down."""
    north.alert(north.patient("Eva", started=3), "RED", "much less urine", minutes=35)
    events = AuditEvent.objects.count()
    read(cast)
    assert AuditEvent.objects.count() == events


def test_as_many_statements_for_ten_patients_as_for_one(cast: Cast, north: North) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            read(cast)
        return len(asked)

    turn_on(cast.north)
    three_courses(north)
    one = statements()
    for number in range(3):
        north.alert(three_courses(north, f"N{number}"), "AMBER", "tired, severe", minutes=number)
        north.patient(f"M{number}", started=3, recorded=False)
    assert statements() == one <= 30
