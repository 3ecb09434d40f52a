"""A release's table once more, from the two files it publishes: its anonymised episodes and its companies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.errors import DeliveryError
from monitor.score import engine as engines
from monitor.score.aggregate import NETWORK, aggregate
from monitor.score.company_file import POOLED_COUNTS, Companies, read_companies
from monitor.score.competing import estimate_competing
from monitor.score.engine import Engine, Expr
from monitor.score.episode_file import MOVED_TO, read_episodes
from monitor.score.estimate import estimate
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import Method
from monitor.score.ranking import rank_companies
from monitor.score.standing import judged_groups, rank_competing
from monitor.score.supplements import flows, norms
from monitor.score.table import Estimate, Group, Label, Table, Unattributed, with_field


def recompute(episodes: Path, companies: Path, method: Method, engine_url: str = "duckdb://") -> Table:
    """The companies with figures, and the network as far as it is published.

    With its flows and other norms, where the file of episodes has them. Counts that the release does not publish are
    not in the network's. Where its network is suppressed in part, it is here what the file has: the companies with
    figures and what is unattributed. Where that is not published by itself, `unattributed` is the pool. Raises
    DeliveryError where a file cannot be, or they are of two releases.
    """
    rows, numbers = read_episodes(episodes, method)
    known = read_companies(companies)
    if {label.key for label in numbers.values()} != set(known.labels):
        raise DeliveryError(f"{companies.name}: the companies with figures are not those of {episodes.name}")
    labels = {
        number: replace(known.labels[label.key], group=label.group, no_contact=label.no_contact)
        for number, label in numbers.items()
    }
    refused = {number: known.refused[label.key] for number, label in labels.items()}
    with engines.opened(engine_url) as engine:
        every = engines.put(engine, "episodes", rows)
        named = every.filter(every.company != UNATTRIBUTED)  # how the pool's episodes ended is not in the file
        estimates, groups = _estimates(engine, every, named, labels, refused, method)
        network = _with_pool(estimates.pop(NETWORK), estimates, known)
        pool = estimates.pop(UNATTRIBUTED, None)
        supplements = _supplements(engine, named, estimates, labels, method) if MOVED_TO in rows.column_names else {}
    named_ones = list(estimates.values())
    ranked = rank_competing(named_ones, method) if method.competing_risks else rank_companies(named_ones, method)
    unattributed = known.unattributed or _pooled(pool, known)
    table = Table(
        method.version,
        "",
        "",
        "",
        ranked,
        network,
        unattributed,
        groups=_named(groups, known.groups),
        **supplements,
    )
    return with_field(table, "announced_ipv4", known.announced)


def _estimates(
    engine: Engine, every: Expr, named: Expr, labels: Mapping[int, Label], refused: Mapping[int, int], method: Method
) -> tuple[dict[int, Estimate], tuple[Group, ...] | None]:
    """By number the companies before they are ranked, NETWORK and the pool among them; and the groups."""
    scored = every.filter(every.scored)
    if method.competing_risks:
        found = estimate_competing(engine, scored, named, labels, refused, method)
        return dict(found.by_company), judged_groups(found.groups, method)
    return estimate(aggregate(engine, scored, named, method, refused), labels, method), None


def _named(groups: tuple[Group, ...] | None, controlling: Mapping[str, Label]) -> tuple[Group, ...] | None:
    """The groups with the names of companies that control them and have no episode of their own."""
    if groups is None:
        return None
    labels = [(group, controlling.get(group.group)) for group in groups]
    return tuple(
        group
        if label is None
        else replace(
            group,
            figures=replace(group.figures, name=label.name, country=label.country, via_proxy=label.via_proxy),
        )
        for group, label in labels
    )


def _supplements(
    engine: Engine, named: Expr, estimates: dict[int, Estimate], labels: Mapping[int, Label], method: Method
) -> dict[str, Any]:
    """What a release holds beside its figures, of the companies that have them."""
    scored = named.filter(named.scored)
    return {"flows": flows(engine, scored, labels), "norms": norms(engine, scored, named, estimates, method)}


def _with_pool(network: Estimate, estimates: dict[int, Estimate], known: Companies) -> Estimate:
    """The network with the pool's counts, those that are published, added to what the episodes say."""
    shown = [each for number, each in estimates.items() if number != UNATTRIBUTED]
    sums = {name: sum(getattr(e, name) for e in shown) + known.pooled.get(name, 0) for name in POOLED_COUNTS}
    if "episodes" not in known.pooled:
        sums["episodes"] = network.episodes
    return replace(network, notices=sums["episodes"] + sums["renotices"], **sums)


def _pooled(pool: Estimate | None, known: Companies) -> Unattributed:
    episodes = pool.episodes if pool else 0
    return Unattributed(episodes, episodes + known.pooled.get("renotices", 0))
