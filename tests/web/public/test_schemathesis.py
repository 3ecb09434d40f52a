"""Whatever schemathesis makes of the API's own description, good and bad, gets the answer that it promises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.schemas import OpenApiSchema

from monitor.access.tokens import Limit
from monitor.settings import Settings
from tests.conftest import NewDatabase
from tests.web.desk.pushing import hotline, open_site
from web.desk import authenticate
from web.public.openapi import document

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@pytest.fixture(scope="module")
def open_app(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Flask]:
    """A desk that may be asked as often as a machine likes."""
    opened = open_site(tmp_path_factory.mktemp("open") / "home", new_database())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(authenticate, "LIMIT", Limit(requests=1_000_000, seconds=60))
        yield opened
    opened.extensions["monitor_engine"].dispose()


@pytest.fixture(scope="module")
def token(open_app: Flask) -> str:
    """A hotline's, for everything."""
    return hotline(open_app).token


class _Entry:
    """Both applications of the test that runs now, each at its addresses, as a proxy puts them together: schemathesis
    must know its application before any fixture is made."""

    site: Flask
    desk: Flask

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        pushes = environ["PATH_INFO"].startswith(("/api/v1/notices", "/api/v1/deliveries"))
        return (self.desk if pushes else self.site)(environ, start_response)


@schemathesis.serializer("application/x-ndjson")
def lines(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """The body as it is: schemathesis has no such media type of its own."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


# Of the door: a bad item is refused within a 207, one too many by 413, a key used twice by 422; and what is a line of
# JSON, which no schema can say of a text, by 400.
DOORS_OWN = {
    "negative_data_rejection": {"expected-statuses": ["207", "400", "401", "404", "413", "415", "422"]},
    "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "404", "422"]},
}
PLAIN = {"Accept-Encoding": "identity"}  # the client of schemathesis asks for gzip and cannot read it
BOUNDED = settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
DOOR = "^/(notices|deliveries)"
ENTRY = _Entry()


def loaded(**config: Any) -> OpenApiSchema:
    """The API as schemathesis knows it."""
    schema: OpenApiSchema = schemathesis.openapi.from_dict(
        document(Settings().site), config=schemathesis.Config.from_dict(config)
    )
    schema.app = ENTRY
    return schema


FIGURES, NOTICES = loaded().exclude(path_regex=DOOR), loaded(checks=DOORS_OWN).include(path_regex=DOOR)


@FIGURES.parametrize()
@BOUNDED
def test_schemathesis_finds_nothing_in_the_figures(case: schemathesis.Case[Any], app: Flask) -> None:
    ENTRY.site = app
    case.call_and_validate(headers=PLAIN)


@NOTICES.parametrize()
@BOUNDED
def test_schemathesis_finds_nothing_without_a_token(case: schemathesis.Case[Any], open_app: Flask) -> None:
    ENTRY.desk = open_app
    case.call_and_validate(headers=PLAIN)


@NOTICES.parametrize()
@BOUNDED
def test_schemathesis_finds_nothing_with_a_token(case: schemathesis.Case[Any], open_app: Flask, token: str) -> None:
    ENTRY.desk = open_app
    case.call_and_validate(headers=PLAIN | {"Authorization": f"Bearer {token}"})
