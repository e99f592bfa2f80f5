"""Whose rows are locked before a write about people or clinics: everybody whose mail it can make wrong (A2).

Patients by key and then people by key, as everybody locks them, so that no two wait for each other. On SQLite the
transaction is the lock.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from il2tracker.accounts.models import Clinic, Membership, Patient, Sharing, User


def before(rows: Collection[User | Clinic | Membership]) -> None:
    """Before these rows change: diaries of the people and of the clinics' patients, then the people and all who work
    with them, as a mail to one of a team says who else is told. A member counts where he works now and where he will.
    """
    users = [row.pk for row in rows if isinstance(row, User)]
    clinics = [row.pk for row in rows if isinstance(row, Clinic)]
    members = [row for row in rows if isinstance(row, Membership)]
    shared = Sharing.objects.open().filter(clinic__in=clinics)
    _patients(Q(user__in=users) | Q(pk__in=shared.values("patient")))
    now = Membership.objects.filter(Q(user__in=users) | Q(pk__in=[row.pk for row in members]))
    joining = [row.user_id for row in members]
    teams = {*clinics, *now.values_list("clinic", flat=True), *(row.clinic_id for row in members)}
    working = Membership.objects.filter(clinic__in=teams).values("user")
    _people(Q(pk__in=[*users, *joining]) | Q(pk__in=working))


def _patients(which: Q) -> None:
    list(Patient.objects.filter(which).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _people(which: Q) -> None:
    list(User.objects.filter(which).order_by("pk").select_for_update(no_key=True).values_list("pk"))
