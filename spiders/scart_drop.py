"""A folder, local or on the web, into which a hotline drops its exports: their names, and when one is complete."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urljoin

from scrapy import Request
from scrapy.http import Response, TextResponse

from monitor.disk import DiskFullError, writing
from monitor.errors import DeliveryError
from monitor.formats.catalogue import FORMATS
from monitor.formats.files import open_regular
from monitor.ingest.sealed_files import PIECE, SealedFile, seal
from monitor.settings import Source
from monitor.vault import Vault
from spiders.collection_run import Fetched, Validators
from spiders.collector import Collector, Wanted, on_the_web, refusal

# Reads the format and the time of receipt from the name of an exported file.

_TABLE = re.compile(r"[^.].*\.(csv|json|jsonl)(\.gz|\.zst)?", re.IGNORECASE)
_ABOUT_ITEMS = re.compile(r"scart[-_. ](whois|all|report)(?![a-z])")  # alone, "all" and "report" name anything
_STAMP = re.compile(r"\d{8}T\d{6}Z")
_FUTURE = 300  # seconds by which another clock may run ahead of ours


def format_of(name: str) -> str | None:
    """The format of a file: of a SCART export as SCART names it, else any that is named; None where none is."""
    lowered = name.lower()
    if "ntdclosed" in lowered:
        return "scart-ntdclosed"
    if "ntd" in lowered:
        return "scart-ntd"
    about_items = _ABOUT_ITEMS.search(lowered)
    if about_items:
        return f"scart-{about_items[1]}"
    return next((known for known in FORMATS if known in lowered and not known.startswith("scart-")), None)


def exports(names: Iterable[str]) -> tuple[list[str], int]:
    """The names of exports, oldest first, and how many other tables there are, whose names say no format."""
    tables = sorted({name for name in names if _TABLE.fullmatch(name)})
    found = [name for name in tables if format_of(name)]
    return found, len(tables) - len(found)


def stamp_of(name: str, now: int) -> int | None:
    """The instant of the stamp a name starts with, or None where it has none.

    Raises ValueError for a stamp that is no time, or lies in the future: every removal would seem too late.
    """
    stamp = _STAMP.match(name)
    if stamp is None:
        return None
    try:
        moment = datetime.strptime(stamp[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("its name starts with a time that does not exist") from None
    if moment.timestamp() > now + _FUTURE:
        raise ValueError("its name starts with a time in the future")
    return int(moment.timestamp())


# Reads a local folder: lists its files, sees which are still being written, and copies one if it is unchanged.


def files_in(folder: Path) -> list[str]:
    """The names of the plain files in a folder; a symbolic link could lead anywhere and is none."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]


def irregular_in(folder: Path) -> list[str]:
    """The names of what lies in a folder and is neither a plain file nor a folder: links, pipes, devices, sockets."""
    with os.scandir(folder) as entries:
        return [e.name for e in entries if not e.is_file(follow_symlinks=False) and not e.is_dir(follow_symlinks=False)]


def validators_of(path: Path) -> Validators:
    """What changes when a file does."""
    state = path.stat(follow_symlinks=False)
    return {"size": str(state.st_size), "mtime_ns": str(state.st_mtime_ns)}


def still_growing(state: Validators, now: float, settle_seconds: float) -> bool:
    """Whether a file was written to so short a time ago that its sender may not be done."""
    return abs(now - int(state["mtime_ns"]) / 1e9) < settle_seconds


def sealed_copy(origin: Path, target: Path, before: Validators, vault: Vault) -> SealedFile | None:
    """Copy a file piece by piece into a sealed one; None, with no copy left, where it changed meanwhile.

    Raises OSError, DiskFullError where there is no room for the copy, and DeliveryError where it is no regular file by
    now: a link could lead anywhere, a pipe would keep us waiting.
    """
    with writing(target):
        copy = seal(_pieces_of(origin), target, vault)
    try:
        unchanged = validators_of(origin) == before
    except OSError:
        target.unlink()
        raise
    if unchanged:
        return copy
    target.unlink()
    return None


def _pieces_of(origin: Path) -> Iterator[bytes]:
    with open_regular(origin, follow_links=False) as file:
        while piece := file.read(PIECE):
            yield piece


# A folder, local or on the web, into which a hotline drops its SCART exports.

SOURCE = Source(
    "scart_drop",
    publisher="the hotline",
    format="scart",  # each file's name says which export it is
    location="",  # the operator's: a directory, or https://host/folder/
    zone=None,  # the operator's: SCART writes local times without saying which
    recheck_gap_hours=5,
    cadence_minutes=60,
    minimum_rows=1,
    maximum_rows=5_000_000,
)
NAMED_BY = "ntd, ntdclosed, scart-whois, scart-all, scart-report or another format"


