"""Finding commands: those of the core by module, those of web, spiders and reports by entry point."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import click

# Each command of the core: its module in monitor/cli, and its line in `monitor --help`, which is written down here so
# that the list of commands imports none of them.
_OWN: Mapping[str, tuple[str, str]] = {
    "init": ("setup", "Create the database, or migrate it to the newest schema."),
    "config": ("setup", "Show what is configured and where each value comes from."),
    "simulate": ("demo", "Write SCART exports of a hotline that does not exist."),
    "registry": ("registry", "Load, show and export the company registry."),
    "netblocks": ("registry", "Load tables of address ranges."),
    "ingest": ("deliveries", "Ingest one delivery: plain, gzip or zstd."),
    "deliveries": ("deliveries", "List what was delivered, and review what is suspicious."),
    "attribute": ("registry", "Attribute all notices to companies again."),
    "confirm": ("registry", "Confirm that a recipient or network is the company."),
    "score": ("score", "Score a period and rank its companies, worst first."),
    "estimate": ("score", "Recompute a table from a file of episodes."),
    "facts": ("score", "Export facts to score them elsewhere."),
    "release": ("release", "Draft, publish, verify, rebuild and correct releases."),
    "token": ("token", "Issue and revoke the tokens of hotlines."),
    "keys": ("setup", "Export keys to keep them elsewhere."),
    "audit": ("audit", "Verify and sign the audit trail."),
    "schedule": ("schedule", "Collect each source on schedule."),
    "sources": ("schedule", "List the sources on schedule and how they are."),
    "demo": ("demo", "Run the whole way with invented data."),
}
_PLUGGED_IN: Mapping[str, str] = {
    "collect": "Fetch and ingest the new deliveries of a source.",
    "report": "Write the report of a period.",
    "serve": "Serve the public site until it is stopped.",
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
