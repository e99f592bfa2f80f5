"""The supervisor with children that do nothing but live, die and refuse to die."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from il2tracker.system import supervisor
from il2tracker.system.supervisor import Child, Supervisor, free_port
from tests.services import wait_until

LIVES = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"
DIES = "raise SystemExit(3)"
WITH_A_CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
SAYS_NAME = "import os, time; print(os.environ['WHO']); time.sleep(60)"


def python(name: str, code: str, **more: object) -> Child:
    return Child(name, [sys.executable, "-c", code], **more)


def group_is_empty(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return True
    return False


def is_tied(pid: int) -> bool:
    """Whether the program that ties a child to the life of its supervisor has done so and become the child."""
    return not Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].endswith(b"setpriv")


class Running:
    """A supervisor whose loop runs in this process's main thread; `during` runs beside it and then asks it to end."""

    def __init__(self, *children: Child, stop_order: list[str] | None = None) -> None:
        self.said: list[str] = []
        self.children = list(children)
        order = stop_order or [child.name for child in children]
        self.supervisor = Supervisor(self.children, order, self.said.append)

    def run(self, during: object = lambda: None) -> None:
        failures: list[BaseException] = []

        def beside() -> None:
            try:
                wait_until(lambda: self.started)
                during()
            except BaseException as failure:
                failures.append(failure)
            os.kill(os.getpid(), signal.SIGINT)

        self.started = False
        thread = threading.Thread(target=beside)
        thread.start()
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            self.supervisor.run(lambda: setattr(self, "started", True))
        finally:
            thread.join()
            for number, handler in before.items():
                signal.signal(number, handler)
        assert not failures, failures[0]


def test_all_children_end_in_the_order_asked_for_when_a_signal_comes() -> None:
    running = Running(python("a", LIVES), python("b", LIVES), stop_order=["b", "a"])
    running.run()
    assert [line for line in running.said if line.startswith("stopping")] == ["stopping b", "stopping a"]
    assert not any(child.running for child in running.children)


def test_a_child_that_dies_is_named_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_WAIT", 0.1)
    child = python("web", LIVES, wait=0.1)
    running = Running(child)

    def kill_it() -> None:
        first = child.process.pid
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: child.running and child.process.pid != first)

    running.run(kill_it)
    assert any(line.startswith("web ended by itself (exit -9)") for line in running.said)


def test_a_child_that_keeps_dying_is_waited_for_twice_as_long_each_time() -> None:
    child = python("beat", DIES, wait=0.1)
    running = Running(child)
    running.run(lambda: wait_until(lambda: child.wait >= 0.8))
    assert sum("exit 3" in line for line in running.said) == 3


def test_a_child_that_does_not_listen_to_reason_is_killed() -> None:
    child = python("worker", STUBBORN, grace=0.3)
    running = Running(child)
    running.run(lambda: wait_until(lambda: "worker | deaf" in running.said))
    assert "worker did not end by itself: killed" in running.said
    assert group_is_empty(child.process.pid)


def test_what_a_killed_child_leaves_behind_ends_too() -> None:
    child = python("worker", WITH_A_CHILD)
    running = Running(child)

    def grown_up() -> None:
        children = Path(f"/proc/{child.process.pid}/task/{child.process.pid}/children")
        wait_until(lambda: children.read_text().strip())

    running.run(grown_up)
    wait_until(lambda: group_is_empty(child.process.pid))


def test_lines_of_a_child_carry_its_name_and_its_environment_is_its_own() -> None:
    running = Running(python("mail", SAYS_NAME, environment={"WHO": "me"}))
    running.run(lambda: wait_until(lambda: running.said))
    assert running.said[0] == "mail   | me"
    assert "WHO" not in os.environ


def test_a_terminal_that_is_gone_keeps_nobody_from_ending() -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError

    running = Running(python("a", LIVES), python("b", SAYS_NAME, environment={"WHO": "me"}))
    running.supervisor = Supervisor(running.children, ["a", "b"], gone)
    running.run()
    assert not any(child.running for child in running.children)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv on this system")
def test_children_do_not_outlive_a_supervisor_that_was_killed() -> None:
    code = f"""
from il2tracker.system.supervisor import Child, Supervisor
import sys
child = Child("a", [sys.executable, "-c", {LIVES!r}])
Supervisor([child], ["a"], print).run(lambda: print(child.process.pid, flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervising:
        pid = int(supervising.stdout.readline())
        assert not group_is_empty(pid)
        wait_until(lambda: is_tied(pid))
        supervising.kill()
    wait_until(lambda: group_is_empty(pid))


def test_a_taken_port_gives_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) <= port + 99
