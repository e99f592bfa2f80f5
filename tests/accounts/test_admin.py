"""Django's admin: people and clinics, administrators only, nothing clinical."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from il2tracker.accounts import locks
from il2tracker.accounts.admin import site
from il2tracker.accounts.models import User
from il2tracker.audit.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db
FACTS = ("name", "slug", "time_zone", "day_phone", "opens_at", "open_days")


def test_it_holds_people_clinics_and_memberships_and_nothing_else() -> None:
    assert {model.__name__ for model in site._registry} == {"User", "Clinic", "Membership"}


def test_strangers_sign_in_where_everybody_does(client: Client) -> None:
    answer = client.get("/system/admin/")
    assert answer["Location"] == "/system/admin/login/?next=/system/admin/"
    assert client.get(answer["Location"])["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize("who", ["anna", "ben", "sam"])
def test_others_do_not_get_in(client: Client, who: str) -> None:
    client.force_login(getattr(factories.cast(), who))
    assert client.get("/system/admin/accounts/user/", follow=True).status_code == 403


def test_an_administrator_changes_a_clinics_number_and_the_log_keeps_it(client: Client) -> None:
    cast = factories.cast()
    client.force_login(cast.eve)
    url = f"/system/admin/accounts/clinic/{cast.north.pk}/change/"
    facts = {name: getattr(cast.north, name) or "" for name in FACTS}
    more = {
        "night_phone": "020 7946 0999",
        "emergency_phone": "112",
        "escalate_after": 15,
        "closes_at": "18:00",
        "sustained_gaps": 2,
    }
    assert client.post(url, {**facts, **more}).status_code == 302
    cast.north.refresh_from_db()
    assert cast.north.night_phone == "020 7946 0999"
    event = AuditEvent.objects.get(action="accounts.clinic.changed")
    assert (event.actor_ref, event.subject_ref) == (cast.eve.ref, cast.north.ref)
    assert "night_phone" in event.detail


def test_an_administrator_bars_a_person_but_neither_adds_nor_deletes_one(client: Client) -> None:
    cast = factories.cast()
    client.force_login(cast.eve)
    facts = {"email": cast.sam.email, "name": "Sam"}
    client.post(f"/system/admin/accounts/user/{cast.sam.pk}/change/", facts)
    cast.sam.refresh_from_db()
    assert not cast.sam.is_active
    assert client.get("/system/admin/accounts/user/add/").status_code == 403
    assert client.get(f"/system/admin/accounts/user/{cast.sam.pk}/delete/").status_code == 403


def test_an_administrator_makes_others_members_but_never_herself(client: Client) -> None:
    cast = factories.cast()
    client.force_login(cast.eve)
    for person, status, members in ((cast.eve, 200, 1), (cast.sam, 302, 2)):
        facts = {"clinic": cast.north.pk, "user": person.pk, "title": "nurse"}
        assert client.post("/system/admin/accounts/membership/add/", facts).status_code == status
        assert cast.north.memberships.count() == members
    own = cast.north.memberships.get(user=cast.sam)
    facts = {"clinic": cast.north.pk, "user": cast.eve.pk, "title": "nurse"}
    assert client.post(f"/system/admin/accounts/membership/{own.pk}/change/", facts).status_code == 200
    assert not cast.north.memberships.filter(user=cast.eve).exists()


def test_an_administrator_sets_who_is_told_first_and_after_how_many_minutes_the_next_one(client: Client) -> None:
    cast = factories.cast()
    client.force_login(cast.eve)
    member = cast.north.memberships.get()
    url = f"/system/admin/accounts/membership/{member.pk}/change/"
    page = client.get(url).content.decode()
    assert "Place on call" in page
    assert "Without any number in the clinic everybody is told at once." in page
    facts = {"clinic": cast.north.pk, "user": cast.ben.pk, "title": "nurse"}
    for rank, stored in (("3", 3), ("", None)):
        assert client.post(url, {**facts, "on_call_rank": rank}).status_code == 302
        member.refresh_from_db()
        assert member.on_call_rank == stored
    page = client.get(f"/system/admin/accounts/clinic/{cast.north.pk}/change/").content.decode()
    assert "is told to the next person on call" in page
    assert client.get("/system/admin/accounts/membership/").status_code == 200


def test_a_membership_that_is_removed_stays_in_the_log(client: Client) -> None:
    cast = factories.cast()
    client.force_login(cast.eve)
    first, second = cast.north.memberships.get(), cast.south.memberships.get()
    client.post(f"/system/admin/accounts/membership/{first.pk}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [second.pk], "post": "yes"}
    client.post("/system/admin/accounts/membership/", chosen)
    assert not cast.north.memberships.exists()
    assert not cast.south.memberships.exists()
    events = AuditEvent.objects.filter(action="accounts.membership.deleted").order_by("pk")
    told = [(event.actor_ref, event.subject_ref, event.detail) for event in events]
    assert told == [(cast.eve.ref, cast.ben.ref, "clinic-north"), (cast.eve.ref, cast.carla.ref, "clinic-south")]


def test_a_clinic_is_never_deleted_with_all_that_hangs_on_it(client: Client) -> None:
    cast = factories.cast()
    client.force_login(cast.eve)
    assert client.post(f"/system/admin/accounts/clinic/{cast.north.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [cast.north.pk], "post": "yes"}
    client.post("/system/admin/accounts/clinic/", chosen)
    cast.north.refresh_from_db()


def test_what_somebody_saved_meanwhile_in_the_same_row_stays(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person chooses a new password while the administrator has her page open, and her form is being saved."""
    cast, lock = factories.cast(), locks.before
    client.force_login(cast.eve)

    def meanwhile(rows: Any) -> None:
        User.objects.filter(pk=cast.sam.pk).update(password="a new one", clock="24")
        lock(rows)

    monkeypatch.setattr(locks, "before", meanwhile)
    facts = {"email": cast.sam.email, "name": "Samuel", "is_active": "on"}
    assert client.post(f"/system/admin/accounts/user/{cast.sam.pk}/change/", facts).status_code == 302
    cast.sam.refresh_from_db()
    assert (cast.sam.name, cast.sam.password, cast.sam.clock) == ("Samuel", "a new one", "24")


def test_a_form_that_changes_nothing_is_saved_all_the_same(client: Client) -> None:
    cast = factories.cast()
    client.force_login(cast.eve)
    facts = {"email": cast.sam.email, "name": cast.sam.name, "is_active": "on"}
    assert client.post(f"/system/admin/accounts/user/{cast.sam.pk}/change/", facts).status_code == 302
    cast.sam.refresh_from_db()
    assert cast.sam.is_active
