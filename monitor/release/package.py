"""The open data of a release as one package: made from the release alone, signed, the same bytes whenever it is made.

The manifest in it tells what the release was made from without any hash of what is not published: the hash of a few
withheld figures could be guessed back (docs/open-data.md).
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from monitor.disclosure.anonymised import companies_csv, public_episodes, write_csv
from monitor.disclosure.rows import PublicTable, public_table
from monitor.errors import MonitorError
from monitor.instants import is_quarter
from monitor.models.release import Release, Stage
from monitor.release.draft import COMPARED
from monitor.release.publications import MANIFEST, SIGNATURE, Package
from monitor.release.publish import check
from monitor.release.signing import SigningKey
from monitor.release.store import load_table, load_table_without_curves, published_until
from monitor.release.verify import method_of, request_of
from monitor.score.methods import HASH_HITS
from monitor.score.pipeline import Request, scored_episodes
from monitor.score.recompute import recompute
from monitor.score.table import Table
from monitor.settings import Settings
from monitor.tables.data_package import About, descriptor, readme_files
from monitor.tables.open_data import Sheet, sheets_of, trend_sheet
from monitor.wording.language import Message
from monitor.wording.parameters import method_files

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
    """Whether the figures are the published ones, and the flows and norms where the release has them.

    The legal entities stand in the ranking only: no figure is made from them.
    """
    figures = tuple(replace(row.figures, legal=None) for row in published.rows if row.figures is not None)
    return (
        found.companies == figures
        and found.groups == published.groups
        and published.flows in (None, found.flows)
        and published.norms in (None, found.norms)
    )


SUMS, PUBLIC_KEY = "SHA256SUMS", "public-key.pem"
Documents: TypeAlias = Callable[[], Mapping[str, bytes]]
_TOLD = ("period", "as_of", "known_at", "method", "parameters", "parameters_sha256", "code_version", "corrects",
         COMPARED)  # fmt: skip
_TITLES = {
    EPISODES: Message("The anonymised episodes"),
    COMPANIES: Message("Names, and what the episodes do not say"),
}


def about(release: Release, settings: Settings) -> About:
    """What is said of a published release; raises MonitorError for a draft."""
    if release.stage is not Stage.PUBLISHED or release.published_at is None:
        raise MonitorError(f"release {release.period} version {release.version} is not published")
    return About(
        release.period,
        release.version,
        release.published_at,
        str(release.manifest["method"]),
        settings.site_name,
        settings.licence,
        settings.site_address,
        settings.demonstration,
    )


def build(session: Session, release: Release, settings: Settings, key: SigningKey, documents: Documents) -> Package:
    """The whole package, with the documents (the report) in it: they are asked for last, and can be made meanwhile.

    Raises MonitorError where the release is no longer what was frozen, or its table does not come out of its episodes.
    """
    said = about(release, settings)
    if problems := check(session, release):
        raise MonitorError(f"the release is not what was frozen: {problems[0]}; see `monitor release verify`")
    table = public_table(load_table(session, release))
    sheets = [*_sheets(table), *_trend(session, release, table), *_recomputable(session, release, table)]
    files = {sheet.name: sheet.content for sheet in sheets} | method_files(method_of(release))
    files |= {"datapackage.json": _json(descriptor(said, sheets)), PUBLIC_KEY: key.public_pem, **documents()}
    files |= readme_files(said, key.fingerprint)
    files[SUMS] = "".join(f"{_sha256(content)}  {name}\n" for name, content in sorted(files.items())).encode()
    files[MANIFEST] = _json(manifest(said, release, key.fingerprint, files))
    files[SIGNATURE] = key.sign(files[MANIFEST])
    files[f"{SIGNATURE}.base64"] = base64.b64encode(files[SIGNATURE]) + b"\n"
    ordered = dict(sorted(files.items()))
    return Package(said, key.fingerprint, {**ordered, f"{said.name}.zip": _zip(said, ordered)})


def manifest(about: About, release: Release, fingerprint: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What the release was made from, and the size and SHA-256 of each file; its bytes are what is signed."""
    made_from = release.manifest
    inputs = {name: len(value) if isinstance(value, list) else value for name, value in made_from["inputs"].items()}
    return {
        "release": {
            **{name: made_from[name] for name in _TOLD if name in made_from},
            "version": about.version,
            "published_at": about.published_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "hearing_waived": release.hearing_waived,
            "inputs": inputs,
            "manifest_sha256": release.manifest_sha256,
        },
        "signature": {"algorithm": "Ed25519", "public_key_sha256": fingerprint},
        "files": {name: {"bytes": len(content), "sha256": _sha256(content)} for name, content in sorted(files.items())},
    }


def _sheets(table: PublicTable) -> list[Sheet]:
    hits = [] if table.hash_hits is None else [_of_hits(sheet) for sheet in sheets_of(table.hash_hits)]
    return [*sheets_of(table), *hits]


def _trend(session: Session, release: Release, table: PublicTable) -> list[Sheet]:
    """The quarters up to this one, each in the newest version that was public when this release came out."""
    if not is_quarter(table.period):
        return []
    newest = {other.period: other for other in published_until(session, release)} | {release.period: release}
    return [trend_sheet([table if each is release else _without_parts(session, each) for each in newest.values()])]


def _without_parts(session: Session, release: Release) -> PublicTable:
    return public_table(load_table_without_curves(session, release.id, parts=False))


def _of_hits(sheet: Sheet) -> Sheet:
    return replace(sheet, name=f"{HASH_HIT_FILES}{sheet.name}", hits=True)


def _recomputable(session: Session, release: Release, table: PublicTable) -> list[Sheet]:
    """The files from which anyone gets the table again, of the notices and of the hash hits."""
    with tempfile.TemporaryDirectory() as folder:
        write_tables(session, request_of(release), table, Path(folder))
        made = {name: (Path(folder) / name).read_bytes() for name in files_of(table)}
    sheets = (Sheet(name, _TITLES[name.removeprefix(HASH_HIT_FILES)], content) for name, content in made.items())
    return [replace(sheet, hits=sheet.name.startswith(HASH_HIT_FILES)) for sheet in sheets]


def _zip(about: About, files: Mapping[str, bytes]) -> bytes:
    """The files in a folder, in their order and dated as the release was published, so that the bytes never differ."""
    packed = io.BytesIO()
    dated = about.published_at.timetuple()[:6]
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{about.name}/{name}", dated)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


def _json(value: object) -> bytes:
    return f"{json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)}\n".encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
