"""The one pipeline: hands a fetched delivery to the intake, in a transaction of its own, and deletes the file."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Self

from scrapy.crawler import Crawler

from monitor.db import transaction
from monitor.errors import DeliveryError, MonitorError
from monitor.ingest.answer import Answer
from monitor.ingest.take import Parcel
from monitor.intake import take_in
from monitor.settings import Source
from spiders.collector import collector_of
from spiders.trip import Fetched, Trip

_log = logging.getLogger(__name__)


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
            item.path.unlink(missing_ok=True)
            self.trip.turn.release()
        return item

    def _store(self, item: Fetched) -> None:
        outcome = self.trip.outcome
        try:
            answer = self._take(item)
        except MonitorError as error:
            outcome.fail(item.label, str(error).removeprefix(f"{item.path.name}: "))
        except Exception as error:  # noqa: BLE001 -- Scrapy would log the message, which could quote a row
            frames = "".join(traceback.format_tb(error.__traceback__))
            _log.error("a delivery could not be stored: %s\n%s", type(error).__name__, frames)
            outcome.fail(item.label, f"could not be stored ({type(error).__name__})")
        else:
            outcome.validators[item.key] = item.validators
            if answer.repeated:
                outcome.known += 1
            else:
                outcome.taken[answer.delivery] = answer.rows

    def _take(self, item: Fetched) -> Answer:
        trip = self.trip
        parcel = Parcel(trip.source, item.format, item.path, item.received_at)
        with transaction(trip.engine) as session:
            answer = take_in(session, trip.vault, parcel, trip.now())
            if not answer.repeated:
                refuse_incomplete(answer, trip.source)
        return answer


def refuse_incomplete(answer: Answer, source: Source) -> None:
    """Raise DeliveryError, which rolls the delivery back, where its rows are too few, too many, or all unreadable."""
    if answer.rows < source.minimum_rows:
        raise DeliveryError(f"too few rows: {answer.rows}, at least {source.minimum_rows} expected")
    if source.maximum_rows is not None and answer.rows > source.maximum_rows:
        raise DeliveryError(f"too many rows: {answer.rows}, at most {source.maximum_rows} expected")
    if answer.rows and not answer.accepted + answer.duplicate:
        reasons = ", ".join(f"{count} {reason}" for reason, count in answer.quarantined.items())
        raise DeliveryError(f"not one of its {answer.rows} rows could be read: {reasons}")
