"""JSON with decimals as they are: no binary number comes between 4.90 and the file. Pure."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

INDENT = "  "


def written(value: Any) -> str:
    """The value as indented JSON. Objects, lists, text, whole numbers, Decimal, bool and None; TypeError otherwise."""
    return "".join(_pieces(value, "\n")) + "\n"


def _pieces(value: Any, line: str) -> Iterator[str]:
    if isinstance(value, dict):
        pairs = [(f"{json.dumps(str(name), ensure_ascii=False)}: ", inner) for name, inner in value.items()]
        yield from _many("{", pairs, "}", line)
    elif isinstance(value, list):
        yield from _many("[", [("", inner) for inner in value], "]", line)
    elif isinstance(value, Decimal):
        yield f"{value:f}"
    elif value is None or isinstance(value, str | bool | int):
        yield json.dumps(value, ensure_ascii=False)
    else:
        raise TypeError(f"{type(value).__name__} has no place in JSON")


def _many(opens: str, items: list[tuple[str, Any]], closes: str, line: str) -> Iterator[str]:
    yield opens
    for number, (name, inner) in enumerate(items):
        yield f"{',' if number else ''}{line}{INDENT}{name}"
        yield from _pieces(inner, line + INDENT)
    yield line + closes if items else closes
