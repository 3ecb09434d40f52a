"""Messages between a worker of the site and the process that applies its pushes. The worker loads no parser."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.settings import Source


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
