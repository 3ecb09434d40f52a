"""Invented addresses: reserved names and numbers only, with the oddities real ones have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

    from monitor.simulate.companies import Company
    from monitor.simulate.items import Items

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
