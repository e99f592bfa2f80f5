"""manage.py demo: fills an empty database with the demo clinic."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from il2tracker.demo import actions, story


class Command(BaseCommand):
    help = "Fill an empty database with the demo clinic of invented people. Only in demo mode (IL2_DEMO)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--reset", action="store_true", help="empty the database and fill it anew")
        what.add_argument("--banner", action="store_true", help="only say who can sign in and how old the demo is")

    def handle(self, *args: Any, reset: bool = False, banner: bool = False, **options: Any) -> None:
        now = timezone.now()
        try:
            if reset:
                actions.reset(now=now)
            elif not banner:
                actions.fill(now=now)
        except actions.NotTheDemoError as refusal:
            raise CommandError(str(refusal)) from refusal
        filled_on = actions.filled_on()
        if filled_on is None:
            raise CommandError("The demo is not filled yet.")
        if banner:
            self.stdout.write(_sign_ins())
        self.stdout.write(_age(filled_on, now.astimezone(ZoneInfo(settings.DEFAULT_TIME_ZONE)).date()))


def _sign_ins() -> str:
    rows = [f"  {email:<22} {name}, {words}" for email, name, words in story.SIGN_INS]
    return "\n".join([f"Sign in with the password {story.PASSWORD} as", *rows])


def _age(filled_on: date, today: date) -> str:
    days = (today - filled_on).days
    if days == 0:
        return "The demo clinic was filled today. `make demo-reset` makes it fresh."
    age = "1 day" if days == 1 else f"{days} days"
    return f"The demo clinic is {age} old and its people have moved on. `make demo-reset` makes it fresh."
