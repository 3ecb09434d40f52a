"""Finding commands: those of the core by module, those of web, spiders and reports by entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import click

_OWN = {
    "init": "setup",
    "config": "setup",
    "simulate": "simulate",
    "registry": "registry",
    "netblocks": "registry",
    "ingest": "ingest",
    "deliveries": "deliveries",
    "attribute": "attribute",
    "confirm": "attribute",
    "score": "score",
    "estimate": "score",
    "facts": "facts",
    "release": "release",
    "token": "token",
    "keys": "keys",
    "audit": "audit",
    "schedule": "schedule",
    "sources": "sources",
    "demo": "demo",
}


class Commands(click.Group):
    """A group that imports a command only when it is called, so that `monitor` starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names of all commands, in the order of the work."""
        return [*_OWN, *sorted(_plugged_in())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command, or None where there is none of that name."""
        if cmd_name in _OWN:
            command = getattr(import_module(f"monitor.cli.{_OWN[cmd_name]}"), cmd_name)
        elif cmd_name in (plugged := _plugged_in()):
            command = plugged[cmd_name].load()
        else:
            return None
        assert isinstance(command, click.Command)
        return command


def _plugged_in() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group="monitor.commands")}
