"""What every command needs: settings, database, vault, the clock, and two ways to answer."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING, Any, TypeVar

import click
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from monitor.db import connect, database_file, database_reachable
from monitor.disk import full_disk
from monitor.errors import ConfigurationError, MonitorError
from monitor.incoming import incoming
from monitor.instants import parse_instant
from monitor.migrate import require_schema
from monitor.permissions import narrow
from monitor.settings import Settings, load_settings

if TYPE_CHECKING:
    from monitor.vault import Vault

_NOT_WRITABLE = frozenset(
    {errno.EACCES, errno.EEXIST, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR,
     errno.ENOTEMPTY, errno.EPERM, errno.EROFS}
)  # fmt: skip
_KINDS = {errno.EEXIST: "a file stands there", errno.ENOTDIR: "a file stands there", errno.EISDIR: "it is a folder"}
F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Runtime:
    """The installation a command works on. The only place of the core's commands that reads the clock."""

    settings: Settings

    @cached_property
    def engine(self) -> Engine:
        """The database, reachable, with its schema and sealed with our keys; ConfigurationError otherwise."""
        engine = connect(self.settings.database_url)
        click.get_current_context().call_on_close(engine.dispose)
        database_reachable(engine)
        require_schema(engine)
        from monitor.key_checks import require_keys  # here, with its ciphers: help and settings need none

        require_keys(engine, self.settings.key_file)
        return engine

    @cached_property
    def vault(self) -> Vault:
        """The vault under the configured key file, which is that of the database; ConfigurationError otherwise."""
        from monitor.key_checks import open_vault  # here, with its ciphers: many commands open no vault

        return open_vault(self.engine, self.settings.key_file, self.now())

    def now(self) -> int:
        """The present instant, in whole seconds."""
        return int(time.time())


def runtime() -> Runtime:
    """The installation that environment and `monitor.toml` describe; its files are its owner's only from here on."""
    settings = load_settings()
    require_home(settings)
    keep_private(settings)
    return Runtime(settings)


def require_home(settings: Settings) -> None:
    """Raise ConfigurationError where the home folder is there and is no folder, or cannot be looked at."""
    home = settings.home
    try:
        mode = home.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationError(f"MONITOR_HOME is {home}: {error.strerror}; name a folder of our own") from error
    if not S_ISDIR(mode):
        raise ConfigurationError(f"MONITOR_HOME is {home}, which is a file; name a folder")


def keep_private(settings: Settings) -> None:
    """Take from others what an installation made by an earlier version, or by hand, lets them do with it.

    Raises ConfigurationError where that is not for us to change.
    """
    for folder in (settings.home, incoming(settings)):
        narrow(folder, folder=True)
    if (database := database_file(make_url(settings.database_url))) is not None:
        for ending in ("", "-wal", "-shm", "-journal", ".beat"):
            narrow(Path(f"{database}{ending}"), folder=False)


def which_disk_is_full(error: Exception) -> str | None:
    """The disk that was full, where that is what has led to an error; None of any other."""
    try:
        database = database_file(make_url(load_settings().database_url))
    except MonitorError:
        database = None
    return full_disk(error, database)


def unwritable_place(error: BaseException) -> str | None:
    """What cannot be made, read or written, where that is a place that the operator has named; None of any other error.

    Only such a place is repeated, and not what lies below it: a name of a file that was dropped may hold anything (S1).
    """
    found: BaseException | None = error
    while found is not None and not (isinstance(found, OSError) and found.errno in _NOT_WRITABLE):
        found = found.__cause__ or found.__context__
    if not isinstance(found, OSError) or not isinstance(found.filename, (str, bytes)):
        return None
    path, here = Path(os.fsdecode(found.filename)).absolute(), Path.cwd()
    above = not here.is_relative_to(path)  # of a place that is named: a folder that was to be made for it
    named = next(
        (
            place
            for place in _named_places()
            if path.is_relative_to(place)
            or (above and place.is_relative_to(path))
            or (
                path.parent == place.parent and not os.access(place.parent, os.W_OK | os.X_OK)
            )  # what is made beside it
        ),
        None,
    )
    if named is None:
        return None
    why = _KINDS.get(found.errno or 0, found.strerror)
    return f"{named} cannot be used ({why}); name another place, or see who owns it"


def _named_places() -> list[Path]:
    """What the command line and the settings name, as absolute paths."""
    words = [part for word in sys.argv[1:] for part in (word, word.partition("=")[2]) if part]
    try:
        settings = load_settings()
        kept = [settings.home, settings.key_file, settings.signing_key_file, *settings.checkpoint_folders]
    except (MonitorError, OSError):
        kept = []
    return [place.absolute() for place in (*map(Path, words), *kept)]


def json_option(function: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(function)


def show(data: object, as_json: bool, text: str) -> None:
    """Print the answer: JSON for programs, text for people."""
    click.echo(json.dumps(data, indent=1, ensure_ascii=False) if as_json else text)


class InstantType(click.ParamType[int]):
    """An ISO 8601 instant with its zone, as epoch seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text; a usage error says what is wrong with it."""
        if isinstance(value, int):
            return value
        try:
            return parse_instant(value)
        except MonitorError as error:
            self.fail(str(error), param, ctx)


INSTANT = InstantType()
METHOD = click.option("--method", "version", help="Version of the method (default: the current one).")
ENGINE = click.option("--engine", "engine_url", help="Where to compute, e.g. duckdb:// (default: as configured).")
