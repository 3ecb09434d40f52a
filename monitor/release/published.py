"""What is published, read from the publications folder alone: no database, no key.

`index` is a link to a folder with the signed list of all published versions (`index.json`, `index.json.sig`). Each
version has a folder under `site/` (`monitor.release.export` writes both), whose files are those of the hashes in the
list. What replaces the index is written beside it, and then the link is turned: a reader finds the old or the new one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias, TypeVar

from markupsafe import Markup

from monitor.charts.frame import NARROW, WIDE, Chart
from monitor.disclosure.network import CompetingNetwork, Network
from monitor.disclosure.rows import PublicTable, Row
from monitor.instants import iso, parse_instant, to_datetime, to_instant
from monitor.release.intact import SHARED, NotIntactError, read_regular, sha256_of
from monitor.release.publications import PublishedFile
from monitor.release.signing import is_signed, kept_public_keys
from monitor.score.methods import method
from monitor.score.table import SurvivalPoint, fields_from_json, from_json
from monitor.wording.language import Language

FORMAT = 1  # of the files; another one is written anew by `monitor release export`
LINK, INDEX, INDEX_SIGNATURE, SITE = "index", "index.json", "index.json.sig", "site"
RELEASE, CURVES = "release.json", "curves.jsonl"
DRAWING_ID = "figure-id-7c1f"  # in stored drawings, where a page puts a name of its own
EVERY = 1.0  # seconds between two looks of one worker
_KEPT = 32  # tables of a worker, about 4 MB each with 500 companies: five years and their corrections
_DERIVED = 4  # comparisons and the like, some MB each
_LOG = logging.getLogger("monitor.site")
T = TypeVar("T")

State: TypeAlias = tuple[object, ...]


def pictures_file(language: Language) -> str:
    """The name of the file with the pictures of a release in a language."""
    return f"pictures-{language}.json"


@dataclass(frozen=True, slots=True)
class Holding:
    """One name, network or range; the days are given only where it began or ended within the period."""

    value: str
    begins: date | None
    ends: date | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a company held in a period, as the registry knew it then; `narrower` ranges are not shown."""

    aliases: tuple[Holding, ...] = ()
    networks: tuple[Holding, ...] = ()
    ranges: tuple[Holding, ...] = ()
    narrower: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.aliases or self.networks or self.ranges or self.narrower)


@dataclass(frozen=True, slots=True)
class ReleaseVersion:
    """One published version of one period, without its table: the version it `corrects` and the `reason`, None for a
    first version; the keys of its companies, and of those in its table of hash hits; and the files it is read from.
    """

    period: str
    version: int
    published_at: datetime | None
    manifest_sha256: str
    corrects: int | None = None
    reason: str | None = None
    hearing_waived: str | None = None
    companies: tuple[str, ...] = field(default=(), compare=False, repr=False)
    hash_hits: tuple[str, ...] = field(default=(), compare=False, repr=False)
    folder: str = field(default="", compare=False, repr=False)
    files: tuple[PublishedFile, ...] = field(default=(), compare=False, repr=False)

    @property
    def name(self) -> str:
        """`2026Q2-v1`."""
        return f"{self.period}-v{self.version}"

    @property
    def published(self) -> str | None:
        """When it was published, in ISO 8601."""
        return iso(to_instant(self.published_at)) if self.published_at else None

    def as_json(self) -> dict[str, Any]:
        """Which version of which period, and the fingerprint of its manifest."""
        return {
            "period": self.period,
            "version": self.version,
            "published_at": self.published,
            "manifest_sha256": self.manifest_sha256,
        }


