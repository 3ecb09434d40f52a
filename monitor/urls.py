"""What one item is: the rules by which two URLs are one item or two, and which site an item is of (docs/method.md).

The only place where a reported URL or its host is taken apart. Parsing is that of the WHATWG URL standard; what is
added to it stands in `Url`. A change of these rules is a new `RULES`, for every stored digest depends on them.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache
from typing import NamedTuple

import can_ada

from monitor.suffixes import suffixes

RULES = 2  # the version of these rules; what 1 was is in monitor/urls_v1.py
DEFANGED = "url_defanged"  # the flag of a row whose URL was written so that nobody could follow it by mistake

_WEB = frozenset({"http", "https", "ftp"})
_PROTOCOLS = frozenset(f"{scheme}:" for scheme in _WEB)
_BEGINNINGS = tuple(f"{scheme}://" for scheme in sorted(_WEB))
_parse = can_ada.parse
_PORTS = {"http:": 80, "https:": 443}
_LONGEST_HOST, _LONGEST_LABEL = 253, 63  # characters of a name in the DNS, and of a part of it between two dots
_ESCAPE = re.compile(  # one that has a small letter, or that an unreserved character has: the others stay
    r"%(?:[0-9A-Fa-f][a-f]|[a-f][0-9A-Fa-f]|2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])"
)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3
_SCHEME = re.compile(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.-]*):")

_OPEN, _CLOSE = r"[\[({<]\s?", r"\s?[\])}>]"
# A character in brackets, as it is written so that no program makes a link of it: `[.]`, `(dot)`, `[://]`, `{@}`.
BRACKETED = rf"{_OPEN}(\.|://|:|//?|@|dot|punkt|at){_CLOSE}"
MEANT = {"dot": ".", "punkt": ".", "at": "@"}
_MARK = re.compile(rf"{BRACKETED}|\[(\.)|(\.)\]", re.IGNORECASE)
_SLASH_MARK = rf"{_OPEN}//?{_CLOSE}"
_SEPARATOR = rf"(?:{_OPEN}://{_CLOSE}|(?:{_OPEN}:{_CLOSE}|:)(?:{_OPEN}//{_CLOSE}|(?:{_OPEN}/{_CLOSE}|/){{2}}))"
_BEGIN = re.compile(rf"([^\s:/?#]{{1,16}}?)\s?{_SEPARATOR}")
_ONE_MARK = BRACKETED.replace(
    r"(\.|://|:|//?", r"(?:\.|:"
)  # no slash, and no group: with `*+` Python 3.11 confuses those
_AUTHORITY = re.compile(rf"(?:{_ONE_MARK}|(?!{_SLASH_MARK})[^/?#\\])*+", re.IGNORECASE)
_DISGUISED = re.compile(r"(?:h[tx*_-]{2}p|ttp)(s?)|f[tx*]p", re.IGNORECASE)
_ALMOST = re.compile(r"\W?h\S{0,6}p\S{0,4}", re.IGNORECASE)  # meant for http or https, and not to be told which
# What cannot be seen and is copied along with a URL: white space, joiners, marks of direction, byte order marks.
_UNSEEN = r"[\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
_UNSEEN_ENDS = re.compile(rf"\A{_UNSEEN}+|{_UNSEEN}+\Z")
_AROUND = {"<": ">", "(": ")", "[": "]", "{": "}", '"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019"}
_MARKS_WITHIN_MARKS = 3
_MARKED_SCHEME = re.compile(r"[<(\[{][\w*-]{1,16}[>)\]}]\s?[\[({<]?\s?:")  # `[http]://`
_FURTHER_URL = re.compile(rf"{_UNSEEN}[^\w\s]?(?:h[tx*]{{2}}ps?|f[tx]p)\W{{0,2}}:\W{{0,2}}//", re.IGNORECASE)
_UNCLEAR_HOST = re.compile(r"[^/?#]*(?:\\[.:]|\s(?:dot|punkt)\s)", re.IGNORECASE)


class NotAUrlError(ValueError):
    """Raised for text that is no URL of the web; its message never contains the text.

    `reason`: why its row is quarantined. `url_without_host`: nothing says on which host it is; `not_a_web_scheme`:
    neither http, https nor ftp; `not_a_url`: its host or port cannot exist; `defanged`: it is written so that nobody
    can follow it, in a way that may stand for more than one URL; `not_one_url`: there is more than one, or other text.
    """

    def __init__(self, reason: str) -> None:
        """`reason` is one of those five."""
        super().__init__(f"not a URL of the web: {reason}")
        self.reason = reason


class Url(NamedTuple):
    """A URL in canonical form, its host (of IPv6 without brackets), and what is to be said of how it was written.

    Canonical is the form of the WHATWG URL standard, with these rules on top of it: one dot at the end of a host is
    dropped, escapes of unreserved characters are decoded and all others in upper case (RFC 3986, 6.2.2), an empty query
    is dropped, and so is a fragment that begins with neither `!` nor `/`.
    """

    text: str
    host: str
    flag: str | None = None


def parse_url(text: str) -> Url:
    """A URL as it was delivered in canonical form; raises NotAUrlError.

    What was defanged is undone, with the flag DEFANGED, where it can stand for one URL only. What cannot be seen at its
    ends, and brackets or quotes around it, are no part of it.
    """
    if host := canonical_host(text):
        return Url(text, host)
    text = _without_surroundings(text)
    parsed = _parsed(text)
    if parsed is None or parsed.protocol not in _PROTOCOLS or _may_be_defanged(text, parsed):
        return _undone(text)
    return _canonical(text, parsed)


def canonical_host(text: str) -> str:
    """The host of a URL that stands there in canonical form; nothing where it does not, or where that takes a look.

    Most URLs do, and millions are read: this asks as little of one as is needed.
    """
    try:
        parsed = _parse(text)
        if parsed.href != text or not text.startswith(_BEGINNINGS) or "%" in text or "#" in text or "^" in text:
            return ""
        if "(" in text or "{" in text or "\\" in text or text[-1] == "?":
            return ""
        host: str = parsed.hostname
    except (ValueError, TypeError):
        return ""
    if "." not in host or host[-1] == "." or host[-1] == "]" or ".." in host:
        return ""
    return "" if len(host) > _LONGEST_LABEL and _is_too_long(host) else host


class HttpTarget(NamedTuple):
    """Where a request for a URL goes, and what it asks for: path and query, percent-encoded. `host` as in `Url`."""

    encrypted: bool
    host: str
    port: int
    standard_port: bool
    target: str


def http_target(text: str) -> HttpTarget | None:
    """How a URL as it was delivered is asked for over HTTP; None of one that is not. Raises NotAUrlError."""
    url = parse_url(text)
    parsed = can_ada.parse(url.text)
    if parsed.protocol not in _PORTS:
        return None
    port = int(parsed.port) if parsed.port else _PORTS[parsed.protocol]
    target = parsed.pathname + parsed.search
    return HttpTarget(parsed.protocol == "https:", url.host, port, not parsed.port, target)


def trimmed(text: str) -> str:
    """A text without what cannot be seen at its ends: white space, joiners, marks of direction, byte order marks."""
    return text.strip() if text.isascii() else _UNSEEN_ENDS.sub("", text)


def begins_like_url(text: str) -> bool:
    """Whether a text begins as a URL does, of whatever scheme, defanged or not."""
    return _BEGIN.match(text) is not None or _BEGIN.match(_UNSEEN_ENDS.sub("", text)) is not None


def address_of(text: str) -> str | None:
    """An IP address in its shortest form, or None where a text is none: a column of addresses, or a canonical host."""
    return _address_of(text) if len(text) <= _LONGEST_HOST else None


@lru_cache(maxsize=16384)
def _address_of(host: str) -> str | None:
    if ":" not in host and not host[-1:].isdigit():
        return None  # no address ends in a letter: most hosts are names, and raising takes long
    if _is_dotted(host):
        return host
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    if mapped is None:
        return str(type(found)(int(found))) if "%" in host else str(found)  # a zone is a link of the sender's machine
    return f"::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}"  # versions of Python write it in two ways


def _is_dotted(host: str) -> bool:
    """Whether it is an IPv4 address, which has one form only; a tenth of the time that `ipaddress` takes."""
    try:
        return bool(socket.inet_pton(socket.AF_INET, host))
    except (OSError, ValueError):
        return False


def site_of(host: str) -> str:
    """What URLs are clustered by: the registrable domain (public-suffix list), or the IP address.

    `host` is that of a `Url`, or a domain in its ASCII form.
    """
    return address_of(host) or (_registrable(host) if len(host) <= _LONGEST_HOST else host)


@lru_cache(maxsize=16384)
def _registrable(host: str) -> str:
    return suffixes().privatesuffix(host) or host


def _parsed(text: str) -> can_ada.URL | None:
    try:
        return _parse(text)
    except (ValueError, TypeError):  # TypeError: a lone surrogate
        return None


def _without_surroundings(text: str) -> str:
    """A URL without what cannot be seen at its ends and the marks around it; NotAUrlError where it is not alone."""
    text = _UNSEEN_ENDS.sub("", text)
    for _ in range(_MARKS_WITHIN_MARKS):
        begin, end = text[:1], _AROUND.get(text[:1])
        if end is None or end not in text[1:] or _MARKED_SCHEME.match(text):
            break
        inner = text[1:-1]
        if text[-1] != end or _has_other_text(inner, begin, end):
            raise NotAUrlError("not_one_url")
        text = _UNSEEN_ENDS.sub("", inner.removeprefix("URL:") if begin == "<" else inner)
    if _FURTHER_URL.search(text):
        raise NotAUrlError("not_one_url")
    return text


def _has_other_text(inner: str, begin: str, end: str) -> bool:
    """Whether more than a URL stands between two marks: `<https://a.example|its name>`, `[its name](https://...]`."""
    if begin == "<":
        return "<" in inner or ">" in inner or "|" in inner
    return end in inner if begin == end else inner.count(begin) != inner.count(end)


def _is_too_long(host: str) -> bool:
    """Whether no name in the DNS can be that long."""
    return len(host) > _LONGEST_HOST or any(len(label) > _LONGEST_LABEL for label in host.split("."))


def _may_be_defanged(text: str, parsed: can_ada.URL) -> bool:
    """Whether it parses, but not as what was meant: `a(.)example` passes for a host, `a\\.example` for a path."""
    if not ("(" in text or "{" in text or "\\" in text):
        return False
    return _has_bracket(parsed.hostname) or bool(_UNCLEAR_HOST.match(text.partition(":")[2].lstrip("/")))


def _has_bracket(host: str) -> bool:
    return "(" in host or "{" in host


def _canonical(text: str, parsed: can_ada.URL, flag: str | None = None) -> Url:
    """The rules that are added to those of the standard."""
    href, host = parsed.href, parsed.hostname
    if not host:
        raise NotAUrlError("url_without_host")
    if host[-1] == "." or ".." in host:
        host = host.removesuffix(".")
        if not host or "" in host.split("."):
            raise NotAUrlError("not_a_url")
        parsed.hostname = host
        href = parsed.href
    elif host in _WEB:
        raise NotAUrlError("not_a_url")  # `http://https://...`
    if len(host) > _LONGEST_LABEL and _is_too_long(host):
        raise NotAUrlError("not_a_url")
    if "#" in href:
        href = _without_fragment(href)
    if href != text or "%" in href or "#" in href or "^" in href or href[-1] == "?":
        href = _resource(href)
    return Url(href, host[1:-1] if host[0] == "[" else host, flag)


def _without_fragment(href: str) -> str:
    """A fragment that names a page of its own (`#!`, `#/`) stays; any other is a place within one page."""
    start, _, fragment = href.partition("#")
    return href if fragment[:1] in {"!", "/"} else start


def _resource(href: str) -> str:
    """Escapes in one form, and no empty query."""
    before, mark, fragment = href.partition("#")
    path, question, query = before.partition("?")
    if "^" in path:  # the standard escapes it since 2024, the library not yet
        path = path.replace("^", "%5E")
    return _ESCAPE.sub(_one_escape, path + (question + query if query else "") + mark + fragment)


def _one_escape(found: re.Match[str]) -> str:
    character = chr(int(found[0][1:], 16))
    return character if character in _UNRESERVED else found[0].upper()


def _undone(text: str) -> Url:
    """A URL that does not parse as one of the web, with what was defanged undone; raises NotAUrlError."""
    begin = _BEGIN.match(text)
    if begin is None:
        raise NotAUrlError(_why_no_url(text))
    scheme, rest = _scheme(begin[1]), text[begin.end() :]
    plain = begin[0].lower() == f"{scheme}://"
    authority = _AUTHORITY.match(rest)
    assert authority is not None
    if _UNCLEAR_HOST.match(rest):
        raise NotAUrlError("defanged")
    host, tail = _unmarked(authority[0]), rest[authority.end() :]
    if not plain or host != authority[0] or _SLASH_MARK_AT_START.match(tail):
        tail = _tail(tail, authority[0])
    elif not host:
        raise NotAUrlError("url_without_host")
    undone = f"{scheme}://{host}{tail}"
    parsed = _parsed(undone)
    if parsed is None or parsed.protocol not in _PROTOCOLS or _has_bracket(parsed.hostname):
        raise NotAUrlError("not_a_url")
    return _canonical(undone, parsed, None if undone == text else DEFANGED)


_SLASH_MARK_AT_START = re.compile(_SLASH_MARK)


def _why_no_url(text: str) -> str:
    """Of text that has no scheme and separator: without a scheme it may be http or https, which are two items."""
    if _MARK.search(re.split(r"[/?#]", text, maxsplit=1)[0]):
        return "defanged"
    found = _SCHEME.match(text)
    if found and found[1].lower() not in _WEB and not re.match(r"\d+(?:[/?#]|$)", text[found.end() :]):
        return "not_a_web_scheme"
    return "url_without_host"


def _scheme(text: str) -> str:
    """The scheme that was meant; raises NotAUrlError where that is none of the web, or more than one."""
    found = _DISGUISED.fullmatch(text.strip("[](){}<>"))
    if found is None:
        raise NotAUrlError("defanged" if _ALMOST.fullmatch(text) else "not_a_web_scheme")
    return "ftp" if found[1] is None else f"http{found[1].lower()}"


def _tail(tail: str, authority: str) -> str:
    """Path, query and fragment of a URL that was defanged.

    Where all dots before it were marked and all in it are, whoever wrote it marks all of them. Where none is, there is
    nothing to undo. Anything between may stand for either.
    """
    slash = _SLASH_MARK_AT_START.match(tail)
    if slash:
        tail = f"/{tail[slash.end() :]}"
    if not _MARK.search(tail):
        return tail
    if "." in _MARK.sub("", tail) or "." in _MARK.sub("", authority):
        raise NotAUrlError("defanged")
    return _unmarked(tail)


def _unmarked(text: str) -> str:
    return _MARK.sub(lambda found: _meant(found[1] or found[2] or found[3]), text)


def _meant(mark: str) -> str:
    return MEANT.get(mark.lower(), mark)
