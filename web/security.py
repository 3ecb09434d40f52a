"""The security headers of every response."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask, Response, abort, url_for

from web.addresses import absolute, settings, shareable

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def init_security_headers(app: Flask) -> None:
    """Send the security headers with every response, errors included."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


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
