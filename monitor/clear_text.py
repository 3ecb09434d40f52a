"""Which texts of a delivery may be kept in clear: names, countries and numbers, never an address (S1).

A sender can put a reported URL into any field, by mistake or on purpose. What is kept in clear may become the name of a
company that is published, so a text with the form of a scheme, a path, a host or an IP address is refused, however it
is written: percent-encoded, as an HTML entity, in full-width letters, with invisible characters, or defanged.
"""

from __future__ import annotations

import html
import ipaddress
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from monitor.errors import MonitorError
from monitor.suffixes import suffixes
from monitor.urls import BRACKETED, MEANT

LONGEST_MAIL = 1000  # characters: several addresses in one field
_KEPT = 16384

# Names of hosts that no public registry delegates (RFC 2606, 6761, 6762, 7686; overlay networks).
_SPECIAL = frozenset(
    {"example", "test", "invalid", "localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp",
     "onion", "i2p", "bit", "eth", "arpa", "alt"}
)  # fmt: skip
# What stands before and behind a dot in the names of companies, so that `Example Co.Ltd` is no host.
_LEGAL = frozenset(
    {"ab", "ag", "as", "aps", "asa", "bv", "bvba", "co", "corp", "doo", "eirl", "gmbh", "inc", "kft", "kg", "llc",
     "llp", "limited", "ltd", "nv", "oao", "ooo", "oy", "oyj", "plc", "pte", "pty", "pvt", "sa", "sarl", "sas", "sl",
     "sp", "spa", "srl", "sro", "st", "zoo"}
)  # fmt: skip
_SCHEMES = (
    "http", "https", "hxxp", "hxxps", "ftp", "ftps", "sftp", "file", "data", "javascript", "mailto", "magnet", "ipfs",
    "ws", "wss", "blob", "view-source", "urn", "about",
)  # fmt: skip

_ENCODED = re.compile(r"%[0-9a-f]{2}|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,10});", re.I)
_DEFANGED = re.compile(rf"{BRACKETED}|(?<=\w)\\(?=[.:/])|(?<=\w)[\s_](dot)[\s_](?=\w)")
_SCHEME = re.compile(rf":[/\\]|(?<![\w.-])(?:{'|'.join(_SCHEMES)})\s?:")
_QUERY = re.compile(r"[?&][\w%.-]{1,64}=|\w=\w|\w\?\w")
_BETWEEN = re.compile(r"[\s,;:()<>\[\]{}\"'|@=?&#!*/\\]+")
_SPACED = re.compile(r"[\s,;()<>\"'|]+")
_LABEL = re.compile(r"[\w-]{1,63}")
_NUMBER = re.compile(r"\d{1,10}|0x[0-9a-f]{1,8}")
_WORD = re.compile(r"[^\W\d_]{1,40}[.&'-]?[^\W\d_]{0,40}\.?")
_V6 = re.compile(r"[0-9a-f:.]{2,45}")
_PLAIN = re.compile(  # most texts: looking closer at them takes ten times as long
    r"[A-Za-z]{0,3}-?\d{1,20}"
    r"|[A-Za-z0-9&'+-]{1,40}(?:,? (?:[A-Za-z0-9&'+-]{1,40}|\([A-Za-z0-9 -]{1,40}\))){0,9}"
)


def holds_address(text: str) -> bool:
    """Whether a text has, in any spelling, the form of a scheme, a path, a host or an IP address."""
    return not _PLAIN.fullmatch(text) and _holds_address(text)


def holds_item(text: str, url: str, host: str) -> bool:
    """Whether a text holds a URL, its host, or what follows the host, in any spelling."""
    if "." in host and _PLAIN.fullmatch(text):
        return False  # neither a host nor a path can be in it
    read, host = canonical(text), canonical(host)
    has_host = host in read if "." in host else host in _BETWEEN.split(read)
    return has_host or any(part in read for part in _parts(canonical(url)))


