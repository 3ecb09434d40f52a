"""The picture of the study: coverage of each world as two dots, by sites and as if URLs were unrelated."""

from __future__ import annotations

from benchmarks.study_coverage import Held
from benchmarks.study_worlds import World

SIZES = {"equal": "all equal", "zipf": "Zipf (1/rank)", "half": "one site has 50 %", "most": "one site has 80 %"}

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 760, 210, 730, 84, 26
_CLUSTERED, _ALONE = "#1d5c86", "#b3461e"  # as different in lightness as in hue, and one is hollow
_ROOT = 'role="img" aria-labelledby="title desc" font-family="sans-serif" font-size="13" fill="#222"'
_HEAD = "Does a 95 % interval hold the true share 95 times in 100?"


def _x(per_cent: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * per_cent / 100


def label(world: World) -> str:
    """How a world is named in the picture and the tables."""
    return f"{world.sites} sites, {SIZES[world.sizes]}"


def picture(rows: list[Held]) -> str:
    """SVG; the last digit of a coordinate is a tenth of a pixel, so that it is the same everywhere."""
    height = _TOP + _ROW * len(rows) + 46
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_ROOT}>',
        f'<title id="title">{_HEAD}</title>',
        f'<desc id="desc">{_in_words(rows)}</desc>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="20" y="26" font-size="16" font-weight="bold">{_HEAD}</text>',
        *_legend(),
        *_axis(_TOP + _ROW * len(rows)),
        *(part for place, row in enumerate(rows) for part in _row(row, _TOP + _ROW * place + _ROW // 2)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _in_words(rows: list[Held]) -> str:
    by_site, alone = [100 * r.share for r in rows], [100 * r.share_alone for r in rows]
    return (
        f"Clustered by site, {min(by_site):.0f} to {max(by_site):.0f} of 100 intervals hold the truth; as if URLs were "
        f"unrelated, {min(alone):.0f} to {max(alone):.0f}. The band is 93 to 97. The numbers are in the table."
    )


def _dot(x: float, y: float, *, clustered: bool) -> str:
    fill, stroke = (_CLUSTERED, _CLUSTERED) if clustered else ("#fff", _ALONE)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{fill}" stroke="{stroke}" stroke-width="2"/>'


def _legend() -> list[str]:
    return [
        _dot(216, 50, clustered=True),
        '<text x="228" y="54">clustered by site</text>',
        _dot(366, 50, clustered=False),
        '<text x="378" y="54">as if URLs were unrelated</text>',
        '<rect x="566" y="42" width="16" height="16" fill="#cfe3d4"/>',
        '<text x="588" y="54">93 to 97 %</text>',
    ]


def _axis(bottom: int) -> list[str]:
    parts = [
        f'<rect x="{_x(93):.1f}" y="{_TOP}" width="{_x(97) - _x(93):.1f}" height="{bottom - _TOP}" fill="#cfe3d4"/>'
    ]
    for tick in range(0, 101, 10):
        parts.append(f'<line x1="{_x(tick):.1f}" x2="{_x(tick):.1f}" y1="{_TOP}" y2="{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{_x(tick):.1f}" y="{bottom + 18}" text-anchor="middle">{tick}</text>')
    middle = (_LEFT + _RIGHT) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{bottom + 38}" text-anchor="middle">intervals that hold the truth, %</text>'
    )
    return parts


def _row(row: Held, y: int) -> list[str]:
    alone, by_site = _x(100 * row.share_alone), _x(100 * row.share)
    return [
        f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{label(row.world)}</text>',
        f'<line x1="{alone:.1f}" x2="{by_site:.1f}" y1="{y}" y2="{y}" stroke="#999"/>',
        _dot(alone, y, clustered=False),
        _dot(by_site, y, clustered=True),
    ]
