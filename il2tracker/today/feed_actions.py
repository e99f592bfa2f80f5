"""The private address of a calendar feed: made, stopped, named, and noted when it is fetched. Only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from il2tracker.accounts.models import Patient, SecretLink, User
from il2tracker.audit import log
from il2tracker.refs import is_harmless
from il2tracker.today import feed, feed_numbers
from il2tracker.today.feed import Item
from il2tracker.today.feed_numbers import Revision

PURPOSE = "feed"
TOKEN_BYTES = 32
NOTED_EVERY = timedelta(minutes=10)  # app's own: a program that asks all the time does not make us write all the time


def current(patient: Patient) -> SecretLink | None:
    """The link that opens the patient's feed. Its `subject` is the level of the titles, `used_at` the last fetch."""
    return SecretLink.objects.filter(purpose=PURPOSE, patient=patient, revoked_at=None).order_by("-pk").first()


def find(token: str) -> SecretLink | None:
    """The link of a token; None for one that was revoked, never given, or whose person may not sign in any more."""
    links = SecretLink.objects.filter(purpose=PURPOSE, token_hash=_hash(token), revoked_at=None, user__is_active=True)
    return links.select_related("patient__user").first()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _new_token() -> str:
    while not is_harmless(token := secrets.token_urlsafe(TOKEN_BYTES)):
        pass
    return token


@transaction.atomic
def make_link(*, by: User, patient: Patient, level: str, now: datetime) -> str:
    """Open the feed and return its address, which nothing can show again. A link made before stops at once.

    Raises PermissionDenied for everybody but the patient.
    """
    patient = _own(by, patient)
    _revoke(patient, now)
    token = _new_token()
    link = SecretLink(purpose=PURPOSE, token_hash=_hash(token), patient=patient, user=by, subject=level)
    link.full_clean()
    link.save()
    log.record(action="today.feed.made", by=by, patient=patient, detail=level)
    return settings.BASE_URL + reverse("today:feed", args=[token])


@transaction.atomic
def stop_link(*, by: User, patient: Patient, now: datetime) -> None:
    """Close the feed at once. Safe to repeat. Raises PermissionDenied for everybody but the patient."""
    patient = _own(by, patient)
    if _revoke(patient, now):
        log.record(action="today.feed.stopped", by=by, patient=patient)


@transaction.atomic
def choose_titles(*, by: User, patient: Patient, level: str) -> SecretLink | None:
    """Name the entries on another level from the next fetch on. Raises PermissionDenied for all but the patient."""
    patient = _own(by, patient)
    link = current(patient)
    if link is not None:
        link.subject = level
        link.save(update_fields=["subject"])
        log.record(action="today.feed.named", by=by, patient=patient, detail=level)
    return link


def _own(by: User, patient: Patient) -> Patient:
    if patient.user_id != by.pk:
        raise PermissionDenied
    return patient.lock()


def _revoke(patient: Patient, now: datetime) -> int:
    return SecretLink.objects.filter(purpose=PURPOSE, patient=patient, revoked_at=None).update(revoked_at=now)


@transaction.atomic
def number_entries(*, link: SecretLink, now: datetime) -> tuple[list[Item], dict[str, Revision]]:
    """What the link shows now, with the revision of each entry by its name; what changed is kept with the link.

    Nothing of the diary changes. Of two fetches at once the second one counts after the first: the row is locked.
    """
    link = SecretLink.objects.select_for_update(of=("self",)).select_related("patient__user").get(pk=link.pk)
    assert link.patient is not None
    shown = feed.items(link.patient, now)
    before = feed_numbers.read(link.entries)
    revisions = feed_numbers.renumber(before, {item.name: item.digest(link.subject) for item in shown}, now)
    if revisions != before:
        link.entries = {name: revision.as_kept() for name, revision in revisions.items()}
        link.save(update_fields=["entries"])
    return shown, revisions


@transaction.atomic
def note_fetch(*, link: SecretLink, now: datetime) -> None:
    """Remember when the feed was fetched last, and on each of the patient's days write it into the access log once.

    Of two fetches at once one is noted: only whoever finds the moment that it had read may change it.
    """
    patient, before = link.patient, link.used_at
    if patient is None or (before is not None and now - before < NOTED_EVERY):
        return
    noted = SecretLink.objects.filter(pk=link.pk, used_at=before).update(used_at=now)
    if noted and (before is None or patient.today(before) != patient.today(now)):
        log.record(action="today.feed.fetched", by=None, patient=patient)
