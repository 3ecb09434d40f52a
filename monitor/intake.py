"""One delivery from file to attributed facts: what the command line, the spiders and the API all call."""

from __future__ import annotations

from sqlalchemy.orm import Session

from monitor.attribute.assign import attribute_notices
from monitor.ingest.answer import Answer
from monitor.ingest.take import Parcel, Progress, take, unwatched
from monitor.instants import to_datetime
from monitor.vault import Vault


def take_in(session: Session, vault: Vault, parcel: Parcel, recorded_at: int, progress: Progress = unwatched) -> Answer:
    """Take a delivery in and attribute its notices, in the caller's transaction.

    Raises DeliveryError, with nothing stored, where the delivery cannot be read.
    """
    answer = take(session, vault, parcel, recorded_at, progress)
    if answer.notices_new:
        attribute_notices(session, vault, to_datetime(recorded_at), answer.delivery)
    return answer
