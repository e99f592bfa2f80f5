"""Filling the demo clinic through the real actions, and emptying it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Min

from cycles import plan_actions
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.models import Clinic, Patient, User
from il2tracker.audit import triggers
from il2tracker.demo import living, story
from il2tracker.demo.roles import Carer, Life, Staff
from labs import actions as labs
from sideeffects import actions as sideeffects

LIBRARIES: tuple[Callable[[], None], ...] = (plan_actions.load_library, labs.load_library, sideeffects.load_library)


class NotTheDemoError(Exception):
    """This database, or this installation, is not a place for invented people."""


def filled_on() -> date | None:
    """The day on which the demo was filled, on the installation's own calendar; None when it was not."""
    first = User.objects.filter(is_demo=True).aggregate(at=Min("date_joined"))["at"]
    return first.astimezone(ZoneInfo(settings.DEFAULT_TIME_ZONE)).date() if first else None


@transaction.atomic
def fill(*, now: datetime) -> bool:
    """Fill an empty database with the demo clinic as it stands at `now`. False when it is filled already.

    Raises NotTheDemoError outside demo mode, and when the database holds other people.
    """
    _refuse_outside_the_demo()
    if filled_on() is not None:
        return False
    _refuse_other_people()
    clinics = {facts["slug"]: _clinic(facts) for facts in (story.NORTH, story.SOUTH)}
    everybody = [(staff, _staff(staff, clinics)) for staff in story.STAFF]
    signers = {staff.clinic: user for staff, user in everybody if staff.rank == 1}
    for life in story.LIVES:
        _add(life, clinics[life.clinic], signers[life.clinic], now)
    for carer in story.CARERS:
        if carer.of in {life.email for life in story.LIVES}:
            _add_carer(carer)
    return True


@transaction.atomic
def reset(*, now: datetime) -> None:
    """Empty the database of everything, the access log too, and fill it anew. Raises NotTheDemoError as `fill` does."""
    _refuse_outside_the_demo()
    _refuse_other_people()
    triggers.drop(connection)
    call_command("flush", interactive=False, verbosity=0)
    for load_library in LIBRARIES:
        load_library()
    triggers.create(connection)
    cache.clear()
    fill(now=now)


def _refuse_outside_the_demo() -> None:
    if not settings.DEMO:
        raise NotTheDemoError("This is not a demo: IL2_DEMO is off. Nothing was changed.")


def _refuse_other_people() -> None:
    """A reset empties everything: whoever added real people meanwhile must not lose them."""
    if User.objects.filter(is_demo=False).exists() or (filled_on() is None and Patient.objects.exists()):
        raise NotTheDemoError("This database holds people who are not of the demo. Nothing was changed.")


def _clinic(facts: dict[str, Any]) -> Clinic:
    return accounts.create_clinic(by=None, time_zone=settings.DEFAULT_TIME_ZONE, **facts)


def _staff(staff: Staff, clinics: dict[str, Clinic]) -> User:
    user = _user(staff.email, staff.name, signs_in=True, is_staff=not staff.clinic)
    if staff.clinic:
        accounts.join_clinic(
            by=None, clinic=clinics[staff.clinic], user=user, title=staff.title, on_call_rank=staff.rank
        )
    return user


def _user(email: str, name: str, *, signs_in: bool, is_staff: bool = False) -> User:
    password = story.PASSWORD if signs_in else None
    return accounts.create_user(by=None, email=email, name=name, password=password, is_staff=is_staff, is_demo=True)


def _add(life: Life, clinic: Clinic, signer: User, now: datetime) -> None:
    user = _user(life.email, life.name, signs_in=life.signs_in)
    patient = accounts.create_patient(
        by=signer,
        clinic=clinic,
        user=user,
        code=life.code,
        birth_year=life.birth_year,
        earlier_il2=Patient.EarlierIL2.NEVER,
        **life.facts,
    )
    living.live(life, living.Ground(patient, user, signer, now))


def _add_carer(carer: Carer) -> None:
    user = _user(carer.email, carer.name, signs_in=True)
    patient = Patient.objects.select_related("user").get(user__email=carer.of)
    assert patient.user is not None
    sharing = accounts.share_with_person(by=patient.user, patient=patient, person=user, may_record=True)
    accounts.tell_if_not_recorded(by=patient.user, sharing=sharing, told=True)
