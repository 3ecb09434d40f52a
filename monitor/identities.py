"""Which contents are one item now, under which scheme digests are made, and whether all of them are (ADR 26).

Items that were told apart, and are one under the scheme in force, keep all their facts where they were recorded:
`ItemIdentity` joins them, from the instant at which that was found. A table of before is made as it was made then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, func, select
from sqlalchemy.orm import Session

from monitor.db import rows_where, table_of
from monitor.errors import MonitorError
from monitor.models.facts import Content
from monitor.models.identity import DigestScheme, ItemIdentity
from monitor.suffixes import suffixes_version
from monitor.urls import RULES
from monitor.vault import Vault

ROTATE = "monitor keys rotate --digest"


@dataclass(frozen=True)
class SchemeState:
    """The scheme that was recorded last, and whether it is that of this software and all items have digests of it."""

    url_rules: int
    suffix_list: str
    key_version: int
    finished: bool


def scheme_in_force(session: Session, vault: Vault, now: datetime) -> DigestScheme:
    """The scheme of what is stored from now on; recorded where it is new. Needs the writer lock.

    Raises MonitorError where the database has digests under URL rules that this version of the software does not know.
    """
    last = newest_scheme(session)
    wanted = (RULES, suffixes_version(), vault.version)
    if last is not None and last.url_rules > RULES:
        raise MonitorError(
            f"the database has digests under URL rules {last.url_rules}, and this software knows {RULES}"
        )
    if last is not None and (last.url_rules, last.suffix_list, last.key_version) == wanted:
        return last
    is_first = last is None
    scheme = DigestScheme(
        id=1 if last is None else last.id + 1,
        url_rules=wanted[0],
        suffix_list=wanted[1],
        key_version=wanted[2],
        recorded_at=now,
        position=0,
        finished_at=now if is_first else None,
    )
    session.add(scheme)
    session.flush()
    return scheme


def newest_scheme(session: Session) -> DigestScheme | None:
    """The scheme that was recorded last; None where nothing was digested yet."""
    return session.scalars(select(DigestScheme).order_by(DigestScheme.id.desc()).limit(1)).one_or_none()


def scheme_state(session: Session) -> SchemeState | None:
    """How digests stand by the database; None where nothing was digested yet."""
    last = newest_scheme(session)
    if last is None:
        return None
    in_force = (last.url_rules, last.suffix_list) == (RULES, suffixes_version())
    finished = in_force and last.finished_at is not None
    return SchemeState(last.url_rules, last.suffix_list, last.key_version, finished)


def require_one_scheme(session: Session, what: str) -> None:
    """Raise MonitorError where items still have digests of an earlier scheme, so that some may stand there twice."""
    state = scheme_state(session)
    if state is not None and not state.finished:
        raise MonitorError(f"{what} needs all items under one digest scheme: run `{ROTATE}` first")


def site_now() -> ColumnElement[int]:
    """The site of a row of `Content` in the query around it: as its last identity says, else that of the row."""
    last = select(ItemIdentity.site_id).where(ItemIdentity.content_id == Content.id).order_by(ItemIdentity.id.desc())
    return func.coalesce(last.limit(1).correlate(Content).scalar_subquery(), Content.site_id)


def last_identities() -> Subquery:
    """(content_id, item_id, site_id) of each content that is not simply itself on the site that it was stored with."""
    last = select(func.max(ItemIdentity.id)).group_by(ItemIdentity.content_id)
    found = select(ItemIdentity.content_id, ItemIdentity.item_id, ItemIdentity.site_id)
    return found.where(ItemIdentity.id.in_(last)).subquery()


@dataclass(frozen=True)
class Families:
    """Contents that became one item with others, found for those that are asked about."""

    item_of: dict[int, int]
    members_of: dict[int, set[int]]

    def all_of(self, contents: Iterable[int]) -> set[int]:
        """The contents with all that are one item with one of them."""
        return {member for content in contents for member in self.of(content)}

    def of(self, content: int) -> set[int]:
        """A content with all that are one item with it."""
        return self.members_of.get(self.item_of.get(content, content), {content})

    def item(self, content: int) -> int:
        """The content that stands for the item of one."""
        return self.item_of.get(content, content)


_ALONE = Families({}, {})


def families_of(session: Session, contents: Collection[int]) -> Families:
    """The families of contents; nothing in it where each is an item of its own, as they mostly are."""
    if not contents or session.scalar(select(ItemIdentity.id).limit(1)) is None:
        return _ALONE
    of_these = _last_items(session, "content_id", contents)
    items = {of_these.get(content, content) for content in contents}
    item_of = {content: item for content, item in _last_items(session, "item_id", items).items() if item in items}
    members_of = defaultdict[int, set[int]](set)
    for content, item in item_of.items():
        members_of[item] |= {content, item}
    return Families({c: i for c, i in item_of.items() if c != i}, {i: m for i, m in members_of.items() if len(m) > 1})


def _last_items(session: Session, key: str, values: Collection[int]) -> dict[int, int]:
    """By content the item that it is now, of the contents that have, or had, that content or item."""
    columns, table = ("id", "content_id", "item_id"), table_of(ItemIdentity)
    named = {row[1] for row in rows_where(session, table, columns, key, values)}
    rows = sorted(rows_where(session, table, columns, "content_id", named))
    return {content: item for _, content, item in rows}
