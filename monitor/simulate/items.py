"""The true course of every item of one company: site, notices, removal. Exact shares, random everything else."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from monitor.instants import DAY, HOUR
from monitor.simulate.hours import QUEUE_CLEARED, TICK, Flags, Hours, Instants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.random import Generator
    from numpy.typing import NDArray

    from monitor.simulate.scenario import Company, CompanyPlan, Quarter

_ALPHABET = np.frombuffer(b"abcdefghijkmnpqrstuvwxyz23456789", np.uint8)
_TOKEN = 12
_LABELS = ("www", "cdn3", "img", "m")
_LITERAL_EVERY = 5  # the smallest site of every fifth company has no name, only an address

# Some addresses hold what breaks careless readers: quotes, the separator, non-ASCII signs, great length.
_ODDITY_EVERY = 199
_ODDITIES = {
    3: "?q=it's",
    31: '?q="all"',
    57: "?dir=C:\\x\\y",
    83: "?a=1;b=2",
    109: "/caf\u00e9",
    137: "/" + "long/" * 60 + "end",
    163: "?back=" + "%2Fx" * 70 + "'",
}


def item_urls(items: Items, companies: dict[int, Company], plain_sites: dict[int, int], rng: Generator) -> list[str]:
    """A different URL for each item; `plain_sites` says how many sites each company has."""
    hosts = _site_hosts(companies, plain_sites)
    urls = []
    columns = zip(items.company.tolist(), items.site.tolist(), _tokens(len(items), rng), strict=True)
    for number, (company, site, token) in enumerate(columns):
        host = hosts[company, site]
        if host[0] == "s":
            host = f"{_LABELS[number % len(_LABELS)]}.{host}"
        oddity = _ODDITIES.get(number % _ODDITY_EVERY, "")
        urls.append(f"https://{host}/{token[:4]}/{token[4:]}/{number:x}{oddity}")
    return urls


def item_addresses(items: Items, companies: dict[int, Company], plain_sites: dict[int, int]) -> list[str]:
    """The address on which each item stands: one a site, inside its company's prefixes."""
    addresses = {
        (index, site): _address(company, site)
        for index, company in companies.items()
        for site in range(plain_sites[index])
    }
    return [addresses[key] for key in zip(items.company.tolist(), items.site.tolist(), strict=True)]


def _tokens(count: int, rng: Generator) -> list[str]:
    signs = _ALPHABET[rng.integers(0, len(_ALPHABET), (count, _TOKEN))]
    return [token.decode() for token in signs.view(f"S{_TOKEN}").ravel().tolist()]


def _site_hosts(companies: dict[int, Company], sites: dict[int, int]) -> dict[tuple[int, int], str]:
    """The registrable name (or the bare address) of every site; it stays with the company over the years."""
    hosts = {}
    for index, company in companies.items():
        for site in range(sites[index]):
            domain = "test" if site % 7 == 6 else "example"
            hosts[index, site] = f"s{index:02d}{site:03d}.{domain}"
        if index % _LITERAL_EVERY < 2 and sites[index] > 1:
            last = sites[index] - 1
            address = _address(company, last)
            hosts[index, last] = f"[{address}]" if ":" in address else address
    return hosts


def _address(company: Company, site: int) -> str:
    """Shared hosting: six IPv4 addresses carry all sites; some sites stand on IPv6 instead."""
    if company.index % _LITERAL_EVERY == 1 and site % 4 == 3:
        return company.ipv6(site)
    return company.ipv4(1 + site % 6)


NEVER = np.int64(2**40)
RENOTICES = 5
_FIRST_RENOTICE = 24 * HOUR + HOUR // 2
_MINUTE = 60


@dataclass(frozen=True)
class Items:
    """One row an item. `notices` holds the first notice and, as planned, its re-notices: (items, 6)."""

    company: Instants
    site: Instants
    first_seen: Instants
    notices: Instants
    left: Instants  # when it was removed or moved; NEVER where it stays
    moved: Flags
    failed: Flags
    api: Flags
    queued: Flags  # was seen waiting for the hours to open
    alias: Flags  # its notices name the company by an alias

    @property
    def sent(self) -> Instants:
        """When the first notice was sent, or tried."""
        first: Instants = self.notices[:, 0]
        return first

    @property
    def on_time(self) -> Flags:
        """Whether it was gone from its company within 24 hours of the first notice."""
        return self.left - self.sent <= DAY

    def __len__(self) -> int:
        return len(self.company)


def joined(parts: Iterable[Items]) -> Items:
    """All items together, in the order of their first notice."""
    parts = list(parts)
    columns = {item.name: np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Items)}
    order = np.argsort(columns["notices"][:, 0], kind="stable")
    return Items(**{name: column[order] for name, column in columns.items()})


