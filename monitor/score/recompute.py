"""A release's table once more, from the two files it publishes: its anonymised episodes and its companies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.errors import DeliveryError
from monitor.score import engine as engines
from monitor.score.announced import with_announced
from monitor.score.assemble import assemble
from monitor.score.company_file import POOLED_COUNTS, Companies, read_companies
from monitor.score.counts import NETWORK
from monitor.score.engine import Engine, Expr
from monitor.score.episode_file import MOVED_TO, read_episodes
from monitor.score.facts import NOBODY
from monitor.score.flows import flows
from monitor.score.gather import gather
from monitor.score.label import Label
from monitor.score.methods import Method
from monitor.score.norms import norms
from monitor.score.rank import ranked
from monitor.score.table import Estimate, Table, Unattributed


def recompute(episodes: Path, companies: Path, method: Method, engine_url: str = "duckdb://") -> Table:
    """The companies with figures, and the network as far as it is published.

    With its flows and other norms, where the file of episodes has them. Counts that the release does not publish are
    not in the network's. Where its network gives way, the network here is what the file has: the companies with
    figures and what is at nobody's door. Where that is not told apart, `unattributed` is the pool. Raises DeliveryError
    where a file cannot be, or they are of two releases.
    """
    rows, numbers = read_episodes(episodes, method)
    known = read_companies(companies)
    if {label.key for label in numbers.values()} != set(known.labels):
        raise DeliveryError(f"{companies.name}: the companies with figures are not those of {episodes.name}")
    labels = {number: known.labels[label.key] for number, label in numbers.items()}
    refused = {number: known.refused[label.key] for number, label in labels.items()}
    with engines.opened(engine_url) as engine:
        every = engines.put(engine, "episodes", rows)
        named = every.filter(every.company != NOBODY)  # how the pool's episodes ended is not in the file
        gathered = gather(engine, every.filter(every.scored), named, method, also=sorted(refused))
        estimates = assemble(gathered, {**labels, NETWORK: Label("network", "network")}, refused, method)
        network = _with_pool(estimates.pop(NETWORK), estimates, known)
        pool = estimates.pop(NOBODY, None)
        beside = _beside(engine, named, estimates, labels, method) if MOVED_TO in rows.column_names else {}
    nobody = known.unattributed or _pooled(pool, known)
    table = Table(method.version, "", "", "", ranked(list(estimates.values()), method), network, nobody, **beside)
    return with_announced(table, known.announced)


def _beside(
    engine: Engine, named: Expr, estimates: dict[int, Estimate], labels: Mapping[int, Label], method: Method
) -> dict[str, Any]:
    """What a release holds beside its figures, of the companies that have them."""
    scored = named.filter(named.scored)
    return {"flows": flows(engine, scored, labels), "norms": norms(engine, scored, named, estimates, method)}


def _with_pool(network: Estimate, estimates: dict[int, Estimate], known: Companies) -> Estimate:
    """The network with the pool's counts, those that are published, added to what the episodes say."""
    shown = [estimate for number, estimate in estimates.items() if number != NOBODY]
    sums = {name: sum(getattr(e, name) for e in shown) + known.pooled.get(name, 0) for name in POOLED_COUNTS}
    if "episodes" not in known.pooled:
        sums["episodes"] = network.episodes
    return replace(network, notices=sums["episodes"] + sums["renotices"], **sums)


def _pooled(pool: Estimate | None, known: Companies) -> Unattributed:
    episodes = pool.episodes if pool else 0
    return Unattributed(episodes, episodes + known.pooled.get("renotices", 0))
