"""The `monitor` command: every stage on its own, with plain words or `--json`."""

from __future__ import annotations

import gc
import sys
import traceback

import click

from monitor.cli.group import Commands
from monitor.disk import ADVICE
from monitor.errors import MonitorError
from monitor.process import harden

_COLLECT_AFTER = (
    50_000  # new objects; Python's 700 search all that a command has loaded dozens of times, and find nothing
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hosting-abuse-compliance-monitor")
def cli() -> None:
    """Measure how fast hosting companies remove reported illegal material, and publish it."""


def main() -> None:
    """Run the command; exit 0 when done, 1 with a message when not, 2 for wrong usage."""
    harden()
    gc.set_threshold(_COLLECT_AFTER)
    try:
        cli.main(standalone_mode=False)
    except MonitorError as error:
        fail(str(error), 1)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        fail("stopped; nothing of an unfinished step was kept", 1)
    except Exception as error:  # noqa: BLE001 -- the process boundary; the message could hold a secret, the trace does not
        fail(_unexpected(error), 1)


def _unexpected(error: Exception) -> str:
    from sqlalchemy.exc import OperationalError  # only now: it takes long to load, and most commands never need it

    from monitor.cli.runtime import unwritable_place, which_disk_is_full

    full = which_disk_is_full(error)
    if isinstance(error, OperationalError):  # the disk is full, the server went away, somebody else has the lock
        reason = full or str(error.orig).partition("\n")[0]
        advice = ADVICE if full else "see to it and run this again"
        return f"the database failed ({reason}); nothing of this step was kept: {advice}"
    if full:
        return f"{full}; nothing of this step was kept: {ADVICE}"
    if place := unwritable_place(error):
        return place
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"unexpected {type(error).__name__}; nothing of this step was kept. Please report:\n{frames}"


def fail(message: str, status: int) -> None:
    """Say what is wrong on standard error and leave."""
    click.echo(f"monitor: {message}", err=True)
    sys.exit(status)
