"""The files of a release from which anyone can recompute its table: anonymised episodes and the list of companies."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from monitor.errors import MonitorError
from monitor.models.release import Release
from monitor.publish.company_list import companies_csv
from monitor.publish.episodes import public_episodes, write_csv
from monitor.publish.rows import public_table
from monitor.release.rebuild import request_of
from monitor.release.store import load_table
from monitor.score.recompute import recompute
from monitor.score.run import scored_episodes

EPISODES, COMPANIES = "episodes.csv", "companies.csv"


def write_open_data(session: Session, release: Release, folder: Path) -> None:
    """Write both files into a folder; the same release gives the same bytes.

    Raises MonitorError where the table does not come out of them again: then the facts are not those of the release.
    """
    request, table = request_of(release), public_table(load_table(session, release))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EPISODES).write_bytes(write_csv(public_episodes(scored_episodes(session, request), table)))
    (folder / COMPANIES).write_bytes(companies_csv(table))
    found = recompute(folder / EPISODES, folder / COMPANIES, request.method)
    published = [row.figures for row in table.rows if row.figures is not None]
    if list(found.companies) != published:
        raise MonitorError(f"the episodes do not give the table of {release.period}; see `monitor release rebuild`")
