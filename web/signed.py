"""The publications of this site, of which nothing is shown that a known key did not sign."""

from __future__ import annotations

import logging
from typing import NoReturn

from flask import abort

from monitor.release.attest import trusted_keys
from monitor.release.intact import SHARED, Inspector, NotIntactError, Signed
from monitor.release.publications import Publication, PublishedFile
from web.addresses import settings
from web.pages import session

_LOG = logging.getLogger("monitor.site")
_said: dict[tuple[str, int, str], str] = {}  # what is wrong with which file, so that it is logged once


def publication(period: str, version: int) -> Publication | None:
    """What was made of a release; None where nothing was, or where it is not what was signed."""
    try:
        found = _inspector().find(period, version)
    except NotIntactError as error:
        _say(period, version, "", str(error))
        return None
    _said.pop((period, version, ""), None)
    return found.publication if found else None


def signed_file(period: str, version: int, name: str) -> tuple[Signed, PublishedFile]:
    """A file that is what was signed. Ends the request with 404 where there is none of that name, else 503."""
    inspector, about = _inspector(), ""
    try:
        signed = inspector.find(period, version)
        file = signed.publication.find(name) if signed else None
        if signed is None or file is None:
            abort(404)
        about = file.name
        inspector.require(signed, file)
    except NotIntactError as error:
        _refuse(period, version, about, str(error))
    _said.pop((period, version, about), None)
    return signed, file


def _inspector() -> Inspector:
    here = settings()
    return Inspector(here.publications, lambda: trusted_keys(session(), here.public_keys), SHARED)


def _refuse(period: str, version: int, about: str, problem: str) -> NoReturn:
    _say(period, version, about, problem)
    abort(503)


def _say(period: str, version: int, about: str, problem: str) -> None:
    if _said.get((period, version, about)) != problem:
        _said[period, version, about] = problem
        _LOG.error("publication of %s version %d: %s; it is not served", period, version, problem)
