"""The simulation study of the estimators: `python -m benchmarks.study --replicates 2000 --seed 1 --write docs`.

Prints the tables of docs/study.md; with --write puts them there, between its marks, and draws the picture.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from benchmarks.study_bias import FAST, GAPS, SLOW, Bias, bias
from benchmarks.study_coverage import WORLDS, Held, held
from benchmarks.study_picture import label, picture
from benchmarks.study_rules import RULES, SHARES, Judged, judged
from benchmarks.study_text import percent, table, write_between
from benchmarks.study_worlds import METHOD, World

REPLICATES, SEED = 2000, 1
BEGIN, END = "<!-- begin of what `python -m benchmarks.study` writes -->", "<!-- end -->"
_BIG_REPLICATES = 40  # the companies of the bias study have as many URLs as forty others


@dataclass(frozen=True)
class Study:
    """All results, of one number of replicates and one seed."""

    replicates: int
    seed: int
    held: list[Held]
    judged: list[Judged]
    biases: list[Bias]


def study(replicates: int, seed: int) -> Study:
    """The same for the same arguments; every world has its own stream of random numbers."""
    shares = [World(w.sites, w.sizes, share) for share in SHARES for w in WORLDS if w.sizes != "most"]
    big = max(replicates // _BIG_REPLICATES, 2)
    return Study(
        replicates,
        seed,
        [held(world, replicates, [seed, 1, place]) for place, world in enumerate(WORLDS)],
        [row for place, world in enumerate(shares) for row in judged(world, replicates, [seed, 2, place])],
        [bias(world, gap, big, [seed, 3, place]) for place, world in enumerate((FAST, SLOW)) for gap in GAPS],
    )


def stamp(replicates: int, seed: int) -> str:
    """What makes the tables again."""
    return f"Method {METHOD.version}, seed {seed}, {replicates:,} replicates of each world."


def text(found: Study) -> str:
    """The tables, as Markdown."""
    parts = [
        stamp(found.replicates, found.seed),
        "**Coverage of the published 95 % intervals, %**",
        _coverage(found.held),
        "**Rules for the share's interval** (36 worlds: four true shares, sizes as above but without 80 % sites)",
        _rules(found.judged),
        "**Against the truth** (S: not yet removed after 24 h, %)",
        _biases(found.biases),
        "**What the usual figures say**: removed URLs only",
        _naive(found.biases),
    ]
    return "\n\n".join(parts) + "\n"


def _coverage(rows: list[Held]) -> str:
    head = ["world", "share, unclustered", "share", "width, points", "range, 4 h checks"]
    head += ["median, unclustered", "median", "median, 4 h checks"]
    values = ("share_alone", "share", "width", "range", "median_alone", "median", "checked_median")
    return table(head, ([label(r.world), *percent(*(getattr(r, name) for name in values))] for r in rows))


def _rules(rows: list[Judged]) -> str:
    """Per rule: lowest coverage at each true share; worlds in the band; the most often above the truth; means."""
    head = ["rule", *(f"lowest at {share:.0%}" for share in SHARES), "in 93..97", "most often above the truth"]
    head += ["mean coverage", "mean width, points"]
    return table(head, ([rule, *_rule([r for r in rows if r.rule == rule])] for rule in RULES))


def _rule(rows: list[Judged]) -> list[str]:
    lowest = [min(r.coverage for r in rows if r.world.share == share) for share in SHARES]
    inside = sum(0.93 <= r.coverage <= 0.97 for r in rows)
    means = [sum(getattr(r, name) for r in rows) / len(rows) for name in ("coverage", "width")]
    return [*percent(*lowest), f"{inside} of {len(rows)}", *percent(max(r.above for r in rows), *means)]


def _biases(rows: list[Bias]) -> str:
    head = ["true share on time, check gap", "S true", "S lenient", "S Turnbull", "S strict"]
    head += ["share strict", "share lenient", "median true, h", "median Turnbull, h"]
    return table(
        head,
        (
            [
                f"{r.world.share:.0%}, {r.gap:g} h",
                *percent(1 - r.world.share, *r.curves, *r.shares),
                f"{r.world.median:.1f}",
                f"{r.median:.1f}",
            ]
            for r in rows
        ),
    )


def _naive(rows: list[Bias]) -> str:
    head = ["true share on time, check gap", "share on time", "mean true, h", "mean, h", "median true, h"]
    head += ["median to first offline, h", "median to last seen, h"]
    lines = []
    for r in rows:
        hours = (r.world.mean, r.naive.mean, r.world.median, r.naive.median, r.naive.median_last_seen)
        lines.append([f"{r.world.share:.0%}, {r.gap:g} h", *percent(r.naive.on_time), *(f"{h:.1f}" for h in hours)])
    return table(head, lines)


def write(found: Study, docs: Path) -> None:
    """Put the tables into study.md and the picture beside it; raises ValueError where a mark is missing."""
    write_between(text(found), docs, BEGIN, END)
    (docs / "pictures" / "coverage.svg").write_text(picture(found.held), encoding="utf-8")


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="Coverage and bias of the estimators, by simulation.")
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", type=Path, metavar="DOCS", help="the folder of study.md")
    given = parser.parse_args()
    found = study(given.replicates, given.seed)
    print(text(found))
    if given.write:
        write(found, given.write)


if __name__ == "__main__":
    main()
