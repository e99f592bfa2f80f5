"""`manage.py runall` as people start it: real processes, ended by Ctrl-C."""

import json
import os
import queue
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.services import free_port, wait_until

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.one_database


class Runall:
    """The command on a folder of its own, and every process that ever belonged to it."""

    def __init__(self, var: Path, port: int = 0) -> None:
        self.var, self.port = var, port or free_port()
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("IL2_", "REDIS", "DATABASE"))
        }
        self.environment = {
            **clean,
            "IL2_VAR": str(var),
            "IL2_SECRET_KEY": "only-for-this-test",
            "IL2_DEMO": "True",
            "IL2_SWEEP_EVERY": "1",
            "DJANGO_SETTINGS_MODULE": "il2tracker.settings",
        }
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.seen: list[str] = []
        self.process = self.start("--before", "migrate --verbosity 0", "--before", "createcachetable")
        threading.Thread(target=self._read, daemon=True).start()

    def start(self, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", "runall", "--port", str(self.port), *more]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def _read(self) -> None:
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line.rstrip())
        self.lines.put(None)

    def says(self, words: str, seconds: float = 60) -> str:
        """The next line with these words."""
        while (line := self.lines.get(timeout=seconds)) is not None:
            self.seen.append(line)
            if words in line:
                return line
        raise AssertionError(f"it ended without saying {words!r}:\n" + "\n".join(self.seen))

    def processes(self) -> dict[int, list[str]]:
        """Every process with this folder in its environment: its id and its command."""
        mark, found = f"IL2_VAR={self.var}".encode(), {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().split("\0")
                except OSError:
                    continue
        return found

    def named(self, *words: str) -> list[int]:
        """The ids of those whose command has all the words, oldest first. A worker may write its own title over it."""
        commands = {pid: " ".join(command) for pid, command in self.processes().items()}
        return sorted(pid for pid, command in commands.items() if all(word in command for word in words))

    def health(self) -> dict[str, object]:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/healthz", timeout=5) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as answer:
            return json.load(answer)


@pytest.fixture
def made(tmp_path: Path, db: None) -> Path:
    """A folder whose database the migrations have made already: they take longer than everything else."""
    folder = tmp_path / "var"
    folder.mkdir()
    shutil.copyfile(connection.settings_dict["NAME"], folder / "diary.sqlite3")
    return folder


@pytest.fixture
def runall(tmp_path: Path) -> Iterator[Runall]:
    """On an empty folder, as on a new machine."""
    running = Runall(tmp_path / "var")
    yield running
    for pid in running.processes():
        os.kill(pid, signal.SIGKILL)
    running.process.wait()


@pytest.mark.alone
def test_everything_comes_up_heals_and_ends_with_no_process_left(runall: Runall) -> None:
    assert runall.says("Running at").startswith(f"Running at http://localhost:{runall.port} ")
    wait_until(lambda: runall.health()["status"] == "working", seconds=40)

    # mail is caught
    mail = next(command for command in runall.processes().values() if "il2tracker.system.mail_catcher" in command)
    with smtplib.SMTP("127.0.0.1", int(mail[-3])) as client:
        client.sendmail("a@diary.example", ["b@diary.example"], "Subject: Caught\r\n\r\nText")
    (caught,) = (runall.var / "mail").glob("*.eml")
    assert b"Subject: Caught" in caught.read_bytes()

    # a second one on the same folder is refused
    second = runall.start()
    assert "It is already running" in second.communicate(timeout=60)[0]
    assert second.returncode == 1

    # a killed worker comes back, and its pool does not stay behind
    wait_until(lambda: runall.named("celery", "worker"), seconds=60)
    workers = runall.named("celery", "worker")
    os.kill(workers[0], signal.SIGKILL)
    runall.says("worker ended by itself (exit -9)")
    wait_until(lambda: runall.named("celery", "worker") and not set(workers) & set(runall.named("celery", "worker")))

    # Ctrl-C
    runall.process.send_signal(signal.SIGINT)
    assert runall.process.wait(timeout=60) == 0
    runall.says("Stopped.")
    stopped = [line.removeprefix("stopping ") for line in runall.seen if line.startswith("stopping ")]
    assert stopped == ["beat", "web", "worker", "mail", "broker"]
    assert not runall.processes()


def test_a_taken_port_is_said_and_a_stop_during_the_start_leaves_nothing(made: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        running = Runall(made, port=taken.getsockname()[1])
        running.says(f"Port {running.port} is taken: using ")
        wait_until(lambda: len(running.processes()) > 1)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=60) == 0
    assert not running.processes()
