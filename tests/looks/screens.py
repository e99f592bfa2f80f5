"""Every screen of the demo clinic on Saturday 21 November 2026, 21:35, London: who opens which address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from il2tracker.accounts.models import Sharing

NOW = datetime(2026, 11, 21, 21, 35, tzinfo=UTC)
ANNA, DAN = "patient@demo.example", "kidney@demo.example"
BEN, CARLA, EVE = "nurse@demo.example", "outsider@demo.example", "admin@demo.example"
NOBODY = ""


@dataclass(frozen=True)
class Screen:
    """An address as one person opens it.

    `sends`: the screen is what comes after sending its first form as it stands. `is_main`: it is walked in all frames.
    """

    name: str
    who: str
    path: str
    status: int = 200
    sends: bool = False
    is_main: bool = False

    @property
    def file_name(self) -> str:
        """For its picture."""
        return f"{self.who.partition('@')[0] or 'nobody'}-{self.name.replace(':', '-')}"


NOT_A_SCREEN = {"healthz": "answers a machine"}
"""Addresses without a page of ours, and why."""


def addresses(resolver: URLResolver | None = None, space: str = "") -> Iterator[str]:
    """The full name of every address of the application, without Django's admin."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
                yield from addresses(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield space + pattern.name


def screen(name: str, who: str, *, main: bool = False, sends: bool = False, status: int = 200, **kwargs: Any) -> Screen:
    """A screen by the name of its address."""
    return Screen(name, who, reverse(name, kwargs=kwargs), 422 if sends else status, sends, main)


def all_screens() -> list[Screen]:
    """Every screen of the filled demo. Needs the database."""
    return [
        *_accounts(),
        *_system(),
        Screen("error-404", ANNA, "/nowhere/", 404),
        Screen("error-404", NOBODY, "/nowhere/", 404),
    ]


def _accounts() -> list[Screen]:
    shared = Sharing.objects.get(patient__user__email=ANNA, clinic__isnull=False)
    return [
        screen("account_login", NOBODY, main=True),
        screen("account_login", NOBODY, sends=True, main=True),
        screen("account_logout", ANNA),
        screen("accounts:settings", ANNA, main=True),
        screen("accounts:settings", BEN),
        screen("accounts:settings", EVE),
        screen("accounts:start", EVE),
        screen("accounts:start", EVE, sends=True),
        screen("accounts:details", ANNA, main=True),
        screen("accounts:details", BEN),
        screen("accounts:display", ANNA),
        screen("accounts:sharing", ANNA),
        screen("accounts:sharing", ANNA, sends=True),
        screen("accounts:stop_sharing", ANNA, ref=shared.ref),
        screen("accounts:looked", ANNA),
        Screen("accounts:looked", ANNA, "/settings/looked/?before=1"),
    ]


def _system() -> list[Screen]:
    return [screen("system:page", EVE, main=True), screen("system:mail", EVE)]
