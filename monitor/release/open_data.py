"""The files of a release from which anyone can recompute its tables: anonymised episodes and the list of companies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy.orm import Session

from monitor.errors import MonitorError
from monitor.models.release import Release
from monitor.publish.company_list import companies_csv
from monitor.publish.episodes import public_episodes, write_csv
from monitor.publish.rows import PublicTable, public_table
from monitor.release.rebuild import request_of
from monitor.release.store import load_table
from monitor.score.methods import HASH_HITS
from monitor.score.pipeline import Request, scored_episodes
from monitor.score.recompute import recompute
from monitor.score.table import Table

EPISODES, COMPANIES = "episodes.csv", "companies.csv"
HASH_HIT_FILES = "hash-hit-"  # how the names of the same two files of the hash hits begin


def write_open_data(session: Session, release: Release, folder: Path) -> None:
    """Write both files of each table into a folder; the same release gives the same bytes.

    Raises MonitorError where a table does not come out of them again: then the facts are not those of the release.
    """
    write_tables(session, request_of(release), public_table(load_table(session, release)), folder)


def write_tables(session: Session, request: Request, table: PublicTable, folder: Path) -> None:
    """The same of a release that was read already, with its curves, and what was asked when it was scored."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(session, request, table, folder, "")
    if table.hash_hits:
        _write(session, replace(request, kinds=HASH_HITS), table.hash_hits, folder, HASH_HIT_FILES)


def files_of(table: Table | PublicTable) -> list[str]:
    """The names of the files that `write_open_data` writes for a release's table."""
    hits = [HASH_HIT_FILES] if table.hash_hits else []
    return [f"{begin}{name}" for begin in ("", *hits) for name in (EPISODES, COMPANIES)]


def _write(session: Session, request: Request, table: PublicTable, folder: Path, begin: str) -> None:
    episodes, companies = (folder / f"{begin}{name}" for name in (EPISODES, COMPANIES))
    episodes.write_bytes(write_csv(public_episodes(scored_episodes(session, request), table)))
    companies.write_bytes(companies_csv(table))
    if not _gives(recompute(episodes, companies, request.rules), table):
        raise MonitorError(f"the episodes do not give the table of {table.period}; see `monitor release rebuild`")


def _gives(found: Table, published: PublicTable) -> bool:
    """Whether the figures are the published ones, and the flows and norms where the release has them."""
    figures = tuple(row.figures for row in published.rows if row.figures is not None)
    return (
        found.companies == figures and published.flows in (None, found.flows) and published.norms in (None, found.norms)
    )
