#!/usr/bin/env python3
"""Coverage-guided fuzzing of one parser; what breaks it is left in tests/fuzz/found/FORMAT, which the tests then read.

`.venv/bin/python -m tools.fuzz FORMAT --seconds 60`. The rules it is held to are those of tests/fuzz/reading.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["monitor.formats", "monitor.vault", "monitor.ingest.rows"]):
    from monitor.formats.catalogue import FORMATS
    from monitor.vault import Vault, create_keys
    from tests.fuzz.reading import hold
    from tests.fuzz.samples import SAMPLES

FOUND = Path(__file__).parents[1] / "tests" / "fuzz" / "found"
_LONGEST = 4096  # bytes: every branch of a parser is reached by a short delivery
_SLOWEST = 10  # seconds for one delivery of that size: a backstop against hanging


def main() -> None:
    """Fuzz until the time is over (exit 0) or something is found (exit 77)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format", choices=list(FORMATS))
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    with TemporaryDirectory() as name:
        create_keys(Path(name) / "keys.json")
        corpus = Path(name) / "corpus"
        corpus.mkdir()
        (corpus / "sample").write_bytes(SAMPLES[asked.format])
        _fuzz(asked.format, corpus, asked.seconds, Vault(Path(name) / "keys.json"))


def _fuzz(format_name: str, corpus: Path, seconds: int, vault: Vault) -> None:
    found = FOUND / format_name
    found.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-timeout={_SLOWEST}", "-rss_limit_mb=1024",
        f"-artifact_prefix={found}/", "-print_final_stats=1",
    ]  # fmt: skip

    def deliver(content: bytes) -> None:
        hold(format_name, content, vault)

    atheris.Setup([sys.argv[0], *options, str(corpus)], deliver)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
