"""The application's own processes, on the test's database, broker and mail server, to be killed without mercy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests import services
from tests.smtp_sink import SmtpSink

ROOT = Path(__file__).parents[2]
LEASE, SMTP_TIMEOUT = 4, 3  # seconds


class Machine:
    """Starts programs in process groups of their own; `stop()` ends whatever is left."""

    def __init__(self, folder: Path, sink: SmtpSink, redis_url: str = "redis://127.0.0.1:1/0") -> None:
        self.folder, self.running = folder, list[subprocess.Popen[bytes]]()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("IL2_", "TEST_"))},
            "DJANGO_SETTINGS_MODULE": "il2tracker.settings",
            "DATABASE_URL": database_url(),
            "REDIS_URL": redis_url,
            "IL2_SECRET_KEY": settings.SECRET_KEY,
            "IL2_BASE_URL": settings.BASE_URL,
            "IL2_VAR": str(folder),
            "IL2_SMTP_HOST": sink.host,
            "IL2_SMTP_PORT": str(sink.port),
            "IL2_SMTP_TIMEOUT": str(SMTP_TIMEOUT),
            "IL2_REMINDER_LEASE": str(LEASE),
            "IL2_SWEEP_EVERY": "1",
            "IL2_PLAN_EVERY": "1",
        }

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """`python -m …`, its output in a file of the folder."""
        with (self.folder / f"{words[0]}-{len(self.running)}.log").open("wb") as log:
            program = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self.running.append(program)
        return program

    def worker(self) -> subprocess.Popen[bytes]:
        """A Celery worker as `make run` starts it."""
        return self.start("celery", "--app", "il2tracker", "worker", *["--concurrency", "2", "--queues", "reminders"])

    def beat(self) -> subprocess.Popen[bytes]:
        """Celery's clock, which remembers nothing of another one's."""
        schedule = f"--schedule={self.folder / f'beat-{len(self.running)}'}"
        return self.start("celery", "--app", "il2tracker", "beat", "--pidfile=", schedule)

    def loop(self) -> subprocess.Popen[bytes]:
        """The sender that needs no broker."""
        return self.start("django", "reminders", "--loop")

    def web(self, port: int) -> subprocess.Popen[bytes]:
        """The pages as `make run` serves them, with the files they need."""
        assert self.start("django", "collectstatic", "--noinput").wait(120) == 0, self.logs()
        words = ["--preload", "--workers", "2", "--threads", "4", "--no-control-socket", "--bind", f"127.0.0.1:{port}"]
        return self.start("gunicorn", "il2tracker.wsgi", *words)

    def kill(self, program: subprocess.Popen[bytes]) -> None:
        """SIGKILL the program and its children at once."""
        os.killpg(program.pid, signal.SIGKILL)
        program.wait(10)

    def stop(self) -> None:
        """Kill everything that still runs."""
        for program in self.running:
            if program.poll() is None:
                self.kill(program)

    def logs(self) -> str:
        """What the programs said, for a failed test."""
        return "\n".join(f"{file.name}:\n{file.read_text()[-3000:]}" for file in sorted(self.folder.glob("*.log")))


def database_url() -> str:
    """Where the test's rows are, for other processes."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    server = services.postgres_url()
    assert server is not None
    return f"{server.rpartition('/')[0]}/{connection.settings_dict['NAME']}"


def wait_until(true: Callable[[], Any], machine: Machine, seconds: float = 60) -> None:
    """Look every tenth of a second; fail with the programs' words when it does not come true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, machine.logs()
        time.sleep(0.1)
