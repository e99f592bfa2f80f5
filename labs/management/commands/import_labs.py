"""Blood results from a file, without a browser's limits. Everything is added, or nothing; or taken back, whole."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from il2tracker.accounts.models import Clinic, Patient, User
from labs import uploads
from labs.files.candidates import FileError
from labs.files.columns import which_test
from labs.files.days import DAY_FIRST, MONTH_FIRST
from labs.files.formats import MESSAGE_BYTES
from labs.import_actions import import_table
from labs.models import ImportBatch
from labs.outcomes import NOT_IN_PLAN, ODD, ORDER, Outcome
from labs.study_actions import study_patients
from labs.undo_actions import undo_batch
from labs.units import ReadingError, library, unit_called
from labs.writing import StrangerError

PROGRESS = 5_000
MOST_PROBLEMS = 20
NOBODY_KNOWS = "?"  # the file was looked through and does not show it
ORDERS = {"day-first": DAY_FIRST, "month-first": MONTH_FIRST}


class Command(BaseCommand):
    """See `manage.py import_labs --help`."""

    help = (
        "Adds blood results from a file: a table (one result per row, one draw per row, or one column per visit), HL7 "
        "messages, FHIR in JSON. What it does not say has to be said: dates are never invented, floors never guessed. "
        "A second import of the same file adds nothing. A table can have any length: it is read row by row. HL7, FHIR "
        f"and records of a diary are read whole, up to {MESSAGE_BYTES // 1_000_000} MB; a longer one is refused. Every "
        "import has a name, which is printed: with --undo it is taken back, whole."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the file does not say."""
        many: dict[str, Any] = {"action": "append", "default": [], "metavar": "NAME=VALUE"}
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--undo", metavar="REF", help="take the import with this name back, instead of a file")
        parser.add_argument("--patient", metavar="CODE", help="all rows are this patient's")
        parser.add_argument(
            "--by-code", action="store_true", help="the names in the file are the codes of our patients"
        )
        parser.add_argument("--map", **many, help="a patient of the file is the one with this code: 12=7KQ2")
        parser.add_argument(
            "--create-patients", action="store_true", help="make the file's patients in --clinic, called “STUDY · 12”"
        )
        parser.add_argument("--clinic", metavar="SLUG")
        parser.add_argument("--study", metavar="NAME", help="the study's name, which the made patients carry")
        parser.add_argument("--never-treated", action="store_true", help="the made patients never had IL-2 before")
        parser.add_argument(
            "--sure",
            action="store_true",
            help="add values that look odd as well, and tests that have no part in a plan",
        )
        parser.add_argument(
            "--same-person",
            action="store_true",
            help="a message with another name or birth year, or with none, is about the person that is named here",
        )
        parser.add_argument(
            "--dates", choices=("day-first", "month-first"), help="how 03/04/2026 is meant in this file"
        )
        parser.add_argument("--date", metavar="DAY", help="when the blood was taken, if the file says no date at all")
        parser.add_argument("--start-date", **many, help="day 0: 2020-01-01 for everybody, or 12=2020-01-01")
        parser.add_argument("--column-date", **many, help="when a visit was: cd_2018_1=2018-03-01")
        parser.add_argument("--floor", **many, help="a number stands for a limit: log10_hiv_rna=1.699:100")
        parser.add_argument(
            "--analyte", **many, help="a column holds a test: Helper=cd4 (" + ", ".join(library()) + ")"
        )
        parser.add_argument("--unit", **many, help="a column is in a unit: Helper=10^9/L")
        parser.add_argument(
            "--as",
            dest="email",
            metavar="EMAIL",
            help="who is named as having entered the results, or as having taken them back",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be added and add nothing")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Read, say what becomes of every reading, add what is new; or take an import back."""
        if (options["file"] is None) == (options["undo"] is None):
            raise CommandError("Name a file to import, or --undo with the name of an import: one of the two.")
        if options["undo"] is None:
            self._import(options)
        else:
            self._undo(options["undo"], _person(options["email"]))
        if options["dry_run"]:
            transaction.set_rollback(True)
            self.stdout.write(f"Nothing was {'added' if options['undo'] is None else 'taken back'} (--dry-run).")

    def _undo(self, ref: str, by: User | None) -> None:
        batch = ImportBatch.objects.filter(ref=ref.lower()).first()
        if batch is None or batch.state in {ImportBatch.State.WAITING, ImportBatch.State.DROPPED}:
            raise CommandError(f"--undo {ref}: no import that added anything has this name.")
        if batch.state == ImportBatch.State.UNDONE:
            raise CommandError(f"--undo {ref}: this import was taken back already.")
        done = undo_batch(by=by, batch=batch, now=timezone.now(), by_command=True)
        self.stdout.write(f"{len(done.hides):>9,}  taken back\n{len(done.restores):>9,}  put back")
        if done.stays:
            self.stdout.write(f"{len(done.stays):>9,}  changed since, left as they are")

    def _import(self, options: dict[str, Any]) -> None:
        heard, file = Heard(self), options["file"]
        try:
            answers = _answers(options)
            asked = uploads.read_upload(partial(file.open, "rb"), answers, {}, timezone.now()).asked
            answers["order"] = answers["order"] or asked.order_seen or NOBODY_KNOWS
            batch = import_table(
                by=_person(options["email"]),
                file_name=file.name,
                content=partial(file.open, "rb"),
                answers=answers,
                patients=_patients(options, asked.patients),
                now=timezone.now(),
                sure=options["sure"],
                heard=asked,
                each=heard,
            )
        except (OSError, FileError) as error:
            raise CommandError(str(error)) from error
        except StrangerError as error:
            words = " ".join(error.messages)
            raise CommandError(f"{words} Nothing was added. If it is the same, say so with --same-person.") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        heard.finish()
        if asked.asks_order and not options["dates"]:
            self.stdout.write(f"“{asked.order}” can be two days: say --dates day-first or --dates month-first.")
        self._tell(batch)
        if not options["dry_run"]:
            self.stdout.write(f"To take it back, whole: import_labs --undo {batch.ref}")

    def _tell(self, batch: ImportBatch) -> None:
        for state in ORDER:
            if batch.outcomes.get(state):
                self.stdout.write(f"{batch.outcomes[state]:>9,}  {state}")
        if batch.outcomes.get(ODD):
            self.stdout.write(
                "Values that look odd were left out. If they are right, say so with --sure; limits with --floor."
            )
        if batch.outcomes.get(NOT_IN_PLAN):
            self.stdout.write(
                "Tests that have no part in a plan were left out. If the right people are named, say so with --sure."
            )


class Heard:
    """Says how far a long file is, and keeps the first problems."""

    def __init__(self, command: BaseCommand) -> None:
        self.command, self.read, self.problems = command, 0, 0

    def __call__(self, outcome: Outcome) -> None:
        self.read += 1
        if self.read % PROGRESS == 0:
            self.command.stdout.write(f"{self.read:,} values read")
        if not outcome.asks:
            return
        self.problems += 1
        if self.problems <= MOST_PROBLEMS:
            line = outcome.line
            self.command.stderr.write(f"line {line.place}, {line.name} “{line.raw}”: {outcome.state}. {outcome.reason}")

    def finish(self) -> None:
        """How many problems were not shown."""
        if self.problems > MOST_PROBLEMS:
            self.command.stderr.write(f"… and {self.problems - MOST_PROBLEMS:,} more")


def _pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name or not value:
            raise CommandError(f"--{option} {text}: write NAME=VALUE.")
        pairs[name] = value
    return pairs


def _day(text: str, option: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise CommandError(f"--{option}: “{text}” is not a date like 2020-01-31.") from None


def _answers(options: dict[str, Any]) -> dict[str, Any]:
    everybody = [text for text in options["start_date"] if "=" not in text]
    some = _pairs((text for text in options["start_date"] if "=" in text), "start-date")
    columns = _pairs(options["column_date"], "column-date")
    return {
        "start": _day(everybody[-1], "start-date") if everybody else None,
        "on": _day(options["date"], "date") if options["date"] else None,
        "order": ORDERS.get(options["dates"], ""),
        "same": [uploads.EVERYBODY] if options["same_person"] else [],
        "starts": {name: _day(text, "start-date") for name, text in some.items()},
        "columns": {name: _day(text, "column-date") for name, text in columns.items()},
        "floors": [_floor(text) for text in options["floor"]],
        "tests": _tests(_pairs(options["analyte"], "analyte"), _pairs(options["unit"], "unit")),
    }


def _floor(text: str) -> list[str]:
    name, _sign, numbers = text.partition("=")
    test, (number, colon, limit) = which_test(name), numbers.partition(":")
    try:
        Decimal(number), Decimal(limit)
    except InvalidOperation:
        colon = ""
    if test is None or not colon:
        raise CommandError(f"--floor {text}: write TEST=NUMBER:LIMIT, for example log10_hiv_rna=1.699:100.")
    return [*test, number, limit]


def _tests(named: dict[str, str], units: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {column: _test(column, named.get(column), units.get(column)) for column in {**named, **units}}


def _test(column: str, code: str | None, unit: str | None) -> tuple[str, str]:
    known = which_test(column) if code is None else None
    rule = library().get(code or (known[0] if known else ""))
    if rule is None:
        raise CommandError(f"--analyte {column}={code or ''}: the tests are {', '.join(library())}.")
    try:
        return rule.code, unit_called(rule, unit or (known[1] if known else rule.canonical_unit)).code
    except ReadingError as error:
        raise CommandError(f"--unit {column}: {error}") from error


def _person(email: str | None) -> User | None:
    if email is None:
        return None
    person = User.objects.filter(email__iexact=email).first()
    if person is None:
        raise CommandError(f"--as {email}: nobody signs in with this address.")
    return person


def _patients(options: dict[str, Any], names: Iterable[str]) -> dict[str, Patient]:
    if options["patient"]:
        return {uploads.EVERYBODY: _by_code(options["patient"])}
    if options["by_code"]:
        codes = {name: name.upper() for name in names}
        there = Patient.objects.filter(code__in=set(codes.values())).in_bulk(field_name="code")
        return {name: there[code] for name, code in codes.items() if code in there}
    mapped = {name: _by_code(code) for name, code in _pairs(options["map"], "map").items()}
    if options["create_patients"]:
        clinic = Clinic.objects.filter(slug=options["clinic"]).first()
        if clinic is None:
            raise CommandError(f"--create-patients needs --clinic; there is none called {options['clinic']}.")
        mapped = {**_made(options, clinic, [name for name in names if name and name not in mapped]), **mapped}
    if not mapped:
        raise CommandError("Whose results are these? Use --patient, --by-code, --map or --create-patients --clinic.")
    return mapped


def _by_code(code: str) -> Patient:
    patient = Patient.objects.filter(code=code.upper()).first()
    if patient is None:
        raise CommandError(f"There is no patient with the code {code}.")
    return patient


def _made(options: dict[str, Any], clinic: Clinic, names: list[str]) -> dict[str, Patient]:
    if not options["study"]:
        raise CommandError("--create-patients needs --study NAME, so that people of two studies are never mixed up.")
    return study_patients(
        by=None, clinic=clinic, study=options["study"], names=names, never_treated=options["never_treated"]
    )
