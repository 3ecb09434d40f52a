"""The list of a release's companies as a file: what its anonymised episodes cannot say (monitor.score.company_file)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from monitor.publish.rows import PublicTable, Row
from monitor.score.company_file import ANNOUNCED, COLUMNS, POOLED_COUNTS, escape_formula
from monitor.score.episode_file import POOLED

Cell = str | int | None


def companies_csv(table: PublicTable) -> bytes:
    """A line per company by key, then what is pooled and what is at nobody's door; empty where it is withheld."""
    lines = [*map(_company, sorted(table.rows, key=lambda row: row.company)), _pool(table), _nobody(table)]
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, COLUMNS)
    writer.writeheader()
    writer.writerows(lines)
    return sheet.getvalue().encode()


def _company(row: Row) -> Mapping[str, Cell]:
    return {
        "company": escape_formula(row.company),
        "name": escape_formula(row.name),
        "country": row.country,
        "via_proxy": str(row.via_proxy).lower(),
        "figures": "withheld" if row.figures is None else "shown",
        "refused": None if row.figures is None else row.figures.refused,
        ANNOUNCED: None if row.figures is None else row.figures.announced_ipv4,
    }


def _pool(table: PublicTable) -> Mapping[str, Cell]:
    """What the network has and no company with figures."""
    network = table.network.counts
    shown = next(line.counts for line in table.totals if line.kind == "shown")
    rest = {name: _without(network[name], shown[name]) for name in POOLED_COUNTS}
    return {"company": POOLED, "figures": "pooled", **rest}


def _without(total: int | None, part: int | None) -> int | None:
    return None if total is None or part is None else total - part


def _nobody(table: PublicTable) -> Mapping[str, Cell]:
    nobody = table.unattributed
    return {
        "company": "(unattributed)",
        "figures": "unattributed",
        "episodes": nobody.episodes,
        "notices": nobody.notices,
    }
