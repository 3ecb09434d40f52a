"""What loading a registry would change, without changing it: companies, claims, items, and published companies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.attribute.assign import attribute_notices
from monitor.attribute.registry import DETAIL_FIELDS, RegistryAnswer, latest_details, load_registry
from monitor.db import lock_writers, rows_where, table_of
from monitor.formats.registry import CompanyRecord
from monitor.models.company import Company, CompanyClaim, CompanyDetail
from monitor.models.facts import Attribution
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.observe.items import items_of, open_items
from monitor.release.preview import undone
from monitor.release.store import HASH_HIT
from monitor.vault import Vault


@dataclass(frozen=True, slots=True)
class CompanyChange:
    """What would change of a company: which fields of it, and how many of its claims would be added or ended."""

    company: str
    is_new: bool
    fields: tuple[str, ...]
    claims_added: int
    claims_ended: int


@dataclass(frozen=True, slots=True)
class RegistryCheck:
    """`items` would be another company's once attributed anew, `open_items` of them are open.

    `published`: the companies in published releases that change, or that such an item comes from or goes to.
    """

    answer: RegistryAnswer
    companies: tuple[CompanyChange, ...]
    items: int
    open_items: int
    published: tuple[str, ...]


def check_registry(session: Session, vault: Vault, records: Sequence[CompanyRecord], now: datetime) -> RegistryCheck:
    """What loading the registry, then `monitor attribute`, would change; all of it is taken back.

    Raises DeliveryError as `load_registry`.
    """
    lock_writers(session)
    with undone(session):
        attribute_notices(session, vault, now)  # what would change anyway is not due to the file
        details = {number: _values(row) for number, row in latest_details(session).items()}
        known = {_key(row) for row in session.scalars(select(CompanyClaim))}
        newest = {model: session.scalar(select(func.max(model.id))) or 0 for model in (CompanyDetail, CompanyClaim)}
        judged = session.scalar(select(func.max(Attribution.id))) or 0
        answer = load_registry(session, records, now)
        attribute_notices(session, vault, now)
        changed = _company_changes(session, details, known, newest[CompanyDetail], newest[CompanyClaim])
        contents, companies = _moved(session, judged)
        published = _published(session) & ({change.company for change in changed} | companies)
        moved = set(items_of(session, contents).values())
        still_open = {item.content_id for item in open_items(session, now)}
    return RegistryCheck(answer, changed, len(moved), len(moved & still_open), tuple(sorted(published)))


def _values(row: CompanyDetail) -> dict[str, object]:
    return {name: getattr(row, name) for name in DETAIL_FIELDS}


def _key(row: CompanyClaim) -> tuple[object, ...]:
    return row.company_id, row.claim, row.value, row.valid_from


def _company_changes(
    session: Session,
    before: dict[int, dict[str, object]],
    known: Collection[tuple[object, ...]],
    newest_detail: int,
    newest_claim: int,
) -> tuple[CompanyChange, ...]:
    fields: dict[int, tuple[str, ...]] = {}
    for row in session.scalars(select(CompanyDetail).where(CompanyDetail.id > newest_detail)):
        old = before.get(row.company_id, {})
        fields[row.company_id] = tuple(name for name, value in _values(row).items() if old.get(name) != value)
    added: dict[int, int] = defaultdict(int)
    ended: dict[int, int] = defaultdict(int)
    for claim in session.scalars(select(CompanyClaim).where(CompanyClaim.id > newest_claim)):
        (ended if _key(claim) in known else added)[claim.company_id] += 1
    keys = {row.id: row.key for row in session.execute(select(Company.id, Company.key))}
    return tuple(
        CompanyChange(keys[number], number not in before, fields.get(number, ()), added[number], ended[number])
        for number in sorted({*fields, *added, *ended}, key=keys.__getitem__)
    )


def _moved(session: Session, judged: int) -> tuple[set[int], set[str]]:
    """The contents whose attribution changed after that row, and the keys of the companies they are from and at."""
    contents = set(session.scalars(select(Attribution.content_id).where(Attribution.id > judged)))
    columns = ("id", "content_id", "valid_from", "company_id")
    before: dict[int, tuple[int, int, int | None]] = {}
    numbers = set[int | None]()
    for identifier, content, *rest in rows_where(session, table_of(Attribution), columns, "content_id", contents):
        if identifier > judged:
            numbers.add(rest[1])
        else:
            before[content] = max(before.get(content, (-1, -1, None)), (rest[0], identifier, rest[1]))
    numbers |= {company for _, _, company in before.values()}
    keys = {row.id: row.key for row in session.execute(select(Company.id, Company.key))}
    return contents, {keys[number] for number in numbers if number is not None}


def _published(session: Session) -> set[str]:
    """The keys of the companies in published releases."""
    rows = select(ReleaseRow.company_key).join(Release, Release.id == ReleaseRow.release_id)
    return {key.removeprefix(HASH_HIT) for key in session.scalars(rows.where(Release.stage == Stage.PUBLISHED))}
