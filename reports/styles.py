"""The report's style sheets and fonts: beside the printed page, inside the page for the screen."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from markupsafe import Markup

STATIC = Path(__file__).parent / "static"
_URL = re.compile(r'url\("([a-z0-9_.-]+)"\)')


def inlined(name: str) -> Markup:
    """A style sheet of ours with the files it names inside it, so that the page needs no other file."""
    css = (STATIC / name).read_text("utf-8")
    return Markup(_URL.sub(lambda found: f'url("{_data(STATIC / found[1])}")', css))  # noqa: S704


def _data(path: Path) -> str:
    return f"data:{media_type(path)};base64,{base64.b64encode(path.read_bytes()).decode()}"


def media_type(path: Path) -> str:
    """The media type of a file of ours; a table of our own, for those of the machine differ."""
    return {".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}[path.suffix]
