"""Everything that is written about people, clinics and sharing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from il2tracker.accounts import locks
from il2tracker.accounts.models import Clinic, Membership, Patient, Sharing, User
from il2tracker.audit import log
from il2tracker.refs import new_code


@transaction.atomic
def create_user(
    *,
    by: User | None,
    email: str,
    name: str,
    password: str | None = None,
    is_staff: bool = False,
    is_demo: bool = False,
) -> User:
    """A person who can sign in. Raises ValidationError when the address is taken or no address."""
    user = User(email=email.strip(), name=name, is_staff=is_staff, is_superuser=is_staff, is_demo=is_demo)
    user.set_password(password)
    user.full_clean()
    user.save()
    log.record(action="accounts.user.created", by=by, subject=user)
    return user


@transaction.atomic
def update_user(*, by: User, user: User, **facts: Any) -> User:
    """Change name, theme or clock. Raises ValidationError."""
    _lock(user)
    _apply(user, facts, {"name", "theme", "clock"})
    log.record(action="accounts.user.changed", by=by, subject=user, detail=", ".join(sorted(facts)))
    return user


@transaction.atomic
def set_password(*, by: User, user: User, password: str) -> User:
    """A password that was checked already. Every session ends with it, but one that is kept on purpose."""
    _lock(user)
    user.set_password(password)
    user.save(update_fields=["password"])
    log.record(action="accounts.user.password_set", by=by, subject=user)
    return user


@transaction.atomic
def create_clinic(*, by: User | None, **facts: Any) -> Clinic:
    """A clinic with its numbers. Raises ValidationError."""
    clinic = Clinic(**facts)
    clinic.full_clean()
    clinic.save()
    log.record(action="accounts.clinic.created", by=by, subject=clinic)
    return clinic


@transaction.atomic
def join_clinic(
    *, by: User | None, clinic: Clinic, user: User, title: str, on_call_rank: int | None = None
) -> Membership:
    """Make the user a member of the clinic's team."""
    locks.before([Membership(clinic=clinic, user=user)])
    membership, _created = Membership.objects.get_or_create(
        clinic=clinic, user=user, defaults={"title": title, "on_call_rank": on_call_rank}
    )
    log.record(action="accounts.clinic.joined", by=by, subject=user, detail=clinic.slug)
    return membership


@transaction.atomic
def create_patient(*, by: User | None, clinic: Clinic | None = None, user: User | None = None, **facts: Any) -> Patient:
    """A patient's record, shared with `clinic` from the start when one is given. Raises ValidationError."""
    facts.setdefault("time_zone", clinic.time_zone if clinic else settings.DEFAULT_TIME_ZONE)
    if user is not None:
        _lock(user)  # of two at once the second is refused, not half done
        facts.setdefault("name", user.name)
    facts.setdefault("code", _free_code())
    patient = Patient(user=user, **facts)
    patient.full_clean()
    patient.save()
    log.record(action="accounts.patient.created", by=by, patient=patient)
    if clinic is not None:
        share_with_clinic(by=by, patient=patient, clinic=clinic)
    return patient


def _free_code() -> str:
    """A code that nobody has: in a clinic of a thousand, one draw in five hundred is taken."""
    code = new_code()
    while Patient.objects.filter(code=code).exists():
        code = new_code()
    return code


@transaction.atomic
def update_patient(*, by: User, patient: Patient, **facts: Any) -> Patient:
    """Change facts about the patient; a new zone counts from the next cycle opened (H09). Raises ValidationError."""
    patient = patient.lock()
    _apply(patient, facts, {field.name for field in Patient._meta.fields} - {"id", "ref", "code", "user", "created_at"})
    log.record(action="accounts.patient.changed", by=by, patient=patient, detail=", ".join(sorted(facts))[:200])
    return patient


@transaction.atomic
def share_with_clinic(*, by: User | None, patient: Patient, clinic: Clinic) -> Sharing:
    """Let the clinic's team see everything; the open sharing is returned when there is one already."""
    sharing = _opened(patient, clinic=clinic)
    log.record(action="accounts.sharing.opened", by=by, patient=patient, subject=sharing)
    return sharing


@transaction.atomic
def share_with_person(*, by: User, patient: Patient, person: User, may_record: bool = False) -> Sharing:
    """Let a person see, and record when granted (A7)."""
    sharing = _opened(patient, person=person, defaults={"may_record": may_record})
    log.record(action="accounts.sharing.opened", by=by, patient=patient, subject=sharing)
    return sharing


def _opened(patient: Patient, *, defaults: dict[str, Any] | None = None, **to: Clinic | User) -> Sharing:
    """The sharing that counts now. One whose time is over is closed for good, or it would stand in the way."""
    patient = patient.lock()
    standing = Sharing.objects.filter(patient=patient, revoked_at=None, **to)
    standing.exclude(pk__in=Sharing.objects.open()).update(revoked_at=timezone.now())
    sharing, _created = standing.get_or_create(patient=patient, **to, defaults=defaults)
    return sharing


@transaction.atomic
def stop_sharing(*, by: User, sharing: Sharing) -> Sharing:
    """End a sharing at once. Only the patient may (PermissionDenied)."""
    if sharing.patient.user_id != by.pk:
        raise PermissionDenied
    patient = sharing.patient.lock()
    Sharing.objects.filter(pk=sharing.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
    sharing.refresh_from_db()
    log.record(action="accounts.sharing.ended", by=by, patient=patient, subject=sharing)
    return sharing


@transaction.atomic
def tell_if_not_recorded(*, by: User, sharing: Sharing, told: bool) -> Sharing:
    """Whether a person is told by mail when an injection is not recorded. Only the patient may (PermissionDenied).

    Raises ValidationError for a clinic, which has its own list of what waits, and for a sharing that has ended.
    """
    if sharing.patient.user_id != by.pk:
        raise PermissionDenied
    patient = sharing.patient.lock()
    standing = Sharing.objects.open().filter(pk=sharing.pk, person__isnull=False).first()
    if standing is None:
        raise ValidationError(_("Only somebody who can see your diary now can be told."))
    standing.told_if_not_recorded = told
    standing.save(update_fields=["told_if_not_recorded"])
    action = "accounts.sharing.told" if told else "accounts.sharing.not_told"
    log.record(action=action, by=by, patient=patient, subject=standing)
    return standing


def _lock(user: User) -> None:
    """Mails that say something of this choice wait until it is saved (A2). What others saved before is not undone."""
    user.refresh_from_db(from_queryset=User.objects.select_for_update(no_key=True))


def _apply(row: User | Patient, facts: dict[str, Any], allowed: set[str]) -> None:
    unknown = set(facts) - allowed
    if unknown:
        raise TypeError(f"not to be changed here: {', '.join(sorted(unknown))}")
    for name, value in facts.items():
        setattr(row, name, value)
    row.full_clean()
    row.save()
