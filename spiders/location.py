"""A configured location on the web: its address without the password, and which addresses belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from w3lib.http import basic_auth_header

from monitor.errors import ConfigurationError

_WEB = ("http://", "https://")


def on_the_web(location: str) -> bool:
    """Whether a location is a web address; otherwise it is a directory."""
    return location.lower().startswith(_WEB)


@dataclass(frozen=True)
class Location:
    """A web address, and the header that opens it where it has a user and a password."""

    address: str
    headers: dict[str, str]

    def covers(self, address: str) -> bool:
        """Whether an address is on the same host, and not less secret than this one."""
        ours, theirs = urlsplit(self.address), urlsplit(address)
        safe = theirs.scheme == "https" or theirs.scheme == ours.scheme
        return safe and theirs.hostname == ours.hostname


def read_location(source: str, text: str) -> Location:
    """Split `https://user:password@host/path`; raises ConfigurationError where there is no host."""
    parts = urlsplit(text)
    if not parts.hostname:
        raise ConfigurationError(f"[sources.{source}]: the location has no host; write https://host/path")
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if parts.username is None:
        return Location(address, {})
    header = basic_auth_header(unquote(parts.username), unquote(parts.password or ""))
    return Location(address, {"Authorization": header.decode("ascii")})