class ScartDropSpider(Collector):
    """Fetches the exports that are new, oldest name first."""

    name = SOURCE.name
    SOURCE = SOURCE

    async def start(self) -> AsyncIterator[Fetched | Request]:
        """The new files of the directory, or the request for the listing of the web folder."""
        if on_the_web(self.run.source.location):
            headers = self.location.headers
            yield Request(_folder(self.location.address), self.list_folder, errback=self.give_up, headers=headers)
            return
        folder = Path(self.run.source.location)
        names = self._names(folder)
        for name in names:
            await self.run.slot.acquire()
            fetched = self._fetch(folder / name, names)
            if fetched is None:
                self.run.slot.release()
            else:
                yield fetched
        # Stay until the last is stored and a moment longer: the engine looks once when we are done, and then only
        # every five seconds.
        async with self.run.slot:
            self.run.outcome.complete = True
            await asyncio.sleep(0.1)

    def list_folder(self, response: Response) -> Iterator[Request]:
        """Ask for every export the listing links to, the oldest first."""
        outcome = self.run.outcome
        if response.status != 200 or not isinstance(response, TextResponse):
            outcome.fail("the folder", refusal(response) if response.status != 200 else "this is no listing")
            return
        linked = dict(_linked(response))
        found, outcome.unnamed = exports(linked)
        if not found:
            outcome.fail("the folder", f"its listing names no export: .csv or .json with {NAMED_BY}")
        for position, name in enumerate(found):
            wanted = self._wanted(name, linked[name], found)
            if wanted:
                yield self.ask(wanted, -position)
        outcome.complete = True

    def _wanted(self, name: str, address: str, names: Sequence[str]) -> Wanted | None:
        """What to fetch; None, and a failure noted, where the name promises what cannot be."""
        label = self._label(name, names)
        try:
            stamp = stamp_of(name, self.run.now())
        except ValueError as error:
            self.run.outcome.refuse(label, str(error))
            return None
        return Wanted(label, address, format_of(name) or "", self.run.key_of(address), stamp)

    def _label(self, name: str, names: Sequence[str]) -> str:
        """A file by its place among the exports, in the order of their names, and a keyed hash: a name may be a URL."""
        keyed = self.run.vault.digest(f"file name {name}").hex()[:8]
        return f"export {names.index(name) + 1} of {len(names)} ({format_of(name)}, {keyed})"

    def _names(self, folder: Path) -> list[str]:
        outcome = self.run.outcome
        try:
            found, outcome.unnamed = exports(files_in(folder))
            irregular, _ = exports(irregular_in(folder))
        except OSError as error:
            outcome.fail("the folder", f"cannot be read ({error.strerror})")
            return []
        for name in irregular:
            why = "it is not a regular file but a link, pipe or device; put the file itself there"
            outcome.refuse(self._label(name, irregular), why)
        return found

    def _fetch(self, path: Path, names: Sequence[str]) -> Fetched | None:
        """A sealed copy of the file; None where it is known, still growing, or cannot be read."""
        outcome, key = self.run.outcome, self.run.key_of(str(path))
        wanted = self._wanted(path.name, str(path), names)
        if wanted is None:
            return None
        now = self.run.now()
        target = self.run.new_path()
        try:
            state = validators_of(path)
            if self.run.remembered.get(key) == state:
                outcome.expected += 1
                self.run.keep(key)
                return None
            growing = still_growing(state, now, self.run.settle_seconds)
            copy = None if growing else sealed_copy(path, target, state, self.run.vault)
        except (OSError, DeliveryError, DiskFullError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            outcome.refuse(wanted.label, f"could not be copied ({why})")
            return None
        if copy is None:
            outcome.growing += 1
            return None
        outcome.expected += 1
        received = now if wanted.received_at is None else wanted.received_at
        return Fetched(wanted.label, copy, wanted.format, received, key, state)


def _folder(address: str) -> str:
    return address.rstrip("/") + "/"


def _linked(response: TextResponse) -> Iterator[tuple[str, str]]:
    """Name and address of each file the listing links to in its own folder, and in no other place."""
    base = _folder(response.url)
    for link in response.css("a::attr(href)").getall():
        address = urljoin(base, link.strip())
        name = address.removeprefix(base)
        if address.startswith(base) and "/" not in name and "?" not in name:
            yield unquote(name), address
