"""Pages as PDF. The library needs Pango on the machine; where it is missing the link to the file is not shown."""

from __future__ import annotations

import logging
import re
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders

SHEETS = ("tokens", "base", "data", "clinic", "print")
DRAWN = re.compile(r"^((?:\.(?:c|sl)-[\w-]+(?:,\s*)?)+)\s*\{([^}]*)\}", re.MULTILINE)
TOKEN = re.compile(r"(--[\w-]+):\s*([^;]+);")
USE = re.compile(r"var\((--[\w-]+)\)")
SVG = re.compile(r"<svg\b[^>]*>")


@cache
def is_available() -> bool:
    """Whether this machine can make one. Asked once: the answer needs the whole library."""
    for name in ("weasyprint", "weasyprint.progress", "fontTools"):  # rules that only browsers understand are no news
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def pdf(page: str) -> bytes:
    """A whole HTML page as PDF, laid out by our stylesheets. Nothing is fetched but our own fonts."""
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    known = {"url_fetcher": _own_files()}
    fonts = {"font_config": FontConfiguration()}
    styles = [weasyprint.CSS(filename=_file(f"css/{name}.css"), **known, **fonts) for name in SHEETS]
    document = weasyprint.HTML(string=_with_styled_drawings(page), **known)
    return bytes(document.write_pdf(stylesheets=styles, **fonts))


def _file(name: str) -> str:
    found = finders.find(name)
    assert isinstance(found, str), name
    return found


def _folder() -> Path:
    return Path(_file("css/tokens.css")).resolve().parents[1]


def _own_files() -> Any:
    from weasyprint.urls import URLFetcher

    folder = _folder().as_uri()

    class OwnFiles(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            if not url.startswith(f"{folder}/") or ".." in url:
                raise ValueError("Only our own files are read.")
            return super().fetch(url, headers)

    return OwnFiles(allowed_protocols=["file"])


def _with_styled_drawings(page: str) -> str:
    """The page with the rules of its drawings inside each of them: the library reads no others there."""
    style = f"<style>{_drawn_rules()}</style>"
    return SVG.sub(lambda found: found.group() + style, page)


@cache
def _drawn_rules() -> str:
    """The rules of data.css about drawings, with the colours of paper in place of their names."""
    tokens = Path(_file("css/tokens.css")).read_text(encoding="utf-8")
    printed = dict(TOKEN.findall(tokens.partition("@media")[0])) | dict(
        TOKEN.findall(tokens.partition("@media print")[2])
    )
    rules = DRAWN.findall(Path(_file("css/data.css")).read_text(encoding="utf-8"))
    text = "".join(f"{names}{{{_without_halo(body)}}}" for names, body in rules)
    return USE.sub(lambda found: printed[found[1]], text)


def _without_halo(body: str) -> str:
    """The library paints a letter's outline over it: the halo that keeps words clear of lines would hide them."""
    return body if "paint-order" not in body else re.sub(r"(?:paint-order|stroke[\w-]*):[^;]*;?", "", body)