def may_hold_item(text: str) -> bool:
    """Whether a text without an address could hold a part of its row's URL: only one with a slash can."""
    return not _PLAIN.fullmatch(text) and "/" in canonical(text)


def refuse_address(text: str, what: str) -> None:
    """Raise MonitorError where what a person wrote holds an address: it is kept in clear, and some of it published."""
    if holds_address(text):
        raise MonitorError(f"{what} is kept in clear and may hold no address or host; name an item by its number")


def is_mail(text: str) -> bool:
    """Whether a text may be one or more mail addresses: no scheme, no path, no query."""
    return len(text) <= LONGEST_MAIL and not _SCHEME.search(read := canonical(text)) and not _is_path(read)


@lru_cache(maxsize=_KEPT)
def canonical(text: str) -> str:
    """A text as a reader understands it: decoded, in small letters, nothing invisible in it and nothing defanged."""
    for _ in range(3):
        before, text = text, _decoded(text)
        if text == before:
            break
    return _DEFANGED.sub(_undone, text)


@lru_cache(maxsize=_KEPT)
def _holds_address(text: str) -> bool:
    read = canonical(text)
    return bool(_SCHEME.search(read) or _is_path(read) or _holds_host(read) or _holds_v6(read))


def _parts(url: str) -> list[str]:
    """What follows the host: the path, the query, and both; but no single word, which names may hold by chance."""
    rest = url.partition("://")[2].partition("/")[2].partition("#")[0].strip("/")
    path, _, query = rest.partition("?")
    return [part for part in (rest, path, query) if len(part) > 5 and ("/" in part or "=" in part)]


def _decoded(text: str) -> str:
    if _ENCODED.search(text):
        text = html.unescape(unquote(text, errors="replace"))
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u3002", ".")
        text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return text.casefold()


def _undone(found: re.Match[str]) -> str:
    mark = found[1] or found[2] or ""
    return MEANT.get(mark, mark)


def _is_path(read: str) -> bool:
    """A query, or a slash that is not that of `A/S`, `24/7`, `2026/04/123` or `Example/Sample GmbH`."""
    tokens = (token.replace("\\", "/") for token in _SPACED.split(read))
    return bool(_QUERY.search(read)) or any("/" in token and not _is_plain_slash(token) for token in tokens)


def _is_plain_slash(token: str) -> bool:
    parts = token.split("/")
    if not any(parts) or all(part and (len(part) <= 3 or part.isdecimal()) for part in parts):
        return True
    return len(parts) == 2 and all(_WORD.fullmatch(part) for part in parts)


def _holds_host(read: str) -> bool:
    return any(_is_host(token.strip(".")) for token in _BETWEEN.split(read) if "." in token or token.startswith("xn--"))


def _is_host(token: str) -> bool:
    labels = token.split(".")
    if any(label.startswith("xn--") for label in labels):
        return True
    if len(labels) == 1 or not all(map(_LABEL.fullmatch, labels)):
        return False
    if all(map(_NUMBER.fullmatch, labels)):
        return len(labels) == 4
    *before, last = labels
    if len(last) < 2 or last.isdecimal() or (last in _LEGAL and all(len(x) == 1 or x in _LEGAL for x in before)):
        return False
    return last in _SPECIAL or len(before) > 1 or _is_suffix(last) or before[0] == "www"


@lru_cache(maxsize=_KEPT)
def _is_suffix(label: str) -> bool:
    """Whether names are registered under it: `com`, `nl`, but not `petersburg`."""
    return suffixes().publicsuffix(label, accept_unknown=False) is not None


def _holds_v6(read: str) -> bool:
    return any(_is_v6(found[0]) for token in _SPACED.split(read) for found in _V6.finditer(token))


def _is_v6(text: str) -> bool:
    if text.count(":") < 2:
        return False
    try:
        return bool(ipaddress.IPv6Address(text.strip(".")))
    except ValueError:
        return False
