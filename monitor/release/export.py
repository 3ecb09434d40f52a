"""Writing what the site reads: the files of each published version, and the signed index of all of them.

`site/<period>-v<version>.<hash>/` has the public table, the curves, what the registry lets the public know, and the
pictures. It is complete on the disk before the index names it; the link to the index is turned at one stroke. A crash
at any point leaves the old state or the new one, and the same again finishes the work.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.charts.frame import NARROW, WIDE, Chart
from monitor.charts.release_figures import release_figures
from monitor.disclosure.rows import PublicTable, Row, public_table
from monitor.errors import ConfigurationError, MonitorError
from monitor.instants import Period, iso, parse_period, to_datetime, to_instant
from monitor.models.company import Company, CompanyClaim
from monitor.models.release import Release, Stage
from monitor.names import alias_form
from monitor.permissions import make_public_folder
from monitor.release.attest import subject_of, trusted_keys
from monitor.release.intact import SHARED, NotIntactError, read_regular, sha256_of
from monitor.release.publications import PublishedFile, alone, turn, write_folder
from monitor.release.published import (
    CURVES,
    DRAWING_ID,
    FORMAT,
    INDEX,
    INDEX_SIGNATURE,
    LINK,
    RELEASE,
    SITE,
    Holding,
    Holdings,
    ReleaseIndex,
    ReleaseVersion,
    pictures_file,
    read_index,
)
from monitor.release.signing import SigningKey, keep_public_key
from monitor.release.store import load_table
from monitor.score.table import Group
from monitor.settings import Settings
from monitor.vocabulary import Claim
from monitor.wording.language import LANGUAGES

# What the registry lets the public know of a company: its other names, its networks and its ranges.
#
# Never shown: abuse addresses, for they are mailboxes; domains, for a rule may name a site that was reported; and
# ranges so narrow that they point at one server.

_TOLD = (Claim.ALIAS, Claim.ASN, Claim.PREFIX)
_NARROWEST = {4: 24, 6: 48}  # what the routing tables of the internet show anyway
_OWN_NETWORK = re.compile(r"as(\d{1,10})")


def all_holdings(session: Session, table: PublicTable) -> dict[str, Holdings]:
    """By company of a table what was recorded when it was made, and held at some time in its period.

    Aliases are those that do not read as its name. A company that is named after its network (`as64496`) holds that
    one where the registry names none.
    """
    recorded = _recorded(session, datetime.fromisoformat(table.known_at))
    found = {row.company: _holdings(row, recorded.get(row.company, ()), table.period) for row in table.rows}
    return {key: held for key, held in found.items() if held}


def _holdings(row: Row, recorded: Iterable[CompanyClaim], period: str) -> Holdings:
    span = parse_period(period)
    held = {kind: [claim for claim in recorded if claim.claim is kind and _held(claim, span)] for kind in _TOLD}
    ranges = sorted(held[Claim.PREFIX], key=lambda claim: (":" in claim.value, ipaddress.ip_network(claim.value)))
    wide = [claim for claim in ranges if not _narrow(claim.value)]
    return Holdings(
        aliases=_told((claim for claim in held[Claim.ALIAS] if claim.value != alias_form(row.name)), span),
        networks=_told(sorted(held[Claim.ASN], key=lambda claim: int(claim.value)), span, "AS")
        or _own_network(row.company),
        ranges=_told(wide, span),
        narrower=len(ranges) - len(wide),
    )


def _recorded(session: Session, known_at: datetime) -> dict[str, list[CompanyClaim]]:
    """By company each claim as it was recorded last by then."""
    query = (
        select(Company.key, CompanyClaim)
        .join(Company, Company.id == CompanyClaim.company_id)
        .where(CompanyClaim.recorded_at <= known_at, CompanyClaim.claim.in_(_TOLD))
        .order_by(CompanyClaim.value, CompanyClaim.id)
    )
    last = {(key, row.claim, row.value, row.valid_from): row for key, row in session.execute(query)}
    found: dict[str, list[CompanyClaim]] = {}
    for (key, *_), row in last.items():
        found.setdefault(key, []).append(row)
    return found


def _held(claim: CompanyClaim, period: Period) -> bool:
    start, end = _days(period)
    began = claim.valid_from is None or claim.valid_from < end
    return began and (claim.valid_to is None or claim.valid_to > start)


def _days(period: Period) -> tuple[date, date]:
    return to_datetime(period.start).date(), to_datetime(period.end).date()


def _narrow(prefix: str) -> bool:
    network = ipaddress.ip_network(prefix)
    return network.prefixlen > _NARROWEST[network.version]


def _told(claims: Iterable[CompanyClaim], period: Period, sign: str = "") -> tuple[Holding, ...]:
    start, end = _days(period)

    def within(day: date | None) -> date | None:
        return day if day is not None and start < day < end else None

    return tuple(Holding(sign + claim.value, within(claim.valid_from), within(claim.valid_to)) for claim in claims)


def _own_network(key: str) -> tuple[Holding, ...]:
    found = _OWN_NETWORK.fullmatch(key)
    return (Holding(f"AS{found[1]}", None, None),) if found else ()


def export(session: Session, settings: Settings, key: SigningKey, *, anew: bool = False) -> ReleaseIndex:
    """Bring the publications folder to what is published now; `anew`: also the files of versions that are there.

    Raises MonitorError where it cannot be written, ConfigurationError where the audit trail does not name the key.
    """
    folder = settings.publications
    keep_public_key(key, settings.public_keys)
    keys = trusted_keys(session, settings.public_keys)
    if key.fingerprint not in keys:
        raise ConfigurationError(
            "the audit trail does not name the signing key: restore the right one, or `monitor keys signing --replace`"
        )
    try:
        with alone(folder):
            there = {} if anew else _intact(folder)
            editions = [there.get(edition) or _write(session, edition, folder) for edition in published_in(session)]
            write_index(folder, editions, keys, key)
    except OSError as error:
        raise MonitorError(f"{folder}: cannot write what the site reads: {error.strerror}") from error
    return ReleaseIndex(tuple(editions), keys)


def published_in(session: Session) -> list[ReleaseVersion]:
    """Every published version, as the database has it: latest period first, newest version first."""
    corrects = Release.manifest["corrects"]
    columns = (Release.period, Release.version, Release.published_at, Release.manifest_sha256)
    query = (
        select(*columns, corrects["version"].as_integer(), corrects["reason"].as_string(), Release.hearing_waived)
        .where(Release.stage == Stage.PUBLISHED)
        .order_by(Release.period.desc(), Release.version.desc())
    )
    return [ReleaseVersion(*row) for row in session.execute(query)]


def missing(session: Session, settings: Settings) -> list[ReleaseVersion]:
    """The published versions that the publications folder does not have; all of them where its index is damaged."""
    try:
        index = read_index(settings.publications) or ReleaseIndex()
    except NotIntactError:
        index = ReleaseIndex()
    return [edition for edition in published_in(session) if edition not in index.editions]


def index_problems(session: Session, settings: Settings) -> list[str]:
    """What the index says otherwise than the database, and what is wrong with the files it names."""
    try:
        index = read_index(settings.publications)
    except NotIntactError as error:
        return [str(error)]
    if index is None:
        return []
    known, trusted = published_in(session), trusted_keys(session, settings.public_keys)
    shown = index.editions
    problems = [f"{subject_of(e.period, e.version)}: the site does not show it yet" for e in known if e not in shown]
    problems += [f"{subject_of(e.period, e.version)}: the site shows something else" for e in shown if e not in known]
    if set(index.keys) - set(trusted):
        problems.append("it names a public key that the audit trail does not know")
    return problems + [
        f"{subject_of(edition.period, edition.version)}: {file.name} is not what was written"
        for edition in shown
        for file in edition.files
        if not _is_there(settings.publications, edition, file)
    ]


def _intact(folder: Path) -> dict[ReleaseVersion, ReleaseVersion]:
    """The versions whose files need not be written again."""
    try:
        index = read_index(folder) or ReleaseIndex()
    except NotIntactError:
        return {}
    return {e: e for e in index.editions if all(_is_there(folder, e, file) for file in e.files)}


def _is_there(publications: Path, edition: ReleaseVersion, file: PublishedFile) -> bool:
    path = publications / SITE / edition.folder / file.name
    try:
        return SHARED.of(path, "sha256", lambda: sha256_of(path)) == file.sha256
    except OSError:
        return False


def _write(session: Session, edition: ReleaseVersion, folder: Path) -> ReleaseVersion:
    named = (Release.period == edition.period, Release.version == edition.version)
    release = session.scalars(select(Release).where(*named)).one()
    table = public_table(load_table(session, release))
    return write_release(folder, edition, table, all_holdings(session, table))


def write_release(
    publications: Path, edition: ReleaseVersion, table: PublicTable, holdings: Mapping[str, Holdings]
) -> ReleaseVersion:
    """Write the files of a version, unless they are there; the version with its companies and files."""
    files = release_files(table, holdings)
    listed = tuple(PublishedFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items())
    digest = hashlib.sha256("".join(file.sha256 for file in listed).encode()).hexdigest()[:16]
    written = replace(
        edition,
        companies=tuple(row.company for row in table.rows),
        hash_hits=tuple(row.company for row in table.hash_hits.rows) if table.hash_hits else (),
        folder=f"{edition.name}.{digest}",
        files=listed,
    )
    make_public_folder(publications / SITE)
    target = publications / SITE / written.folder
    if not all(_is_there(publications, written, file) for file in listed):
        shutil.rmtree(target, ignore_errors=True)
        write_folder(files, target)
    return written


def release_files(table: PublicTable, holdings: Mapping[str, Holdings]) -> dict[str, bytes]:
    """The files of a version by name; the same table gives the same bytes. The rows have their curves."""
    curves, places = _curves(table)
    files = {
        RELEASE: _json({"table": _table(table), "curves": places, "holdings": _holdings_json(holdings)}),
        CURVES: curves,
    }
    for language in LANGUAGES:
        drawn = {name: _figure(figure) for name, figure in release_figures(table, language).items()}
        files[pictures_file(language)] = _json(drawn)
    return files


def _curves(table: PublicTable) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """The curves of all companies, one a line, and where that of each company lies."""
    content, places = bytearray(), {}
    for row in table.rows:
        if row.figures is not None:
            names = [field.name for field in fields(row.figures.curve[0])] if row.figures.curve else []
            line = _json([[getattr(point, name) for name in names] for point in row.figures.curve])
            places[row.company] = (len(content), len(line))
            content += line + b"\n"
    return bytes(content), places


def _table(table: PublicTable) -> dict[str, Any]:
    """The table as plain data, without the curves of its companies; the method by its name."""
    rows = (row if row.figures is None else replace(row, figures=replace(row.figures, curve=())) for row in table.rows)
    parts = {name: getattr(table, name) for name in ("totals", "flows", "norms")}
    return {
        "method": table.method.version,
        "scored_kinds": table.method.scored_kinds,
        "as_of": table.as_of,
        "known_at": table.known_at,
        "period": table.period,
        "rows": list(map(asdict, rows)),
        "network": asdict(table.network),
        **{name: None if part is None else list(map(asdict, part)) for name, part in parts.items()},
        "unattributed": asdict(table.unattributed),
        "below": table.below,
        "quality": table.quality and asdict(table.quality),
        "hash_hits": table.hash_hits and _table(table.hash_hits),
        **({} if table.groups is None else {"groups": list(map(_group, table.groups))}),
        **({} if table.earlier is None else {"earlier": asdict(table.earlier)}),
    }


def _group(group: Group) -> dict[str, Any]:
    """A group without its curve, which no page draws."""
    return asdict(replace(group, figures=replace(group.figures, curve=())))


def _holdings_json(holdings: Mapping[str, Holdings]) -> dict[str, Any]:
    kinds = ("aliases", "networks", "ranges")
    return {
        key: {kind: list(map(_holding, getattr(held, kind))) for kind in kinds} | {"narrower": held.narrower}
        for key, held in holdings.items()
    }


def _holding(held: Holding) -> list[str | None]:
    return [held.value, *(None if day is None else day.isoformat() for day in (held.begins, held.ends))]


def _figure(figure: Chart) -> dict[str, Any]:
    return {
        "title": figure.title,
        "description": figure.description,
        "columns": figure.columns,
        "rows": figure.rows,
        "wide": str(figure.draw(DRAWING_ID, WIDE)),
        "narrow": str(figure.draw(DRAWING_ID, NARROW)),
    }


def write_index(publications: Path, editions: Sequence[ReleaseVersion], keys: Collection[str], key: SigningKey) -> None:
    """Sign the list of all versions and put it in force at one stroke; what only older lists name is removed."""
    content = _index(editions, keys, key.fingerprint)
    name = f".{LINK}.{hashlib.sha256(content).hexdigest()[:16]}"
    link = publications / LINK
    before = link.readlink().name if link.is_symlink() else ""
    files = {INDEX: content, INDEX_SIGNATURE: key.sign(content)}
    if any(_read_or_none(publications / name / file) != expected for file, expected in files.items()):
        shutil.rmtree(publications / name, ignore_errors=True)
        write_folder(files, publications / name)
    turn(link, name)
    _sweep(publications, {name, before})


def _index(editions: Sequence[ReleaseVersion], keys: Collection[str], fingerprint: str) -> bytes:
    releases = [
        {
            "period": edition.period,
            "version": edition.version,
            "published_at": iso(to_instant(edition.published_at)) if edition.published_at else None,
            "manifest_sha256": edition.manifest_sha256,
            "corrects": edition.corrects,
            "reason": edition.reason,
            "hearing_waived": edition.hearing_waived,
            "companies": edition.companies,
            "hash_hits": edition.hash_hits,
            "folder": edition.folder,
            "files": {file.name: {"bytes": file.size, "sha256": file.sha256} for file in edition.files},
        }
        for edition in editions
    ]
    said = {"format": FORMAT, "public_key_sha256": fingerprint, "keys": sorted(keys), "releases": releases}
    return f"{json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False)}\n".encode()


def _read_or_none(path: Path) -> bytes | None:
    try:
        return read_regular(path)
    except OSError:
        return None


def _sweep(publications: Path, kept: Collection[str]) -> None:
    """Remove what neither the present index names nor the one before it, which a worker may still be reading."""
    named = set[str]()
    for name in kept:
        with suppress(ValueError, KeyError, TypeError):  # the one before may be damaged
            content = json.loads(_read_or_none(publications / name / INDEX) or b"")
            named |= {release["folder"] for release in content["releases"]}
    old = [path for path in publications.glob(f".{LINK}.*") if path.is_dir() and path.name not in kept]
    old += [path for path in (publications / SITE).glob("*") if path.name not in named]
    for path in old:
        shutil.rmtree(path)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
