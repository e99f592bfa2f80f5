"""manage.py person add: the first people of an installation, without the demo."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from il2tracker.accounts import actions
from il2tracker.accounts.models import Clinic, User


class Command(BaseCommand):
    help = "Add a person who can sign in. The password is asked for, or read from the standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="add a person")
        add.add_argument("email")
        add.add_argument("--role", choices=["patient", "clinician", "administrator"], required=True)
        add.add_argument("--name", required=True)
        add.add_argument("--clinic", default="", help="short name (slug) of the clinic; clinicians need one")
        add.add_argument("--title", default="nurse", help="a clinician's role in words")
        add.add_argument("--zone", default=settings.DEFAULT_TIME_ZONE, help="a patient's time zone without a clinic")
        add.add_argument("--team-phone", default="", help="a patient's care team, without a clinic")
        add.add_argument("--emergency-phone", default="", help="a patient's emergency number, without a clinic")

    def handle(self, *args: Any, **options: Any) -> None:
        clinic = self._clinic(options)
        password = self._password()
        try:
            with transaction.atomic():
                validate_password(password, User(email=options["email"], name=options["name"]))
                user = self._add(options, clinic, password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{user.email} can sign in now ({options['role']}).")

    def _clinic(self, options: dict[str, Any]) -> Clinic | None:
        role, slug = options["role"], options["clinic"]
        if role == "clinician" and not slug:
            raise CommandError("A clinician needs --clinic. Clinics are added at /system/admin/ by an administrator.")
        if not slug:
            return None
        clinic = Clinic.objects.filter(slug=slug).first()
        if clinic is None:
            known = ", ".join(Clinic.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no clinic {slug!r}. Clinics here: {known}.")
        return clinic

    def _password(self) -> str:
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\n")
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Once more: "):
            raise CommandError("The two passwords are not the same.")
        return password

    def _add(self, options: dict[str, Any], clinic: Clinic | None, password: str) -> User:
        role = options["role"]
        user = actions.create_user(
            by=None, email=options["email"], name=options["name"], password=password, is_staff=role == "administrator"
        )
        if role == "clinician" and clinic is not None:
            actions.join_clinic(by=None, clinic=clinic, user=user, title=options["title"])
        if role == "patient":
            self._add_patient(options, clinic, user)
        return user

    def _add_patient(self, options: dict[str, Any], clinic: Clinic | None, user: User) -> None:
        """Without a clinic and without numbers the person answers the first questions on the first visit (P37)."""
        numbers = {"team_phone": options["team_phone"], "emergency_phone": options["emergency_phone"]}
        if clinic is not None:
            actions.create_patient(by=None, clinic=clinic, user=user)
        elif all(numbers.values()):
            actions.create_patient(by=None, user=user, time_zone=options["zone"], **numbers)
