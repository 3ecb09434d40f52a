"""The one pipeline: ingests a fetched delivery, in a transaction of its own, and deletes the file."""

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
from monitor.ingest.delivery import DeliveryFile, ingest, read_ahead
from monitor.ingest.result import IngestResult
from monitor.instants import to_datetime
from monitor.vocabulary import Verdict
from spiders.collection_run import CollectionRun, Fetched
from spiders.collector import collector_of

# Where it is counted (None: it was known already), under which number, and how many rows it has.
Stored: TypeAlias = tuple[dict[int, int] | None, int, int]

_log = logging.getLogger(__name__)


class PendingReviewError(MonitorError):
    """A delivery that is suspicious: a person must decide."""


class IngestPipeline:
    """Ingests deliveries, one after the other. Failures are noted in the outcome: Scrapy does not count them."""

    def __init__(self, run: CollectionRun) -> None:
        """Store what this run fetches."""
        self.run = run

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the run from the spider."""
        return cls(collector_of(crawler).run)

    async def process_item(self, item: Fetched) -> Fetched:
        """Store the delivery in a thread, so that the network goes on, and let the next one in."""
        try:
            await asyncio.to_thread(self._store, item)
        finally:
            item.file.path.unlink(missing_ok=True)
            self.run.slot.release()
        return item

    def _store(self, item: Fetched) -> None:
        outcome = self.run.outcome
        try:
            kept, identifier, rows = self._load_table(item) if item.format in READERS else self._ingest(item)
        except PendingReviewError as pending:
            outcome.pending.append(f"{item.label}: {pending}")
        except MonitorError as error:
            outcome.fail(item.label, str(error))
        except Exception as error:  # noqa: BLE001 -- Scrapy would log the message, which could quote a row
            full = full_disk(error, database_file(self.run.engine.url))
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

    def _ingest(self, item: Fetched) -> Stored:
        """Ingest a delivery; raises PendingReviewError or DeliveryError where it is on record and does not count."""
        run = self.run
        delivery_file = DeliveryFile(run.source, item.format, item.file, item.received_at)
        with read_ahead(run.engine, run.vault, delivery_file) as reader:

            def attempt() -> IngestResult:
                with transaction(run.engine) as session:
                    lock_writers(session)  # the clock is asked when nobody else writes
                    return ingest(session, run.vault, delivery_file, run.now(), reader=reader)

            result = reader.store(attempt)
        reasons = "; ".join(reason.text for reason in result.reasons)
        if result.verdict is Verdict.SUSPICIOUS:
            raise PendingReviewError(f"delivery {result.delivery} is pending review: {reasons}")
        if result.verdict is Verdict.REFUSED:
            raise DeliveryError(f"delivery {result.delivery} is refused: {reasons}")
        return None if result.repeated else run.outcome.ingested, result.delivery, result.rows

    def _load_table(self, item: Fetched) -> Stored:
        """Load a table of networks."""
        run, source = self.run, self.run.source
        dated = item.dated or to_datetime(item.received_at).date()
        file = TableFile(item.file, dated, item.format, source.minimum_rows, source.maximum_rows)
        table = read_table(file)  # before anybody has to wait for us
        with transaction(run.engine) as session:
            lock_writers(session)
            result = load_netblocks(session, file, to_datetime(run.now()), table=table)
        return None if result.repeated else run.outcome.tables, result.table, result.rows
