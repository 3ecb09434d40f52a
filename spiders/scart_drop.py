"""A folder, local or on the web, into which a hotline drops its SCART exports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urljoin

from scrapy import Request
from scrapy.http import Response, TextResponse

from monitor.disk import DiskFullError
from monitor.errors import DeliveryError
from monitor.settings import Source
from spiders.collection_run import Fetched
from spiders.collector import Collector, Wanted, refusal
from spiders.directory import files_in, irregular_in, sealed_copy, still_growing, validators_of
from spiders.location import on_the_web
from spiders.names import exports, format_of, stamp_of

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
