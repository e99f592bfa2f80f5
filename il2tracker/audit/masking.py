"""Keeps out of the log what addresses carry: what was typed after a question mark, and the tokens of mailed links."""

from __future__ import annotations

import logging
import re
from typing import Any

from structlog.types import EventDict

_QUERY = re.compile(r"""(?<=[\w/])\?[^\s"']*=[^\s"']*""")
_TOKEN = re.compile(r"""(/(?:[cnu]|sign-in/forgot)/)[^\s/?"']+""")


def mask(text: str) -> str:
    """ "GET /u/abc?x=1" → "GET /u/…": the path only, without what opens a mailed link."""
    return _TOKEN.sub(r"\1…", _QUERY.sub("", text))


def requests(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """For structlog: a request is named by its method and path."""
    if "request" in event:
        event["request"] = mask(str(event["request"]).partition("?")[0])
    return event


class Masked(logging.Filter):
    """For the handler: the same for lines of Django and of the web server."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = mask(record.getMessage()), ()
        return True