def draw_items(plan: CompanyPlan, quarter: Quarter, hours: Hours, scale: float, rng: Generator) -> Items:
    """What happens to the items of one company in one quarter."""
    count = plan.scaled(scale)
    site = _sites(count, min(plan.sites, count), plan.skew)
    report = _reports(site, plan.batch, rng)
    starts = np.flatnonzero(np.diff(report, prepend=-1))
    seen, notices = _notices(len(starts), quarter, hours, rng)
    shared = _shared(site, report, starts, plan.whole_sites, rng)
    keys = rng.random(count)[shared] + (plan.weekdays_only & hours.on_friday(notices[report, 0]))
    on_time = _first(plan.removed_on_time(count), keys)
    moved = _moved(plan, on_time, rng.random(count)[shared])
    stays = rng.random(count)[shared] < plan.never
    fast = notices[report, 0] + _fast(plan, on_time, rng)[shared]
    late = notices[report, 1] + _late(plan, count, rng)[shared]
    return Items(
        company=np.full(count, plan.company.index, np.int64),
        site=site,
        first_seen=seen[report] + rng.integers(0, 10 * _MINUTE, count),
        notices=notices[report],
        left=np.where(on_time, fast, np.where(stays & ~moved, NEVER, late)),
        moved=moved,
        failed=_share(len(starts), plan.failed, rng)[report],
        api=np.full(count, plan.api),
        queued=(rng.random(len(starts)) < 0.1)[report],
        alias=(rng.random(len(starts)) < 0.2)[report],
    )


def _sites(count: int, sites: int, skew: float) -> Instants:
    """A site for each item, in order of site; sizes as unequal as 1 / rank ** skew, none empty."""
    weights = 1 / np.arange(1, sites + 1) ** skew
    ends = np.cumsum(weights) / weights.sum() * (count - sites)
    sizes = np.diff(np.rint(ends).astype(np.int64), prepend=0) + 1
    return np.repeat(np.arange(sites), sizes)


def _reports(site: Instants, batch: int, rng: Generator) -> Instants:
    """URLs of one site that were reported together: a running number for each item."""
    begins = rng.random(len(site)) < 1 / batch
    begins |= np.diff(site, prepend=-1) != 0
    return np.cumsum(begins) - 1


def _shared(site: Instants, report: Instants, starts: Instants, share: float, rng: Generator) -> Instants:
    """Whose draw an item follows: its own, or where whole sites are cleared at once, the report's first."""
    whole = _share(int(site[-1]) + 1, share, rng)
    own = np.arange(len(site))
    return np.where(whole[site], starts[report], own)


def _share(count: int, share: float, rng: Generator) -> Flags:
    """So many flags of which exactly this share (rounded) is set, at random places."""
    return _first(round(count * share), rng.random(count))


def _first(count: int, keys: NDArray[np.float64]) -> Flags:
    """Flags at the `count` smallest keys; equal keys stay together but for one group."""
    flags = np.zeros(len(keys), bool)
    flags[np.argsort(keys, kind="stable")[:count]] = True
    return flags


def _notices(reports: int, quarter: Quarter, hours: Hours, rng: Generator) -> tuple[Instants, Instants]:
    """First seen and the moments of sending of each report: the first, then as long as it is online."""
    allowed = hours.windows(*quarter.sending_days)
    length = (hours.closes - hours.opens)[allowed]
    window = rng.choice(allowed, reports, p=length / length.sum())
    opens, before = hours.opens[window], hours.closes[window - 1]
    waited = rng.random(reports) < 0.3
    within = rng.random(reports) * np.where(waited, QUEUE_CLEARED, hours.closes[window] - opens)
    sent = -(-(opens + within).astype(np.int64) // TICK) * TICK
    shortly = sent - rng.integers(25 * _MINUTE, 3 * HOUR, reports)
    overnight = rng.integers(before, opens - 25 * _MINUTE)
    moments = [sent]
    for number in range(RENOTICES):
        after = rng.integers(44 * HOUR, 52 * HOUR, reports) if number else rng.integers(0, 3 * HOUR, reports)
        due = moments[-1] + after + (0 if number else _FIRST_RENOTICE)
        moments.append(hours.next_sending(due, rng.integers(0, QUEUE_CLEARED, reports)))
    return np.where(waited, overnight, shortly), np.stack(moments, axis=1)


def _moved(plan: CompanyPlan, on_time: Flags, keys: NDArray[np.float64]) -> Flags:
    """Which items go to another host: an exact share of those on time, and of the late ones."""
    early = _first(round(on_time.sum() * plan.moved_early), np.where(on_time, keys, 2.0))
    late = _first(round((~on_time).sum() * plan.moved), np.where(on_time, 2.0, keys))
    return early | late


def _fast(plan: CompanyPlan, on_time: Flags, rng: Generator) -> Instants:
    """Seconds to removal of items on time; but for a few, short enough for an export to prove it."""
    count = len(on_time)
    seconds = np.clip(plan.fast_hours * HOUR * np.exp(0.8 * rng.standard_normal(count)), HOUR // 2, 9 * HOUR)
    unclear = _first(int(on_time.sum() * plan.unclear), np.where(on_time, rng.random(count), 2.0))
    seconds[unclear] = rng.uniform(17 * HOUR, 23 * HOUR, int(unclear.sum()))
    whole_seconds: Instants = seconds.astype(np.int64)
    return whole_seconds


def _late(plan: CompanyPlan, count: int, rng: Generator) -> Instants:
    """Seconds from the first re-notice to removal: half an hour to thirty days."""
    days = plan.late_days / np.log(2) * rng.exponential(size=count)
    whole_seconds: Instants = np.clip(days * DAY, HOUR // 2, 28 * DAY).astype(np.int64)
    return whole_seconds