class Memo:
    """Values by key, the last used kept; safe for several threads.

    Who asks for a value that is being made waits for it; who asks for another does not.
    """

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value under that key, made where it is not kept; what `make` raises is not kept."""
        with self._lock:
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    kept: T = self._kept[key]
                    return kept
            made = make()
            with self._lock:
                self._kept[key] = made
                while len(self._kept) > self._most:
                    self._making.pop(self._kept.popitem(last=False)[0], None)
            return made


@dataclass(frozen=True, slots=True)
class ReleaseIndex:
    """All published versions: latest period first, newest version first; and the public keys that are believed.

    `derived` keeps what was worked out of several tables, as long as this index is in force.
    """

    editions: tuple[ReleaseVersion, ...] = ()
    keys: Mapping[str, bytes] = field(default_factory=dict, compare=False)
    derived: Memo = field(default_factory=lambda: Memo(_DERIVED), compare=False, repr=False)

    @property
    def newest(self) -> tuple[ReleaseVersion, ...]:
        """The newest version of each period."""
        return tuple({edition.period: edition for edition in reversed(self.editions)}.values())[::-1]

    @property
    def announced(self) -> tuple[ReleaseVersion, ...]:
        """The last made public first."""
        return tuple(sorted(self.editions, key=lambda e: (e.published or "", e.period, e.version), reverse=True))

    def versions(self, period: str) -> tuple[ReleaseVersion, ...]:
        """All versions of a period."""
        return tuple(edition for edition in self.editions if edition.period == period)

    def find(self, period: str, version: int | None) -> ReleaseVersion | None:
        """That version of a period, or its newest."""
        return next((e for e in self.versions(period) if version in (None, e.version)), None)

    def with_company(self, key: str) -> tuple[ReleaseVersion, ...]:
        """The newest version of each period that knows the company."""
        return tuple(edition for edition in self.newest if key in edition.companies)

    @property
    def with_hash_hits(self) -> tuple[ReleaseVersion, ...]:
        """The newest version of each period that has a company in the table of the hash hits."""
        return tuple(edition for edition in self.newest if edition.hash_hits)


def read_index(publications: Path) -> ReleaseIndex | None:
    """What is published; None where nothing was written yet. Raises NotIntactError where it is not what was signed."""
    link = publications / LINK
    if not link.is_symlink() and not link.exists():
        return None
    folder = link.resolve()
    try:
        content, signature = read_regular(folder / INDEX), read_regular(folder / INDEX_SIGNATURE)
    except OSError as error:
        raise NotIntactError(f"{INDEX} or its signature cannot be read ({error.strerror})") from error
    try:
        return _index(content, signature, kept_public_keys(publications / "keys"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotIntactError(f"{INDEX} is not what this program writes") from error


def _index(content: bytes, signature: bytes, kept: Mapping[str, bytes]) -> ReleaseIndex:
    said = json.loads(content)
    if said["format"] != FORMAT:
        raise NotIntactError(f"{INDEX} was written by another version of this program: run `monitor release export`")
    keys = {name: kept[name] for name in said["keys"] if name in kept}
    signer = said["public_key_sha256"]
    if signer not in keys:
        raise NotIntactError(f"{INDEX} is signed with a key that is not known here")
    if not is_signed(content, signature, keys[signer]):
        raise NotIntactError(f"{INDEX} is not what was signed")
    editions = sorted(map(_edition, said["releases"]), key=lambda e: (e.period, e.version), reverse=True)
    return ReleaseIndex(tuple(editions), keys)


def _edition(said: Mapping[str, Any]) -> ReleaseVersion:
    at = said["published_at"]
    return ReleaseVersion(
        period=said["period"],
        version=said["version"],
        published_at=to_datetime(parse_instant(at)) if at else None,
        manifest_sha256=said["manifest_sha256"],
        corrects=said["corrects"],
        reason=said["reason"],
        hearing_waived=said["hearing_waived"],
        companies=tuple(said["companies"]),
        hash_hits=tuple(said["hash_hits"]),
        folder=said["folder"],
        files=tuple(PublishedFile(name, about["bytes"], about["sha256"]) for name, about in said["files"].items()),
    )


@dataclass(frozen=True, slots=True)
class ReleaseContent:
    """What is kept in memory of a version: its table without the companies' curves, where the curve of each company
    lies (first byte and length), and what the registry knew of each.
    """

    table: PublicTable
    curves: Mapping[str, tuple[int, int]]
    holdings: Mapping[str, Holdings]


class Published:
    """The publications folder as one worker reads it: the newest index, and the tables last used; for several threads.

    It looks once in EVERY seconds whether the index was replaced, and then reads the new one. Where that is not what
    was signed, the one before stays.
    """

    def __init__(self, publications: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.publications, self._clock = publications, clock
        self._look = Lock()
        self._seen: State | None = None
        self._index: ReleaseIndex | None = None
        self._problem = ""
        self._due, self._count = clock(), 0
        self._contents = Memo(_KEPT)

    def state(self) -> int:
        """The number of the present state: it counts up whenever something published was seen to change."""
        if self._clock() >= self._due and self._look.acquire(blocking=self._seen is None):
            try:
                if self._clock() >= self._due:
                    self._due = self._clock() + EVERY
                    self._refresh()
            finally:
                self._look.release()
        return self._count

    def index(self) -> ReleaseIndex:
        """What is published now; raises NotIntactError while nothing was read that is what was signed."""
        self.state()
        if self._index is None:
            raise NotIntactError(self._problem)
        return self._index

    @property
    def problem(self) -> str:
        """What is wrong with the index that lies there now; empty where it is in force."""
        return self._problem

    def _refresh(self) -> None:
        seen = self._state()
        if seen == self._seen and not self._problem:
            return
        try:
            self._index, problem = read_index(self.publications) or ReleaseIndex(), ""
        except NotIntactError as error:
            problem = str(error)
            if problem != self._problem:
                shown = "what was read before is shown" if self._index else "nothing is shown"
                _LOG.error("the publications folder: %s; %s", problem, shown)
        if seen != self._seen:
            self._seen, self._count = seen, self._count + 1
        elif problem != self._problem:
            self._count += 1
        self._problem = problem

    def _state(self) -> State:
        """What changes whenever the index is replaced, or files are made of a release."""
        try:
            return (self.publications / LINK).resolve().name, self.publications.stat().st_mtime_ns
        except OSError:
            return (None, None)

    def table(self, edition: ReleaseVersion) -> PublicTable:
        """What may be shown of a version; companies without their curve. Raises MonitorError where it is damaged."""
        return self._content(edition).table

    def row(self, edition: ReleaseVersion, key: str) -> Row | None:
        """One company with its curve."""
        content = self._content(edition)
        row = content.table.find(key)
        if row is None or row.figures is None:
            return row
        begin, length = content.curves[key]
        with self._checked(edition, CURVES).open("rb") as file:
            file.seek(begin)
            curve = read_curve(json.loads(file.read(length)))
        return replace(row, figures=replace(row.figures, curve=curve))

    def holdings(self, edition: ReleaseVersion, key: str) -> Holdings:
        """What the registry lets the public know of a company."""
        return self._content(edition).holdings.get(key, Holdings())

    def pictures(self, edition: ReleaseVersion, language: Language) -> Mapping[str, Chart]:
        """The pictures of a version by name, drawn when it was published."""
        data = json.loads(self._bytes(edition, pictures_file(language)))
        return {name: _figure(name, drawn) for name, drawn in data.items()}

    def _content(self, edition: ReleaseVersion) -> ReleaseContent:
        return self._contents.get(edition.folder, lambda: read_content(self._bytes(edition, RELEASE)))

    def _file(self, edition: ReleaseVersion, name: str) -> tuple[Path, str]:
        """Where a file of a version lies, and its hash; NotIntactError for one that the index does not name."""
        file = next((file for file in edition.files if file.name == name), None)
        if file is None:
            raise NotIntactError(f"{edition.name} has no {name}: run `monitor release export`")
        return self.publications / SITE / edition.folder / name, file.sha256

    def _bytes(self, edition: ReleaseVersion, name: str) -> bytes:
        path, sha256 = self._file(edition, name)
        try:
            content = read_regular(path)
        except OSError as error:
            raise NotIntactError(f"{edition.name}: {name} cannot be read ({error.strerror})") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise NotIntactError(f"{edition.name}: {name} is not what was written")
        return content

    def _checked(self, edition: ReleaseVersion, name: str) -> Path:
        """A file that is read in part: it is held against its hash whenever it may have changed."""
        path, sha256 = self._file(edition, name)
        try:
            same = SHARED.of(path, "sha256", lambda: sha256_of(path)) == sha256
        except OSError as error:
            raise NotIntactError(f"{edition.name}: {name} cannot be read ({error.strerror})") from error
        if not same:
            raise NotIntactError(f"{edition.name}: {name} is not what was written")
        return path

    def damaged(self, edition: ReleaseVersion) -> str:
        """What is wrong with the files that a version is read from; empty where nothing is."""
        try:
            for file in edition.files:
                self._checked(edition, file.name)
        except NotIntactError as error:
            return str(error)
        return ""


def read_content(content: bytes) -> ReleaseContent:
    """A version as `monitor.release.export` wrote it; raises MonitorError where its method is not known."""
    try:
        said = json.loads(content)
        return ReleaseContent(
            table=_table(said["table"]),
            curves={key: (begin, length) for key, (begin, length) in said["curves"].items()},
            holdings={key: _holdings(held) for key, held in said["holdings"].items()},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise NotIntactError(f"{RELEASE} is not what this program writes") from error


def _table(said: Mapping[str, Any]) -> PublicTable:
    rules = method(said["method"]).of_kinds(tuple(said["scored_kinds"]))
    hits, network = said["hash_hits"], CompetingNetwork if rules.competing_risks else Network
    own: dict[str, Any] = {
        "method": rules,
        "network": from_json(network, said["network"]),
        "hash_hits": None if hits is None else _table(hits),
    }
    rest = {name: value for name, value in said.items() if name not in own}
    return PublicTable(**fields_from_json(PublicTable, rest), **own)


def read_curve(points: Sequence[Sequence[Any]]) -> tuple[SurvivalPoint, ...]:
    """A curve from its points, each a list of values."""
    return tuple(SurvivalPoint(*point) for point in points)


def _holdings(said: Mapping[str, Any]) -> Holdings:
    kinds = {kind: tuple(_holding(*item) for item in said[kind]) for kind in ("aliases", "networks", "ranges")}
    return Holdings(**kinds, narrower=said["narrower"])


def _holding(value: str, begins: str | None, ends: str | None) -> Holding:
    return Holding(value, begins and date.fromisoformat(begins), ends and date.fromisoformat(ends))  # type: ignore[arg-type]


def _figure(name: str, said: Mapping[str, Any]) -> Chart:
    drawings = {WIDE: said["wide"], NARROW: said["narrow"]}
    return Chart(
        name=name,
        title=said["title"],
        description=said["description"],
        columns=tuple(said["columns"]),
        rows=tuple(map(tuple, said["rows"])),
        draw=lambda id_, width: Markup(drawings[int(width)].replace(DRAWING_ID, id_)),  # noqa: S704 -- drawn by us
    )
