"""`make bench`: every benchmark in turn. MONITOR_BENCH_ROWS sets the size (default 1,000,000)."""

from __future__ import annotations

import os

from benchmarks import intake, scoring

if __name__ == "__main__":
    rows = int(os.environ.get("MONITOR_BENCH_ROWS", "1000000"))
    scoring.run(rows)
    intake.run(rows // 10)
