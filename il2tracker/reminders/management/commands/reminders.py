"""The reminders without Redis, and what staff ask on the command line."""

from __future__ import annotations

import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from il2tracker.reminders import (
    bouncing,
    clocks,
    forecast,
    invariants,
    planning,
    restoring,
    sending,
    trying,
)

PARTS = ("loop", "once", "plan", "sweep", "check", "bounce", "after_restore", "test", "dry_run")


class Command(BaseCommand):
    """`manage.py reminders`: one of the options says what to do."""

    is_quiet = False
    help = "Plans and sends reminders without a broker, and checks that all is well."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option, and only one."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--loop", action="store_true", help="plan and send for ever, until asked to end")
        what.add_argument("--once", action="store_true", help="plan and send once")
        what.add_argument("--plan", action="store_true", help="only plan")
        what.add_argument("--sweep", action="store_true", help="only send what is due")
        what.add_argument(
            "--check", action="store_true", help="name every broken invariant; exit code 1 if there is any"
        )
        what.add_argument("--bounce", action="store_true", help="read a delivery report from standard input")
        what.add_argument(
            "--after-restore", action="store_true", help="a backup was put back: what was due before never leaves"
        )
        what.add_argument("--test", metavar="ADDRESS", help="send one test mail now and print the server's answer")
        what.add_argument("--dry-run", action="store_true", help="show what is wanted in the next days; change nothing")
        parser.add_argument("--on", metavar="DATE", help="with --dry-run: another day instead, as 2026-11-25")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the chosen part."""
        self.options = options
        if options["on"] and not options["dry_run"]:
            self._stop("--on goes with --dry-run.")
        chosen = next(name for name in PARTS if options[name] not in (None, False))
        getattr(self, f"_{chosen}")()

    def _plan(self) -> None:
        done = planning.plan()
        if self.is_quiet and not any(done):
            return
        self.stdout.write(
            f"planned: {done.added} new, {done.restored} changed, {done.cancelled} not needed, {done.opened} courses"
        )

    def _sweep(self, *ended: Callable[[], bool]) -> None:
        done = sending.sweep(*ended)
        if done.in_doubt:
            self.stderr.write("The database's clock jumped: nothing was sent. The next sweep works again.")
        if self.is_quiet and not any(done):
            return
        self.stdout.write(f"swept: {done.tried} tried, {done.expired} too late, {done.recovered} taken back")

    def _once(self) -> None:
        self._plan()
        self._sweep()

    def _loop(self) -> None:
        self.is_quiet = True  # a loop only speaks of what it did
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        next_plan = 0.0
        while not ended.is_set():
            try:
                if clocks.running_seconds() >= next_plan:
                    self._plan()
                    next_plan = clocks.running_seconds() + settings.PLAN_EVERY_SECONDS
                self._sweep(ended.is_set)
            except DatabaseError as error:  # it may come back; nothing is lost meanwhile
                self.stderr.write(f"The database does not answer: {error}")
            close_old_connections()
            ended.wait(settings.SWEEP_EVERY_SECONDS)

    def _check(self) -> None:
        sentences = invariants.broken(clocks.database_now())
        for sentence in sentences:
            self.stdout.write(sentence)
        if sentences:
            sys.exit(1)
        self.stdout.write("All is well.")

    def _bounce(self) -> None:
        try:
            reports = bouncing.read(sys.stdin.buffer.read())
        except bouncing.NotAReportError:
            self._stop("This is no delivery report (RFC 3464): nothing was changed.")
        if sum(bouncing.keep(report) for report in reports):
            self.stdout.write("The mail is given up. If there is no such mailbox, its address gets no more mail.")
        else:
            self.stdout.write("The report names no mail of ours, or says nothing new about it: nothing was changed.")

    def _after_restore(self) -> None:
        done = restoring.after_restore()
        self.stdout.write(
            f"Nothing that was due before {done.at:%Y-%m-%d %H:%M} UTC leaves any more: "
            f"{done.too_late} too late, {done.in_doubt} in doubt. Now start the programs."
        )
        if done.urgent:
            self.stdout.write(
                f"Urgent reports that are open: {done.urgent}. Nobody may have been told: call the clinic."
            )

    def _test(self) -> None:
        answer = trying.send_test(self.options["test"])
        self.stdout.write(answer.words)
        if not answer.is_accepted:
            sys.exit(1)

    def _dry_run(self) -> None:
        now, text = clocks.database_now(), self.options["on"]
        try:
            lines = forecast.on(forecast.parse(text, now), now) if text else forecast.soon(now)
        except ValueError:
            self._stop(f"{text}: give a day from today to a year ahead, as {now:%Y-%m-%d}.")
        for line in lines:
            why = f"no: {line.why_not}" if line.why_not else "yes"
            who = line.code or "-"
            self.stdout.write(f"{line.at:%Y-%m-%d %H:%M} {who} {line.wish.kind} {line.wish.occurrence} {why}")

    def _stop(self, words: str) -> NoReturn:
        self.stderr.write(words)
        sys.exit(1)
