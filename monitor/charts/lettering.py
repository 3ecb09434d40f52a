"""How wide a text is drawn, rather too wide than too narrow, so that no label meets another or is cut off."""

from __future__ import annotations

import unicodedata

SIZE = 15.0  # pixels, the usual label
SMALL = 13.0  # the smallest there is
BOLD = 1.1  # times as wide
_ACCENTED = 1.2  # of the letter below the accent
_WIDEST = 1020  # a sign that is not in the table

# Widths in thousandths of the size, each the wider one of Source Sans 3 and of Arial, which stands in for it.
_WIDTHS = {
    260: "'ijl|", 280: " ,.I·\u00a0", 320: "!:;[]f", 340: "()-t", 360: "/\\r{}", 420: "*", 440: '"', 500: "z",
    520: "Jcksvxy", 540: "^", 560: "#$0123456789?L_`abdeghnopqu–€", 600: "+<=>~", 620: "FTZ", 680: "&ABEKPSVXY",
    740: "CDHNRUw", 780: "GOQ", 840: "Mm", 900: "%", 960: "W", 1000: "—…",
}  # fmt: skip
_WIDTH = {sign: width for width, signs in _WIDTHS.items() for sign in signs}


def text_width(text: str, size: float = SIZE, *, bold: bool = False) -> float:
    """Pixels that the text takes at most, in our own letter and in those that stand in for it."""
    return sum(map(_width, text)) * size / 1000 * (BOLD if bold else 1)


def _width(sign: str) -> float:
    known = _WIDTH.get(sign)
    if known is not None:
        return known
    parts = [part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part)]
    if parts in ([sign], [" "]):
        return _WIDEST
    return sum(_WIDTH.get(part, _WIDEST) for part in parts) * _ACCENTED


def shortened(text: str, room: float, size: float = SIZE) -> str:
    """The text, cut with an ellipsis where it is wider than that many pixels."""
    if text_width(text, size) <= room:
        return text
    kept = text
    while kept and text_width(kept.rstrip() + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def wrapped(text: str, room: float, size: float = SIZE, *, lines: int) -> list[str]:
    """The text over at most so many lines, broken at spaces; the last one is cut where it is still too wide."""
    found: list[str] = []
    words = text.split(" ")
    while words and len(found) < lines - 1:
        taken = 1
        while taken < len(words) and text_width(" ".join(words[: taken + 1]), size) <= room:
            taken += 1
        found.append(shortened(" ".join(words[:taken]), room, size))
        words = words[taken:]
    return [*found, shortened(" ".join(words), room, size)] if words else found
