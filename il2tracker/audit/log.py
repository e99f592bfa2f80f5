"""Writing the access log, explicitly, at the place of the read or write."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Protocol

from il2tracker.audit.models import AuditEvent

source: ContextVar[str] = ContextVar("source", default="")


class HasRef(Protocol):
    """Anything that has a random public reference."""

    ref: str


def record(
    *,
    action: str,
    by: HasRef | None,
    patient: HasRef | None = None,
    subject: HasRef | None = None,
    detail: str = "",
) -> AuditEvent:
    """Append one event. `action` is a dotted verb; `detail` never holds a clinical value. `by=None` is the machine."""
    return AuditEvent.objects.create(
        action=action,
        actor_ref=by.ref if by else "",
        actor_name=getattr(by, "name", "")[:120],
        patient_ref=patient.ref if patient else "",
        subject_ref=subject.ref if subject else "",
        detail=detail,
        source=source.get(),
    )


def record_each(*, action: str, by: HasRef, patients: Iterable[HasRef]) -> None:
    """One event for each patient of a page that shows several: one statement."""
    who = {"actor_ref": by.ref, "actor_name": getattr(by, "name", "")[:120], "source": source.get()}
    AuditEvent.objects.bulk_create(AuditEvent(action=action, patient_ref=each.ref, **who) for each in patients)


def record_details(*, action: str, by: HasRef | None, subject: HasRef, details: Mapping[str, str]) -> None:
    """One event for each patient whom one act was about, by `ref`, with what it did there: one statement."""
    who = {"actor_ref": by.ref if by else "", "actor_name": getattr(by, "name", "")[:120], "source": source.get()}
    AuditEvent.objects.bulk_create(
        (
            AuditEvent(action=action, patient_ref=ref, subject_ref=subject.ref, detail=detail, **who)
            for ref, detail in details.items()
        ),
        batch_size=1000,
    )
