"""`make bench`: every benchmark in turn. MONITOR_BENCH_ROWS sets the size (default 10,000,000 episodes)."""

from __future__ import annotations

import os

from benchmarks import attribution, ingest, pages, push, report, scoring, small_delivery, startup

if __name__ == "__main__":
    startup.run()
    rows = int(os.environ.get("MONITOR_BENCH_ROWS", "10000000"))
    scoring.run(rows)
    attribution.run(rows)
    ingest.run(rows // 10)
    small_delivery.run()
    push.run()
    pages.run()
    report.run()
