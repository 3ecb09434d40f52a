"""`monitor serve`: the site, under a production server."""

from __future__ import annotations

from functools import partial

import click

from monitor.cli.runtime import runtime
from monitor.incoming import remove_leftovers
from web.serve import serve as serve_site


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, help="Processes, each with its own cache of tables.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the public site until it is stopped."""
    run = runtime()
    remove_leftovers(run.settings)
    run.engine.dispose()  # reached once, so that a wrong address is said here and not by each worker
    address = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    bound = partial(click.echo, f"serving on {address} (stop with Ctrl-C)", err=True)
    serve_site(run.settings, host, port, workers, bound)
