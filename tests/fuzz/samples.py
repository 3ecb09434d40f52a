"""One small good delivery of each format: what the fuzzers start from."""

from __future__ import annotations

from pathlib import Path

from tests.formats import test_scart_items as items
from tests.formats import test_scart_report as report
from tests.spiders.installation import closed, feed, ntd

_SAMPLES = Path(__file__).parents[1] / "formats" / "samples"


def _lines(*lines: str) -> bytes:
    return "\n".join((*lines, "")).encode()


SAMPLES: dict[str, bytes] = {
    "scart-ntd": ntd("a.jpg", "b.jpg").encode(),
    "scart-ntdclosed": closed("a.jpg", "b.jpg").encode(),
    "scart-whois": _lines(items.WHOIS, items.whois(), items.whois(number="I2026041000002", owner=r"A \"B\" C")),
    "scart-all": _lines(items.ALL, items.row_of_all(), items.row_of_all('"yes";;')),
    "scart-report": _lines(report.header(), report.line(), report.line(url=report.URL + ";x")),
    "urlhaus": feed(2).encode(),
    "xarf": b"\n".join(b" ".join(path.read_bytes().split()) for path in sorted((_SAMPLES / "xarf").glob("*.json"))),
    **{path.stem: path.read_bytes() for path in sorted(_SAMPLES.glob("*.csv"))},  # named after their format
}
