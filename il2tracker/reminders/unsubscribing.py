"""The address at the foot of a mail that stops one kind of reminder. Permanent per person and kind, only its hash kept.

The token is derived from the secret key, so the same one stands in every mail and none is stored.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core import checks
from django.urls import reverse

from il2tracker.accounts.models import SecretLink, User
from il2tracker.reminders import kinds, tokens

PURPOSE = "reminders_off"
TOKEN = tokens.LENGTH
LONGEST = 58  # characters of an address that mail programs leave on one line (B11)


def link(user: User, kind: str, *, is_open: bool = False) -> str:
    """The full address that stops the switch which governs `kind` for this person, and works from now on.

    `is_open`: a batch has just opened it, so nothing is asked.
    """
    if not is_open:
        open_links([(user, kind)])
    return settings.BASE_URL + reverse("reminders:unsubscribe", args=[token_for(_name(user, kind))])


def open_links(pairs: Iterable[tuple[User, str]]) -> None:
    """Let the addresses of these people and kinds work, in two statements at most, however many there are.

    None is ever taken back.
    """
    wanted = {
        tokens.digest(token_for(_name(user, kind))): (user, kinds.POLICIES[kind].preference) for user, kind in pairs
    }
    standing = SecretLink.objects.filter(token_hash__in=wanted).values_list("token_hash", flat=True)
    missing = wanted.keys() - set(standing)
    people = ((name, *wanted[name]) for name in missing)
    rows = [SecretLink(purpose=PURPOSE, token_hash=name, user=user, subject=switch) for name, user, switch in people]
    if rows:
        SecretLink.objects.bulk_create(rows, ignore_conflicts=True)


def _name(user: User, kind: str) -> str:
    return f"{user.ref}/{kinds.POLICIES[kind].preference}"


def token_for(name: str) -> str:
    """The same secret for the same name, always."""
    return tokens.derived(PURPOSE, name)


def find(token: str) -> SecretLink | None:
    """Whose and which reminders a token stops; None for a token we never gave."""
    links = SecretLink.objects.filter(purpose=PURPOSE, token_hash=tokens.digest(token), revoked_at=None)
    return links.select_related("user").first()


@checks.register(checks.Tags.urls)
def short_enough(**_options: object) -> list[checks.CheckMessage]:
    """Warn when the address is so long that the List-Unsubscribe header is folded, which some servers break (B11)."""
    length = len(settings.BASE_URL) + len("/u/") + TOKEN
    if length <= LONGEST:
        return []
    hint = f"It has {length} characters with /u/ and its token; {LONGEST} stay on one line."
    return [checks.Warning("IL2_BASE_URL is long: unsubscribe headers will be folded.", hint=hint, id="reminders.W001")]
