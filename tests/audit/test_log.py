"""The access log: complete, opaque, append-only."""

import pytest
from django.db import DatabaseError, connection, transaction

from il2tracker.audit import log
from il2tracker.audit.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_event_names_actor_patient_and_source_by_reference_only():
    cast = factories.cast()
    token = log.source.set("203.0.113.9")
    event = log.record(action="clinic.patient.opened", by=cast.ben, patient=cast.anna_patient)
    log.source.reset(token)
    assert (event.actor_ref, event.patient_ref) == (cast.ben.ref, cast.anna_patient.ref)
    assert event.actor_name == "Ben"
    assert event.source == "203.0.113.9"


def test_the_machine_is_an_actor_without_a_name():
    event = log.record(action="reminders.plan", by=None)
    assert (event.actor_ref, event.actor_name) == ("", "")


@pytest.mark.parametrize(
    ("behind", "forwarded", "source"),
    [
        (False, "203.0.113.9", "10.0.0.1"),
        (True, "203.0.113.9", "203.0.113.9"),
        (True, "6.6.6.6, 203.0.113.9", "203.0.113.9"),  # the rest is what the visitor made up
        (True, "", "10.0.0.1"),
        (True, "x" * 500, "x" * 60),
    ],
)
def test_behind_a_proxy_the_source_is_whom_the_proxy_saw(client, settings, behind, forwarded, source):
    settings.BEHIND_PROXY = behind
    cast = factories.cast()
    client.force_login(cast.ben)
    client.get(f"/people/{cast.anna_patient.code}/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert AuditEvent.objects.latest("pk").source == source


def test_a_page_with_several_patients_leaves_one_event_for_each_in_one_statement(django_assert_num_queries):
    cast = factories.cast()
    with django_assert_num_queries(1):
        log.record_each(action="clinic.panel.opened", by=cast.ben, patients=[cast.anna_patient, cast.dan_patient])
    told = AuditEvent.objects.filter(action="clinic.panel.opened").values_list("patient_ref", flat=True)
    assert set(told) == {cast.anna_patient.ref, cast.dan_patient.ref}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET action = 'forged'",
        "DELETE FROM audit_auditevent",
        "UPDATE alerts_transition SET what = 'forged'",
        "DELETE FROM alerts_transition",
    ],
)
def test_the_database_refuses_to_change_or_remove_what_was_logged(statement):
    cast = factories.cast()
    _raise_an_alert(cast)
    with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
        _run(statement)


OVERWRITE = {
    "sqlite": "INSERT OR REPLACE INTO audit_auditevent SELECT * FROM audit_auditevent",
    "postgresql": "INSERT INTO audit_auditevent SELECT * FROM audit_auditevent"
    " ON CONFLICT (id) DO UPDATE SET action = 'forged'",
}


def test_inserting_over_a_row_does_not_walk_past_the_triggers():
    log.record(action="first", by=None)
    with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
        _run(OVERWRITE[connection.vendor])


def test_erasing_a_patient_needs_no_change_to_the_log():
    cast = factories.cast()
    reference = cast.anna_patient.ref
    _raise_an_alert(cast)
    cast.anna_patient.delete()
    assert AuditEvent.objects.filter(patient_ref=reference).exists()


def test_every_write_about_people_leaves_an_event():
    cast = factories.cast()
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {
        "accounts.user.created",
        "accounts.clinic.created",
        "accounts.clinic.joined",
        "accounts.patient.created",
        "accounts.sharing.opened",
    } <= actions
    assert AuditEvent.objects.filter(patient_ref=cast.anna_patient.ref).count() >= 3


def _raise_an_alert(cast):
    from django.utils import timezone

    from il2tracker.alerts.actions import raise_alert

    raise_alert(
        by=cast.anna,
        patient=cast.anna_patient,
        rule="T2",
        tier="RED",
        title="Much less urine",
        evidence="",
        source="sideeffects.checkin",
        source_ref="abc",
        now=timezone.now(),
    )


def _run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
