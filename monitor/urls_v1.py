"""URL rules 1, as they were before `monitor.urls`: by them an item is found whose digest is not brought up to date yet.

Nothing new is stored by these rules, and nothing here changes any more. They go once no database has digests of theirs.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_NOT_IN_URLS = re.compile(r"[\s\x00-\x1f]")
_split = urlsplit.__wrapped__  # type: ignore[attr-defined]  # the library remembers what it splits


def canonical_v1(url: str) -> str | None:
    """The form in which URLs were compared; None of text that was refused."""
    try:
        parts = _split(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        host = host.lower() if host.isascii() else host.encode("idna").decode().lower()
    except ValueError:  # a UnicodeError too
        return None
    if not parts.scheme or not host or _NOT_IN_URLS.search(url):
        return None
    shown = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        shown = f"{shown}:{port}"
    user, at, _ = parts.netloc.rpartition("@")
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{parts.scheme}://{user}{at}{shown}{parts.path or '/'}{query}{fragment}"
