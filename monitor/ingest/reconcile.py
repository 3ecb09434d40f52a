"""Reconciles the notices that are in an item's own record with those in the `ntd` export of the same source.

`ntd` lists what was sent by mail. A first notice to the hoster that is in an item's record and not in `ntd` was sent by
API; it is stored as a notice. If `ntd` has it later after all, the notice from `ntd` counts and the other is withdrawn:
the facts that count are the same in whichever order the exports arrived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from monitor.db import insert_columns, rows_where, table_of
from monitor.formats.records import NoticeRecord, Record
from monitor.identities import families_of
from monitor.ingest.batches import Batch
from monitor.ingest.rows import Item
from monitor.ingest.store import Store
from monitor.models.facts import Content, Correction, Delivery, Notice
from monitor.vocabulary import CLOCK_STARTING, Decision, Kind, Role

_SCART, NTD = "scart-", "scart-ntd"
_REASON = "the ntd export tells of this notice itself; that one counts"  # this and the next: as stored
_BY = "taking in"


class _Sent(NamedTuple):
    """A stored notice to the hoster that arrived; `by_ntd`: it is in the ntd export."""

    identifier: int
    content: int
    sent_at: int
    by_ntd: bool


def first_notices_to_store(store: Store, items: Sequence[tuple[int, Item]]) -> Iterator[Item]:
    """For (content id, item) the first notices still to be stored; counts what is in one of the exports only."""
    known = _sent(store, {content for content, _ in items})
    for content, item in items:
        record = item.record
        if record.first_notice is not None:
            at = record.first_notice.sent_at
            found = [notice for notice in known[content] if notice.sent_at == at]
            if not any(notice.by_ntd for notice in found):
                store.tally.flags["notice_not_in_ntd"] += 1
            if not found:
                yield item._replace(record=_notice_alone(record, record.first_notice))
        elif record.mail_known and not any(notice.by_ntd for notice in known[content]):
            store.tally.flags["notice_not_in_ntd"] += 1
        elif _denies(store, record) and any(notice.by_ntd for notice in known[content]):
            store.tally.flags["notice_only_in_ntd"] += 1


def can_repeat_notices(store: Store) -> bool:
    """Whether the delivery can hold a notice that is stored from an item's record."""
    if store.delivery.format != NTD:
        return False
    source = store.delivery.source
    others = Delivery.source == source, Delivery.format.startswith(_SCART), Delivery.format != NTD
    return store.session.scalar(select(Delivery.id).where(*others).limit(1)) is not None


def reconcile(store: Store, batch: Batch) -> None:
    """Withdraw each notice stored from an item's record, once ntd has one sent in the same second."""
    notices = batch.notices
    to_whom = zip(notices.row, notices.role, notices.delivery, strict=True)
    hoster_rows = [row for row, role, how in to_whom if role == Role.HOSTER and how in CLOCK_STARTING]
    digests = {batch.rows.url_digest[row] for row in hoster_rows}
    contents = {row[1] for row in _rows(store, Content, ("url_digest", "id"), "url_digest", digests)}
    repeated = set[tuple[int, int]]()
    for sent in _sent(store, contents).values():
        moments = {notice.sent_at for notice in sent if notice.by_ntd}
        repeated |= {(n.identifier, n.content) for n in sent if not n.by_ntd and n.sent_at in moments}
    new = sorted(repeated - _withdrawn(store, {identifier for identifier, _ in repeated}))
    each = {"notice_id": [identifier for identifier, _ in new], "content_id": [content for _, content in new]}
    always = {"decision": str(Decision.WITHDRAW_NOTICE), "reason": _REASON, "decided_by": _BY}
    insert_columns(store.session, table_of(Correction), each, always | {"recorded_at": store.recorded_at})


def _notice_alone(record: Record, notice: NoticeRecord) -> Record:
    return Record(record.line, record.url, record.truncated, (notice,))


def _denies(store: Store, record: Record) -> bool:
    """Whether the record would know of a notice to its hoster, and knows of none."""
    may_know = store.delivery.format != "scart-ntdclosed" and "first_notice_to_whom" not in record.flags
    return may_know and not record.mail_known


def _sent(store: Store, contents: Collection[int]) -> dict[int, list[_Sent]]:
    """The notices to hosters that arrived, by content; those of the cut form of its URL are its own."""
    families = _families(store, contents)
    columns = ("id", "content_id", "sent_at", "delivery_id", "kind", "recipient_role", "delivery")
    rows = list(_rows(store, Notice, columns, "content_id", set().union(*families.values()) if families else set()))
    counted = (str(Kind.HOTLINE_NOTICE), str(Role.HOSTER))
    rows = [row for row in rows if tuple(row[4:6]) == counted and row[6] in CLOCK_STARTING]
    formats = dict(_rows(store, Delivery, ("id", "format"), "id", {row[3] for row in rows}))
    by_content = defaultdict[int, list[_Sent]](list)
    for row in rows:
        if formats[row[3]].startswith(_SCART):  # notices from other systems are not compared here
            by_content[row[1]].append(_Sent(row[0], row[1], row[2], formats[row[3]] == NTD))
    return defaultdict(
        list, {c: [n for member in family for n in by_content[member]] for c, family in families.items()}
    )


def _families(store: Store, contents: Collection[int]) -> dict[int, set[int]]:
    """Each content with its other form, the cut one of a whole URL or the whole ones of a cut URL, and with all that
    are one item with either."""
    own = {row[0]: row[1:] for row in _rows(store, Content, ("id", "truncated", "stem_digest"), "id", contents)}
    stems = {stem for _, stem in own.values() if stem is not None}
    by_stem = defaultdict[bytes, list[tuple[int, bool]]](list)
    for identifier, truncated, stem in _rows(store, Content, ("id", "truncated", "stem_digest"), "stem_digest", stems):
        by_stem[stem].append((identifier, bool(truncated)))
    forms = {
        content: {content} | {other for other, cut in by_stem[stem] if cut != bool(truncated)} if stem else {content}
        for content, (truncated, stem) in own.items()
    }
    families = families_of(store.session, set().union(*forms.values()) if forms else set())
    return {content: families.all_of(others) for content, others in forms.items()}


def _withdrawn(store: Store, notices: Collection[int]) -> set[tuple[int, int]]:
    rows = _rows(store, Correction, ("notice_id", "content_id", "decision"), "notice_id", notices)
    return {(row[0], row[1]) for row in rows if row[2] == str(Decision.WITHDRAW_NOTICE)}


def _rows(store: Store, model: type[Any], columns: Sequence[str], key: str, values: Collection[Any]) -> Iterator[Any]:
    return rows_where(store.session, table_of(model), columns, key, values)
