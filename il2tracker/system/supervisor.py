"""Keeps a few programs running: starts them in order, restarts one that dies, stops them in an order that loses
nothing. Knows nothing of what they are."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds before a dead child is started again, doubled each time
STEADY = 60.0  # a child that lived so long has not failed: its next death waits FIRST_WAIT again
TICK = 0.2


@dataclass
class Child:
    """One program. `grace`: seconds between being asked to end and being killed; `port`: what it will listen on."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    grace: float = 10.0
    port: int | None = None
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    again_at: float = 0.0
    wait: float = FIRST_WAIT

    @property
    def running(self) -> bool:
        """Whether the program runs now."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """`children` in the order of their start; `stop_order` names them in the order of their end."""

    def __init__(self, children: list[Child], stop_order: Iterable[str], say: Callable[[str], None]) -> None:
        self.children = children
        self.stop_order = list(stop_order)
        self._listener = say
        self._signals = 0

    def run(self, when_started: Callable[[], None]) -> None:
        """Start all, call `when_started` once, and keep them running until SIGINT, SIGTERM or SIGHUP; then stop all.
        A second signal kills what remains at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)
        try:
            self._start_all()
            if not self._signals:
                when_started()
            while not self._signals:
                self._tend()
                time.sleep(TICK)
        finally:
            self.stop()

    @property
    def stopping(self) -> bool:
        """Whether a signal has asked for the end."""
        return self._signals > 0

    def stop(self) -> None:
        """Ask each child in turn to end, wait for it, and kill what is left of it."""
        for child in sorted(self.children, key=lambda child: self.stop_order.index(child.name)):
            if child.running:
                self.say(f"stopping {child.name}")
                self._end(child)
            _sweep(child)

    def say(self, line: str) -> None:
        """Pass a line on; a terminal or pipe that is gone keeps nobody from ending in order."""
        with suppress(OSError):
            self._listener(line)

    def _note(self, number: int, frame: object) -> None:
        self._signals += 1

    def _start_all(self) -> None:
        for child in self.children:
            if self._signals:
                return
            self._start(child)
            if child.port:
                _until_open(child, lambda: self._signals > 0)

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(
            [*_tied_to_us(), *child.command],
            env={**os.environ, "PYTHONUNBUFFERED": "1", **child.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,  # Ctrl-C in the terminal reaches the supervisor alone: it keeps the order
        )
        child.started_at, child.again_at = time.monotonic(), 0.0
        threading.Thread(target=self._pass_on, args=(child.name, child.process), daemon=True).start()

    def _pass_on(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                if line.strip() and not self.stopping:  # what programs say when they are told to end is no news
                    self.say(f"{name:<7}| {line.rstrip()}")

    def _tend(self) -> None:
        """Notice the dead, and start them again when their wait is over."""
        now = time.monotonic()
        for child in self.children:
            if child.running:
                continue
            if not child.again_at:
                self._bury(child, now)
            elif now >= child.again_at:
                self._start(child)

    def _bury(self, child: Child, now: float) -> None:
        code = child.process.returncode if child.process else None
        child.wait = FIRST_WAIT if now - child.started_at > STEADY else child.wait
        self.say(f"{child.name} ended by itself (exit {code}); starting it again in {child.wait:.0f} s")
        _sweep(child)
        child.again_at = now + child.wait
        child.wait = min(child.wait * 2, LONGEST_WAIT)

    def _end(self, child: Child) -> None:
        assert child.process is not None
        child.process.terminate()
        deadline = time.monotonic() + child.grace
        while child.running and time.monotonic() < deadline and self._signals < 2:
            time.sleep(TICK / 4)
        if child.running:
            self.say(f"{child.name} did not end by itself: killed")


def free_port(first: int = 0) -> int:
    """`first`, or the next port above it that nobody listens on; any free one for 0."""
    for port in range(first, first + 100) if first else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port between {first} and {first + 99}")


@cache
def _tied_to_us() -> list[str]:
    """Where the system can do it (Linux), a child is told to end when the supervisor itself is killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def _until_open(child: Child, give_up: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until the child listens on its port, dies, or the time is over."""
    deadline = time.monotonic() + seconds
    while child.running and time.monotonic() < deadline and not give_up():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", child.port or 0)) == 0:
                return
        time.sleep(TICK / 4)


def _sweep(child: Child) -> None:
    """Kill what is left of the child's process group (a killed worker leaves its pool) and reap the child."""
    if child.process is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()
