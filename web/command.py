"""`monitor serve`: the public site and the desk, under a production server, each in processes of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from monitor import logs
from monitor.settings import Settings, SiteSettings, load_settings
from web.shared.serve import Service, run

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from monitor.cli.runtime import Runtime
    from web.public.cache import PageCache

PUBLIC, DESK = 8000, 8001  # ports
_ADVICE = "run `monitor release export`"


@click.command()
@click.option("--only", type=click.Choice(["public", "desk"]), help="Serve one of the two (default: both).")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, help=f"Port to listen on (default: {PUBLIC}; {DESK} for the desk alone).")
@click.option("--desk-host", default="127.0.0.1", show_default=True, help="Where the desk listens beside the site.")
@click.option("--desk-port", type=int, help="Its port (default: the one after --port).")
@click.option("--workers", default=1, show_default=True, help="Processes of each, with a cache of their own.")
def serve(only: str | None, host: str, port: int | None, desk_host: str, desk_port: int | None, workers: int) -> None:
    """Serve the public site and the desk until they are stopped.

    The site reads the publications folder alone: with --only public no database and no key need be there.
    """
    installation = None if only == "public" else _installation()
    services = {}
    if only != "desk":
        services["the public site"] = public_service(load_settings().site, host, port or PUBLIC)
    if installation is not None and only == "desk":
        services["the desk"] = desk_service(installation.settings, host, port or DESK)
    elif installation is not None:
        beside = (desk_host, desk_port or (port or PUBLIC) + 1, "--desk-host or --desk-port")
        services["the desk"] = desk_service(installation.settings, *beside)
    if only != "desk" and (note := _note(installation)):
        click.echo(f"note: {note}", err=True)

    warnings = load_settings().warnings if only != "desk" else ()

    def bound() -> None:
        for warning in warnings:
            click.echo(f"warning: {warning}", err=True)
        for name, service in services.items():
            click.echo(f"serving {name} on {service.address} (stop with Ctrl-C)", err=True)

    logs.configure(load_settings())
    run(list(services.values()), workers, bound)


def public_service(settings: SiteSettings, host: str = "127.0.0.1", port: int = PUBLIC) -> Service:
    """The public site; its workers are told no more than these settings."""
    return Service(partial(load_public, settings), host, port, settings.limits)


def desk_service(
    settings: Settings, host: str = "127.0.0.1", port: int = DESK, options: str = "--host or --port"
) -> Service:
    """The desk. Its workers take bodies; a push that waits for its turn holds a thread."""
    from monitor.formats.xarf_objects import BODY_LIMIT
    from web.desk.authenticate import TOTAL

    load = partial(load_desk, settings)
    return Service(load, host, port, settings.limits, BODY_LIMIT, TOTAL, sees_settings=True, options=options)


def load_public(settings: SiteSettings) -> PageCache:
    """The public site with its finished pages in memory, as each worker has it."""
    from web.public.app import cached

    logs.configure(settings)  # in each worker: it logs as the schedule does
    return cached(settings)


def load_desk(settings: Settings) -> Flask:
    """The desk, as each worker has it."""
    from web.desk.app import create_app

    logs.configure(settings)
    return create_app(settings)


def _installation() -> Runtime:
    """An installation whose database answers: a wrong address is said here and not by each worker."""
    from monitor.cli.runtime import runtime
    from monitor.incoming import remove_leftovers

    run = runtime()
    remove_leftovers(run.settings)
    run.engine.dispose()
    return run


def _note(installation: Runtime | None) -> str:
    """What is to be done before the site shows all that is published: a line, or nothing."""
    if installation is None:
        return _lacking_here(load_settings().publications)
    from monitor.db import transaction
    from monitor.release.export import missing

    with transaction(installation.engine) as session:
        lacking = missing(session, installation.settings)
    installation.engine.dispose()
    if not lacking:
        return ""
    some = ", ".join(edition.name for edition in lacking[:3]) + (", ..." if len(lacking) > 3 else "")
    return f"the publications folder lacks {len(lacking)} published releases ({some}): {_ADVICE}"


def _lacking_here(publications: Path) -> str:
    from monitor.release.intact import NotIntactError
    from monitor.release.published import read_index

    try:
        if read_index(publications) is None:
            return f"the publications folder is empty: {_ADVICE} where the database is, and copy the folder here"
    except NotIntactError as error:
        return f"the publications folder: {error}"
    return ""
