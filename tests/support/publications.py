"""Published releases as files, without a database: what the site reads, made as `monitor release publish` does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask

from monitor.disclosure.rows import public_table
from monitor.release.export import write_index, write_release
from monitor.release.publications import alone
from monitor.release.published import Holdings, ReleaseIndex, ReleaseVersion, read_index
from monitor.release.signing import SigningKey, create_signing_key, load_signing_key
from monitor.score.table import Table
from monitor.settings import Settings
from web.public.app import create_app

PUBLISHED_AT = datetime(2026, 7, 20, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Version:
    """A table as it is published; with a reason it corrects the version before."""

    table: Table
    version: int = 1
    reason: str | None = None
    at: datetime = PUBLISHED_AT
    holdings: Mapping[str, Holdings] = field(default_factory=dict)

    @property
    def edition(self) -> ReleaseVersion:
        """What the index says of it."""
        return ReleaseVersion(
            period=self.table.period,
            version=self.version,
            published_at=self.at,
            manifest_sha256=hashlib.sha256(f"{self.table.period} {self.version}".encode()).hexdigest(),
            corrects=self.version - 1 if self.reason else None,
            reason=self.reason,
            hearing_waived="invented companies",
        )


def put(home: Path, *versions: Version) -> ReleaseIndex:
    """Publish these beside what is published in a home folder; what is published then."""
    folder, key = Settings(home=home).publications, signing_key(home)
    with alone(folder):
        before = (read_index(folder) or ReleaseIndex()).editions
        new = [write_release(folder, v.edition, public_table(v.table), v.holdings) for v in versions]
        write_index(folder, [*before, *new], [key.fingerprint], key)
    found = read_index(folder)
    assert found is not None
    return found


def signing_key(home: Path) -> SigningKey:
    """The key of a home folder, made where there is none."""
    settings = Settings(home=home)
    if settings.signing_key_file.exists():
        return load_signing_key(settings.signing_key_file)
    return create_signing_key(settings.signing_key_file, settings.public_keys)


def public_site(home: Path, *versions: Version, **given: Any) -> Flask:
    """The public site over a home folder in which these are published, with these settings."""
    if versions:
        put(home, *versions)
    return create_app(Settings(home=home, **given).site)
