"""What a release holds beside its figures, as far as it concerns companies that keep theirs (docs/adr/0015)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from monitor.score.table import Flow, Norm, sort_flows


def shown_flows(flows: Sequence[Flow], shown: Collection[str]) -> tuple[Flow, ...]:
    """The flows from the companies `shown`; another destination is told by its country alone, as one not known is.

    The largest first, then by key and country.
    """
    counts: Counter[tuple[str, str | None, str]] = Counter()
    for flow in flows:
        if flow.origin in shown:
            counts[flow.origin, flow.destination if flow.destination in shown else None, flow.country] += flow.episodes
    return sort_flows(Flow(*ends, episodes) for ends, episodes in counts.items())


def shown_norms(norms: Sequence[Norm], shown: Collection[str]) -> tuple[Norm, ...]:
    """The same norms with the lines of the companies `shown`; what is withheld is withheld under every norm."""
    return tuple(
        replace(norm, companies=tuple(line for line in norm.companies if line.company in shown)) for norm in norms
    )
