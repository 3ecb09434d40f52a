"""The `monitor` command: every stage on its own, with plain words or `--json`."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import click

from monitor.disk import ADVICE
from monitor.errors import MonitorError
from monitor.process import harden

# Finding commands: those of the core by module, those of web, spiders and reports by entry point.

# Each command of the core: its module in monitor/cli, and the first line of its help, written down here so that
# the list of commands imports none of them (a test holds the two together).
_OWN: Mapping[str, tuple[str, str]] = {
    "init": ("setup", "Create the database, or migrate it to the newest schema."),
    "config": ("setup", "Show what is configured and where each value comes from; secrets are hidden."),
    "simulate": (
        "demo",
        "Write SCART exports with invented companies, their registry, and what really happened (truth.csv).",
    ),
    "registry": ("registry", "Load the company registry, or check what loading it would change."),
    "netblocks": ("registry", "Load and list tables of address ranges."),
    "ingest": ("deliveries", "Ingest one delivery, plain, gzip, zstd or ZIP."),
    "deliveries": (
        "deliveries",
        "List what came in, the newest first; with --quarantine, the rows of one delivery that could not be read.",
    ),
    "attribute": (
        "registry",
        "(Re)attribute all notices with today's registry and networks; nothing earlier is overwritten.",
    ),
    "confirm": (
        "registry",
        "Confirm that a recipient or network is the company it is named as: none is published before.",
    ),
    "suspend": (
        "decisions",
        "Record that clocks stood still: of one item, of all that --source gave notice of, or else of all.",
    ),
    "correct": ("decisions", "Record corrections: decisions of two people that go before what was collected."),
    "score": ("score", "Score a period and rank its companies, worst first."),
    "project": ("score", "Project the running quarter as it stands now: the score of this moment."),
    "estimate": ("score", "Recompute a table from episodes, so that anyone can check our numbers."),
    "supplements": (
        "supplements",
        "Show a measure that stands beside the ranking of a period, and never moves it.",
    ),
    "facts": ("score", "Export facts, to score them elsewhere."),
    "release": ("release", "Draft, publish, export, verify, rebuild, compare and correct releases."),
    "token": ("setup", "Issue, list and revoke the tokens with which hotlines push notices."),
    "keys": ("setup", "Make the key that signs open data, and bring stored digests up to the rules and key in force."),
    "audit": ("audit", "Verify the audit trail, and sign it."),
    "schedule": ("schedule", "Collect each source on schedule, in its cadence."),
    "sources": ("schedule", "List the sources on schedule and how they are."),
    "demo": ("demo", "Simulate, ingest, score, release and report: the whole way, on the embedded default."),
}
# The same lines of commands that are plugged in; any other is imported for its line.
_PLUGGED_IN: Mapping[str, str] = {
    "collect": "Fetch the deliveries of SOURCE that are new and ingest them; exit 1 where anything of it failed.",
    "report": "Write the report of PERIOD (its newest published version) and its open data, in Dutch and English.",
    "serve": "Serve the public site and the desk until they are stopped.",
}


class Commands(click.Group):
    """A group that imports a command only when it is called, so that `monitor` starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names of all commands, in the order of the work."""
        return [*_OWN, *sorted(_plugged_in())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command, or None where there is none of that name."""
        if cmd_name in _OWN:
            command = getattr(import_module(f"monitor.cli.{_OWN[cmd_name][0]}"), cmd_name)
        elif cmd_name in (plugged := _plugged_in()):
            command = plugged[cmd_name].load()
        else:
            return None
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands; one that another package plugs in is imported only to learn what it does."""
        rows = [(name, self._summary(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _summary(self, ctx: click.Context, name: str) -> str:
        if name in _OWN:
            return _OWN[name][1]
        if name in _PLUGGED_IN:
            return _PLUGGED_IN[name]
        command = self.get_command(ctx, name)
        return command.get_short_help_str() if command is not None else ""


def _plugged_in() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group="monitor.commands")}


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
