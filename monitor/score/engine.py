"""Engines: where the expressions run. DuckDB in process is the default; only the connection differs."""

from __future__ import annotations

from typing import Any

import ibis

from monitor.errors import ConfigurationError

Engine = Any  # ibis.BaseBackend: the library ships no types
Expr = Any  # ibis.Table


def connect(url: str) -> Engine:
    """A connection to the engine at `url` (`duckdb://`); raises ConfigurationError for one there is not."""
    if url.split(":", 1)[0] != "duckdb":
        raise ConfigurationError(f"engine {url.split(':', 1)[0]!r} is not supported; use duckdb://")
    return ibis.connect(url)
