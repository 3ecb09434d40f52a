"""Messages between a worker of the site and the process that applies its pushes, and what a hotline is answered: the
models of its JSON. The worker loads no parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from monitor.settings import Source
from monitor.vocabulary import Verdict


@dataclass(frozen=True)
class Push:
    """A whole push: whose it is, its idempotency key, its body as sent and how to read it, when it came."""

    token: int
    source: Source
    key: str = field(repr=False)
    body: bytes = field(repr=False)
    gzip: bool
    lines: bool
    received_at: int


@dataclass(frozen=True)
class Refusal:
    """Why a push was refused: `kind` as in the type of a problem; the item, from 0, where it is one."""

    kind: str
    detail: str
    index: int | None = None


@dataclass(frozen=True)
class Failure:
    """An unexpected exception: its type and traceback, never its message. `temporary`: trying again may help."""

    error: str
    frames: str
    temporary: bool


@dataclass(frozen=True)
class Worked:
    """What came of a push (the text of its answer, where it was accepted), and the work it cost.

    `inflated`: bytes beyond those that were sent. `milliseconds`: processor time of the process that did it.
    """

    result: str | Refusal | Failure
    inflated: int
    milliseconds: int


Count = Annotated[int, Meta(ge=0)]
ItemStatus = Literal[200, 201, 202, 422]


class Item(Struct, frozen=True):
    """What became of one item: known, stored, pending review, or refused and why."""

    index: Count
    status: ItemStatus
    reason: str | None = None
    field: str | None = None


class RefusedItem(Struct, frozen=True):
    """An item of a delivery that was refused."""

    index: Count
    reason: str
    field: str | None


class DeliveryReason(Struct, frozen=True):
    """A rule that a delivery breaks, with the numbers of its sentence."""

    rule: str
    verdict: Verdict
    text: str
    numbers: dict[str, Any]


class DeliveryCounts(Struct, frozen=True, kw_only=True):
    """What became of a delivery as a whole."""

    delivery: Count
    rows: Count
    accepted: Count
    duplicate: Count
    quarantined: dict[str, Count]
    warnings: list[str]
    repeated: bool
    verdict: Verdict
    reasons: list[DeliveryReason]


class Pushed(DeliveryCounts, frozen=True, kw_only=True):
    """The answer to a push: what became of it, and of each item in the order it was sent."""

    items: list[Item]


class DeliveryReport(DeliveryCounts, frozen=True, kw_only=True):
    """What became of a delivery, for the token that pushed it."""

    contents_new: Count
    notices_new: Count
    sightings_new: Count
    received_at: str
    refused: list[RefusedItem]
