"""A record without a URL as text, while it waits for its item, and back."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from monitor.formats.records import NoticeRecord, Record, SightingRecord
from monitor.vocabulary import Channel, DeliveryState, Kind, Pause, Role, State


def written(record: Record) -> str:
    """What the record says of its item: the same text for the same statement, whatever its line."""
    content = {
        "file_number": record.file_number,
        "sightings": [asdict(sighting) for sighting in record.sightings],
        "first_notice": asdict(record.first_notice) if record.first_notice else None,
        "mail_known": record.mail_known,
        "to_whom": "first_notice_to_whom" not in record.flags,
        "hash_hit_at": record.hash_hit_at,
    }
    return json.dumps(content, sort_keys=True)


def opened(text: str, place: Record) -> Record:
    """The statement as a record about the URL of another that tells of the same item."""
    content = json.loads(text)
    first = content["first_notice"]
    return Record(
        place.line,
        place.url,
        place.truncated,
        sightings=tuple(_sighting(values) for values in content["sightings"]),
        flags=() if content["to_whom"] else ("first_notice_to_whom",),
        file_number=content["file_number"],
        first_notice=_notice(first) if first else None,
        mail_known=content["mail_known"],
        hash_hit_at=content["hash_hit_at"],
    )


def _sighting(values: dict[str, Any]) -> SightingRecord:
    pause = values["pause"]
    return SightingRecord(values["seen_at"], State(values["state"]), Pause(pause) if pause else None, values["country"])


def _notice(values: dict[str, Any]) -> NoticeRecord:
    notice = NoticeRecord(**values)
    return replace(
        notice,
        kind=Kind(notice.kind),
        role=Role(notice.role),
        delivery=DeliveryState(notice.delivery),
        channel=Channel(notice.channel),
    )
