"""One collection run: what a collector is given, what it fetched, and what became of that."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Engine

from monitor.ingest.sealed_files import SealedFile
from monitor.settings import Source
from monitor.vault import Vault

Validators: TypeAlias = dict[str, str]


@dataclass(frozen=True)
class Fetched:
    """A delivery, or a table of networks of one day (`dated`), in a sealed temporary file.

    `label` is what messages call it, never its name; `key` is what its validators are kept under.
    """

    label: str
    file: SealedFile
    format: str
    received_at: int
    key: str
    validators: Validators
    dated: date | None = None


@dataclass
class RunOutcome:
    """What became of a collection run.

    Every delivery a spider asked for must end in `ingested`, `known`, `unchanged`, `pending` or `failures`.
    """

    expected: int = 0
    complete: bool = False  # the spider has asked for all it wanted
    ingested: dict[int, int] = field(default_factory=dict)  # delivery -> rows
    tables: dict[int, int] = field(default_factory=dict)  # table of networks -> rows
    known: int = 0
    unchanged: int = 0
    growing: int = 0
    unnamed: int = 0
    pending: list[str] = field(default_factory=list)  # pending review; asked for again until a person decides
    failures: list[str] = field(default_factory=list)
    validators: dict[str, Validators] = field(default_factory=dict)
    not_before: int | None = None  # until when a server asked us to stay away (Retry-After)

    @property
    def accounted(self) -> int:
        """How many deliveries are known to have ended well or badly."""
        return (
            len(self.ingested) + len(self.tables) + self.known + self.unchanged + len(self.pending) + len(self.failures)
        )

    def fail(self, label: str, reason: str) -> None:
        """Note why a delivery that was asked for, or the way to it, failed."""
        self.failures.append(f"{label}: {reason}")

    def refuse(self, label: str, reason: str) -> None:
        """Note why a delivery was not even asked for."""
        self.expected += 1
        self.fail(label, reason)


@dataclass(frozen=True)
class CollectionRun:
    """What a spider needs: the source, a private folder, and the validators of the last good run."""

    source: Source
    folder: Path
    engine: Engine
    vault: Vault
    now: Callable[[], int]
    settle_seconds: float = 60
    remembered: Mapping[str, Validators] = field(default_factory=dict)
    outcome: RunOutcome = field(default_factory=RunOutcome)
    # Held from before a file is written until it is stored and deleted: deliveries are ingested one after the
    # other, in the order in which they were asked for, and only one lies on the disk at a time.
    slot: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def new_path(self) -> Path:
        """A name in the private folder that says nothing."""
        return self.folder / secrets.token_hex(16)

    def key_of(self, location: str) -> str:
        """What validators are remembered under: a keyed digest, as a location may hold an access key, or a URL."""
        return self.vault.digest(f"location {location}").hex()[:32]

    def keep(self, key: str) -> None:
        """Go on remembering what is unchanged at its source."""
        self.outcome.unchanged += 1
        self.outcome.validators[key] = self.remembered[key]


def key_of(source: str) -> str:
    """What stands for a source in the names of locks and folders: a name of fixed length."""
    return hashlib.sha256(source.encode()).hexdigest()[:32]
