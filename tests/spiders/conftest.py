"""A web server and an installation for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.spiders.installation import Installation
from tests.spiders.server import Site, serving


@pytest.fixture
def site() -> Iterator[Site]:
    """A server with nothing on it yet."""
    with serving() as site:
        yield site


@pytest.fixture
def installation(tmp_path: Path, new_database: NewDatabase) -> Installation:
    """A home with an empty database."""
    return Installation(tmp_path / "home", new_database())
