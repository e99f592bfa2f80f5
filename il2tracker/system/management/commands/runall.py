"""`manage.py runall`: broker, mail catcher (demo), web, worker and beat under one supervisor."""

import fcntl
import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections
from django.urls import reverse

from il2tracker.system import broker
from il2tracker.system.supervisor import Child, Supervisor, free_port

STOP_ORDER = ("beat", "web", "worker", "mail", "broker")
WORKER_GRACE = 25.0  # longer than the 20 s after which a mail server that hangs is given up
PYTHON = [sys.executable, "-m"]
AS_ROOT = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}  # a trial in a container


class Command(BaseCommand):
    help = "Run everything here: broker, web, worker and beat. Ctrl-C stops it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="first port to try (8000)")
        parser.add_argument("--before", action="append", default=[], metavar="COMMAND", help="run this first")
        parser.add_argument("--after", action="append", default=[], metavar="COMMAND", help="run this once web answers")

    def handle(self, *args: Any, **options: Any) -> None:
        settings.VAR.mkdir(parents=True, exist_ok=True)
        lock = self._lock(settings.VAR / "runall.lock")
        for command in options["before"]:
            call_command(*shlex.split(command), stdout=StringIO())  # what goes wrong is an error, the rest is no news
        connections.close_all()
        port = free_port(options["port"])
        if port != options["port"]:
            self._say(f"Port {options['port']} is taken: using {port}.")
        url = os.environ.get("IL2_BASE_URL", f"http://localhost:{port}")
        supervisor = Supervisor(self._children(options["host"], port, url), STOP_ORDER, self._say)
        supervisor.run(lambda: self._announce(supervisor, port, url, options["after"]))
        lock.close()
        supervisor.say("Stopped.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _lock(self, path: Path) -> TextIO:
        """Two of them on one folder would share a broker's files."""
        lock = path.open("a", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(f"It is already running: {path} is locked.") from error
        return lock

    def _children(self, host: str, port: int, url: str) -> list[Child]:
        children = []
        common = {"IL2_BASE_URL": url}
        if "IL2_BASE_URL" not in os.environ:
            common.setdefault("IL2_ALLOWED_HOSTS", os.environ.get("IL2_ALLOWED_HOSTS", "localhost,127.0.0.1"))
        if "REDIS_URL" not in os.environ:
            children.append(_broker(common))
        if settings.DEMO and "IL2_SMTP_HOST" not in os.environ:
            children.append(_mail_catcher(common))
        return [*children, *_application(host, port, common)]

    def _announce(self, supervisor: Supervisor, port: int, url: str, after: list[str]) -> None:
        if not _answers(f"http://127.0.0.1:{port}{reverse(settings.LOGIN_URL)}", supervisor):
            return
        _first_tick(supervisor)
        self._say(f"\nRunning at {url}   (Ctrl-C stops it)")
        if any(child.name == "mail" for child in supervisor.children):
            self._say(f"No mail leaves this machine: administrators read it at {url}/system/mail/")
        for command in after:
            call_command(*shlex.split(command), stdout=self.stdout)
        self.stdout.flush()
        connections.close_all()


def _first_tick(supervisor: Supervisor) -> None:
    """Plan and sweep once at once: beat waits a minute, and staff would read meanwhile that nothing works."""
    worker = next(child for child in supervisor.children if child.name == "worker")
    command = [sys.executable, sys.argv[0], "reminders", "--once"]
    subprocess.run(command, env={**os.environ, **worker.environment}, stdout=subprocess.DEVNULL, check=False)


def _broker(common: dict[str, str]) -> Child:
    """A broker of our own; its address goes into `common`, which the others share."""
    server = broker.find_server()
    if server is None:
        raise CommandError("No redis-server or valkey-server on this machine: install one, or set REDIS_URL.")
    port, folder = free_port(), settings.VAR / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    common["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
    return Child("broker", broker.command(server, port, folder), port=port)


def _mail_catcher(common: dict[str, str]) -> Child:
    port = free_port()
    common |= {"IL2_SMTP_HOST": "127.0.0.1", "IL2_SMTP_PORT": str(port)}
    command = [*PYTHON, "il2tracker.system.mail_catcher", str(port), str(settings.VAR / "mail")]
    return Child("mail", command, port=port)


def _application(host: str, port: int, common: dict[str, str]) -> list[Child]:
    """web, worker and beat, as compose.yaml starts them too."""
    web = "gunicorn il2tracker.wsgi --preload --workers 2 --threads 4 --graceful-timeout 8 --no-control-socket"
    worker = "celery --app il2tracker --quiet worker --concurrency 2 --queues reminders --prefetch-multiplier 1"
    beat = (
        f"celery --app il2tracker --quiet beat --pidfile= --schedule {shlex.quote(str(settings.VAR / 'beat-schedule'))}"
    )
    return [
        Child(
            "web", [*PYTHON, *shlex.split(web), "--log-level", "warning", "--bind", f"{host}:{port}"], common, port=port
        ),
        Child(
            "worker",
            [*PYTHON, *shlex.split(worker), "--loglevel", "warning", "--without-gossip", "--without-mingle"],
            {**common, **AS_ROOT},
            grace=WORKER_GRACE,
        ),
        Child("beat", [*PYTHON, *shlex.split(beat), "--loglevel", "warning"], common),
    ]


def _answers(address: str, supervisor: Supervisor, seconds: float = 60.0) -> bool:
    """Whether the web server answers, in whatever words, before the time is over or somebody asks to stop."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not supervisor.stopping:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.1)
    return False
