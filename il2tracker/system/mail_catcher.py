"""Demo only: takes every mail on loopback and keeps it as a file, so that nothing leaves the machine.

Started by the supervisor: python -m il2tracker.system.mail_catcher PORT FOLDER
"""

import email
import email.policy
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 500


class Catcher:
    """What aiosmtpd calls when a message has come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        now = datetime.now(UTC)
        file = self.folder / f"{now:%Y%m%dT%H%M%S%f}.eml"
        unfinished = file.with_suffix(".part")
        content = envelope.content or b""
        unfinished.write_bytes(content if isinstance(content, bytes) else content.encode())
        unfinished.rename(file)
        for old in sorted(self.folder.glob("*.eml"))[:-KEPT]:
            old.unlink(missing_ok=True)
        return "250 OK"


@dataclass(frozen=True)
class Mail:
    """One caught mail. `name` is the file's, without its ending."""

    name: str
    caught_at: datetime
    message: EmailMessage

    @property
    def text(self) -> str:
        """The plain-text part."""
        body = self.message.get_body(("plain",))
        return body.get_content() if body else ""

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header as it was sent."""
        return [(name, str(value)) for name, value in self.message.items()]


def caught(folder: Path, newest: int = 50) -> Iterator[Mail]:
    """The newest mails in `folder`, newest first."""
    for file in sorted(folder.glob("*.eml"), reverse=True)[:newest]:
        if (mail := find(folder, file.stem)) is not None:
            yield mail


def find(folder: Path, name: str) -> Mail | None:
    """The mail called `name`; None when there is none, or `name` is not a name that the catcher gives."""
    try:
        caught_at = datetime.strptime(name, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        content = (folder / f"{name}.eml").read_bytes()
    except (ValueError, OSError):
        return None
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return Mail(name, caught_at, message)


def main(port: str, folder: str) -> None:
    """Catch mail until asked to end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    Path(folder).mkdir(parents=True, exist_ok=True)
    controller = Controller(Catcher(Path(folder)), hostname="127.0.0.1", port=int(port))
    controller.start()
    ended.wait()
    controller.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
