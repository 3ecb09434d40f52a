"""The one pipeline: hands a fetched delivery to the intake, in a transaction of its own, and deletes the file."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Self, TypeAlias

from scrapy.crawler import Crawler

from monitor.attribute.netblocks import READERS, TableFile, load_netblocks, read_table
from monitor.db import database_file, lock_writers, transaction
from monitor.disk import full_disk
from monitor.errors import DeliveryError, MonitorError
from monitor.ingest.delivery import DeliveryFile, IngestResult, ingest, read_ahead
from monitor.instants import to_datetime
from monitor.vocabulary import Verdict
from spiders.collector import collector_of
from spiders.trip import Fetched, Trip

# Where it is counted (None: it was known already), under which number, and how many rows it has.
Stored: TypeAlias = tuple[dict[int, int] | None, int, int]

_log = logging.getLogger(__name__)


class WaitsError(MonitorError):
    """A delivery that nothing is wrong with for certain: a person must decide."""


class Intake:
    """Takes deliveries in, one after the other. Scrapy calls a run in which every item fails a success: we do not."""

    def __init__(self, trip: Trip) -> None:
        """Store what this trip brings."""
        self.trip = trip

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the trip from the spider."""
        return cls(collector_of(crawler).trip)

    async def process_item(self, item: Fetched) -> Fetched:
        """Store the delivery in a thread, so that the network goes on, and let the next one in."""
        try:
            await asyncio.to_thread(self._store, item)
        finally:
            item.file.path.unlink(missing_ok=True)
            self.trip.turn.release()
        return item

    def _store(self, item: Fetched) -> None:
        outcome = self.trip.outcome
        try:
            kept, identifier, rows = self._load(item) if item.format in READERS else self._take(item)
        except WaitsError as waiting:
            outcome.held.append(f"{item.label}: {waiting}")
        except MonitorError as error:
            outcome.fail(item.label, str(error))
        except Exception as error:  # noqa: BLE001 -- Scrapy would log the message, which could quote a row
            full = full_disk(error, database_file(self.trip.engine.url))
            if full is None:
                frames = "".join(traceback.format_tb(error.__traceback__))
                _log.error("a delivery could not be stored: %s\n%s", type(error).__name__, frames)
            outcome.fail(item.label, f"could not be stored ({full or type(error).__name__})")
        else:
            outcome.validators[item.key] = item.validators
            if kept is None:
                outcome.known += 1
            else:
                kept[identifier] = rows

    def _take(self, item: Fetched) -> Stored:
        """Take a delivery in; raises WaitsError or DeliveryError where it does not count, after it is on record."""
        trip = self.trip
        delivery_file = DeliveryFile(trip.source, item.format, item.file, item.received_at)
        with read_ahead(trip.engine, trip.vault, delivery_file) as reader:

            def attempt() -> IngestResult:
                with transaction(trip.engine) as session:
                    lock_writers(session)  # the clock is asked when nobody else writes
                    return ingest(session, trip.vault, delivery_file, trip.now(), reader=reader)

            answer = reader.store(attempt)
        reasons = "; ".join(reason.text for reason in answer.reasons)
        if answer.verdict is Verdict.SUSPICIOUS:
            raise WaitsError(f"delivery {answer.delivery} waits for a person: {reasons}")
        if answer.verdict is Verdict.REFUSED:
            raise DeliveryError(f"delivery {answer.delivery} is refused: {reasons}")
        return None if answer.repeated else trip.outcome.taken, answer.delivery, answer.rows

    def _load(self, item: Fetched) -> Stored:
        """Load a table of networks."""
        trip, source = self.trip, self.trip.source
        dated = item.dated or to_datetime(item.received_at).date()
        file = TableFile(item.file, dated, item.format, source.minimum_rows, source.maximum_rows)
        table = read_table(file)  # before anybody has to wait for us
        with transaction(trip.engine) as session:
            lock_writers(session)
            answer = load_netblocks(session, file, to_datetime(trip.now()), table=table)
        return None if answer.repeated else trip.outcome.tables, answer.table, answer.rows
