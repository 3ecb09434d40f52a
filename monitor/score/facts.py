"""From the system of record to the engine: the facts known at an instant, as numbers, through ADBC and Arrow."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pyarrow import feather

from monitor.errors import MonitorError
from monitor.score.engine import Engine, Expr

NOBODY = 0  # company of what could be laid at no door
EVERYTHING = 0  # content of a suspension that holds for all
OPEN = -1  # end of a suspension that has not ended

# A truncated URL is the same item as the one full URL that begins with it, where there is just one.
_CANONICAL = """
SELECT c.id AS id, c.site_id AS site, COALESCE(f.id, c.id) AS content
FROM contents c LEFT JOIN (
  SELECT stem_digest, MIN(id) AS id FROM contents
  WHERE NOT truncated AND stem_digest IS NOT NULL AND recorded_at <= {known_at}
  GROUP BY stem_digest HAVING COUNT(*) = 1
) f ON c.truncated AND f.stem_digest = c.stem_digest
WHERE c.recorded_at <= {known_at}
"""
_ITEMS = "WITH item AS (" + _CANONICAL + ") "

QUERIES = {
    "contents": _ITEMS + "SELECT i.id AS content, i.site FROM item i WHERE i.content = i.id",
    "notices": _ITEMS
    + """
SELECT n.id AS notice, i.content, n.sent_at AS t, n.kind, n.delivery, COALESCE(n.deadline_hours, -1.0) AS deadline_hours
FROM notices n JOIN item i ON i.id = n.content_id
WHERE n.recipient_role = 'hoster' AND n.recorded_at <= {known_at}
  AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.decision = 'withdraw_notice' AND c.recorded_at <= {known_at}
                  AND c.content_id = n.content_id AND (c.notice_id IS NULL OR c.notice_id = n.id))
""",
    "sightings": _ITEMS
    + """
SELECT i.content, s.seen_at AS t, s.state, COALESCE(s.pause, '') AS pause
FROM sightings s JOIN item i ON i.id = s.content_id WHERE s.recorded_at <= {known_at}
""",
    "attributions": _ITEMS
    + """
SELECT a.id AS attribution, i.content, COALESCE(a.company_id, 0) AS company, a.valid_from
FROM attributions a JOIN item i ON i.id = a.content_id WHERE a.recorded_at <= {known_at}
""",
    "suspensions": _ITEMS
    + """
SELECT COALESCE(i.content, 0) AS content, s.starts_at AS a, COALESCE(s.ends_at, -1) AS b
FROM suspensions s LEFT JOIN item i ON i.id = s.content_id WHERE s.recorded_at <= {known_at}
UNION ALL
SELECT i.content, c.starts_at AS a, COALESCE(c.ends_at, -1) AS b FROM corrections c JOIN item i ON i.id = c.content_id
WHERE c.decision = 'exclude_interval' AND c.starts_at IS NOT NULL AND c.recorded_at <= {known_at}
""",
    "decided_removals": _ITEMS
    + """
SELECT i.content, c.starts_at AS t FROM corrections c JOIN item i ON i.id = c.content_id
WHERE c.decision = 'set_removal' AND c.starts_at IS NOT NULL AND c.recorded_at <= {known_at}
""",
}


@dataclass(frozen=True)
class Facts:
    """The facts as tables of one engine; instants are epoch seconds, companies and contents their ids."""

    contents: Expr
    notices: Expr
    sightings: Expr
    attributions: Expr
    suspensions: Expr
    decided_removals: Expr


def load_facts(engine: Engine, database_url: str, known_at: int) -> Facts:
    """Copy what was recorded up to `known_at` into the engine.

    A process of its own reads the database: ADBC brings a second SQLite library, and two of them in one
    process undo each other's file locks (docs/adr/0005). Raises MonitorError where it could not read.
    """
    with TemporaryDirectory(prefix="monitor-facts-") as folder:
        request = json.dumps({"url": database_url, "known_at": known_at, "folder": folder})
        command = [sys.executable, "-m", "monitor.score.extract"]
        done = subprocess.run(command, input=request, text=True, capture_output=True, check=False)  # noqa: S603
        if done.returncode:
            raise MonitorError(f"the facts could not be read from the database: {done.stderr.strip()[-300:]}")
        tables = {name: feather.read_table(Path(folder) / name, memory_map=False) for name in QUERIES}
    return Facts(**{name: engine.create_table(name, table, overwrite=True) for name, table in tables.items()})
