"""The questions that scoring asks the system of record; each in SQL that both databases understand."""

from __future__ import annotations

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
  AND NOT EXISTS (SELECT 1 FROM corrections c JOIN item w ON w.id = c.content_id
                  WHERE c.decision = 'withdraw_notice' AND c.recorded_at <= {known_at}
                  AND w.content = i.content AND (c.notice_id IS NULL OR c.notice_id = n.id))
""",
    "sightings": _ITEMS
    + """
SELECT i.content, s.seen_at AS t, s.state, COALESCE(s.pause, '') AS pause, COALESCE(s.country, '') AS country
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
FROM suspensions s LEFT JOIN item i ON i.id = s.content_id
WHERE s.recorded_at <= {known_at} AND (s.content_id IS NULL OR i.id IS NOT NULL)
UNION ALL
SELECT i.content, c.starts_at AS a, COALESCE(c.ends_at, -1) AS b FROM corrections c JOIN item i ON i.id = c.content_id
WHERE c.decision = 'exclude_interval' AND c.starts_at IS NOT NULL AND c.recorded_at <= {known_at}
""",
    "decided_removals": _ITEMS
    + """
SELECT i.content, c.starts_at AS t FROM corrections c JOIN item i ON i.id = c.content_id
WHERE c.decision = 'set_removal' AND c.starts_at IS NOT NULL AND c.recorded_at <= {known_at}
""",
    "countries": """
SELECT d.company_id AS company, d.country FROM company_details d WHERE d.country IS NOT NULL AND d.id IN (
  SELECT MAX(id) FROM company_details WHERE recorded_at <= {known_at} GROUP BY company_id)
""",
}

# The columns of each answer: SQLite tells no type for an empty one, PostgreSQL tells it for all.
COLUMNS = {
    "contents": {"content": "int64", "site": "int64"},
    "notices": {
        "notice": "int64",
        "content": "int64",
        "t": "int64",
        "kind": "string",
        "delivery": "string",
        "deadline_hours": "float64",
    },
    "sightings": {"content": "int64", "t": "int64", "state": "string", "pause": "string", "country": "string"},
    "attributions": {"attribution": "int64", "content": "int64", "company": "int64", "valid_from": "int64"},
    "suspensions": {"content": "int64", "a": "int64", "b": "int64"},
    "decided_removals": {"content": "int64", "t": "int64"},
    "countries": {"company": "int64", "country": "string"},
}
