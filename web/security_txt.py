"""`/.well-known/security.txt` (RFC 9116): where to report a weakness of this site; there where a contact is set."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask, Response, abort, url_for

from web.addresses import absolute, settings, shareable


def add_security_txt(app: Flask) -> None:
    """Register the route."""
    app.add_url_rule("/.well-known/security.txt", "security_txt", security_txt)


def security_txt() -> Response:
    """The contact, until when this may be trusted, and the languages spoken."""
    contact = settings().contact or abort(404)
    lines = (
        f"Contact: {contact_uri(contact)}",
        f"Expires: {expires(datetime.now(UTC)):%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: nl, en",
        f"Canonical: {absolute(url_for('security_txt'))}",
        "",
    )
    return shareable(Response("\n".join(lines), content_type="text/plain; charset=utf-8"))


def contact_uri(contact: str) -> str:
    """A contact as a URI: a bare e-mail address becomes `mailto:`, a bare web address `https:`."""
    if ":" in contact:
        return contact
    return f"mailto:{contact}" if "@" in contact else f"https://{contact}"


def expires(now: datetime) -> datetime:
    """The start of the half-year after the next: six to twelve months away, and the same for half a year."""
    return datetime(now.year + 1, 1 if now.month <= 6 else 7, 1, tzinfo=UTC)
