"""A published home whose companies move, made once for all tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.web.public.moving import publish_moving


@pytest.fixture(scope="session")
def moving_home(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """Written from a database; the tests only read the folder."""
    folder = tmp_path_factory.mktemp("moving")
    publish_moving(folder, f"sqlite:///{shutil.copy(sqlite_template, folder / 'monitor.db')}")
    return folder
