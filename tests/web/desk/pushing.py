"""A site with keys and hotlines' tokens, and requests as a hotline makes them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from monitor.access.tokens import SCOPES, issue
from monitor.db import transaction
from monitor.instants import to_datetime
from monitor.push.apply import work
from monitor.push.messages import Push, Worked
from monitor.settings import Settings, Source
from monitor.vault import ExportedKey, Vault, create_keys
from web.desk.app import create_app
from web.desk.authenticate import Places

SAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "formats" / "samples" / "xarf" / "v4-csam.json").read_text()
) | {"timestamp": "2024-04-10T12:00:00Z"}
SOURCES = {
    "hotline": Source("hotline"),
    "other": Source("other"),
    "picky": Source("picky", minimum_rows=5),
}


def notice(number: int, **changed: Any) -> dict[str, Any]:
    """One csam report about item `number`."""
    return SAMPLE | {"url": f"https://s{number:04d}.example/{number}"} | changed


@dataclass(frozen=True)
class Hotline:
    """A client with a token."""

    app: Flask
    token: str

    def push(self, body: object, key: str = "k1", headers: dict[str, str] | None = None) -> TestResponse:
        """POST a body (bytes as they are, anything else as JSON)."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        usual = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        kept = {name: value for name, value in (usual | (headers or {})).items() if value}
        return self.app.test_client().post("/api/v1/notices", data=raw, headers=kept)

    def report(self, number: object) -> TestResponse:
        """GET the report of a delivery."""
        client = self.app.test_client()
        return client.get(f"/api/v1/deliveries/{number}", headers={"Authorization": f"Bearer {self.token}"})


@dataclass(frozen=True)
class InPlace:
    """Applies pushes here, as the process for it does: that takes a second to start, and there are many sites."""

    engine: Engine

    def work(self, push: Push, key: ExportedKey) -> Worked:
        """What came of a push."""
        return work(self.engine, Vault(key), push)


def open_site(folder: Path, database_url: str, *, places: Places | None = None) -> Flask:
    """A site over a migrated database, with keys; it applies pushes in place, and has room for many."""
    settings = Settings(home=folder, database_url=database_url, sources=SOURCES)
    create_keys(settings.key_file)
    app = create_app(settings)
    app.extensions["monitor_pushes"] = InPlace(app.extensions["monitor_engine"])
    app.extensions["monitor_places"] = places or Places(16, 16)
    return app


def hotline(app: Flask, source: str = "hotline", scopes: tuple[str, ...] = SCOPES, issued: int = 0) -> Hotline:
    """A client of a source with a new token, issued at `issued` (default: now)."""
    with transaction(app.extensions["monitor_engine"]) as session:
        _, text = issue(session, source, scopes, to_datetime(issued or int(time.time())), 365, "operator")
    return Hotline(app, text)
