"""What a scenario says: which quarter, which invented companies, how many notices each, and how fast each is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from ipaddress import IPv4Address, IPv6Address
from math import ceil

from monitor.instants import DAY, parse_period, to_datetime
from monitor.simulate.hours import Days, Routine, midnight
from monitor.simulate.truth import Hits

# The invented hosting companies of the synthetic hotline: fictitious names, reserved numbers only.

# fmt: off
_NAMES = (
    "Delta Datacenters", "Rietkraag Cloud", "Klinker Colo", "Lage Landen Servers", "Grachten Web",
    "Zilvermeeuw Host", "Polderpaal Hosting", "Waddenwind Servers", "Hunebed Housing",
    "Stroopwafel Systems", "Molenwiek Online", "'t Veenhuis Hosting", "Duinroos Data",
    "Kaasmarkt Compute", "Schaatsbaan Servers", "Terpdorp Telecom", "Tulpenveld Hosting",
    "Bakfiets Bytes", "Noorderlicht Nodes", "IJsvogel Internet", "Sluiswachter Servers",
    "Paalwoning Providers", "Kievitsei Cloud", "Trekschuit Transit", "Heideveld Hosting",
    "Dijkdoorbraak Data", "Windsingel Web", "Knotwilg Network", "Zeekraal Systems", "Fietsbel Hosting",
    "Oliebol Online", "Koggeschip Colo", "Weidemolen Web", "Hagelslag Hosting", "Zandbank Servers",
    "Ooievaar Online", "Turfschip Technology", "Boerenkool Backbone", "Veerpont VPS", "Kanaaldijk Cloud",
    "Moerasgas Media", "Elfenbankje Internet", "Spakenwater Servers", "Drop & Duin Data",
    "Haringkar Hosting", "Klompendans Cloud", "Lepelaar Links", "Zonnedauw Servers",
)
# fmt: on

FIRST_ASN, LAST_ASN = 64496, 64511
_PREFIX_BLOCKS = ("192.0.2.0", "198.51.100.0", "203.0.113.0")
_PREFIX_SIZE = 8
_PER_BLOCK = 256 // _PREFIX_SIZE


@dataclass(frozen=True)
class Company:
    """Who is addressed; everything but the name follows from its place in the list, so it never changes."""

    index: int
    name: str

    @property
    def key(self) -> str:
        """The name as one word: `delta-datacenters`."""
        words = "".join(sign if sign.isalnum() else " " for sign in self.name.lower())
        return "-".join(words.split())

    @property
    def abuse_address(self) -> str:
        """Where its notices go."""
        return f"abuse@{self.key}.example"

    @property
    def aliases(self) -> tuple[str, str]:
        """Other spellings under which the hotline knows it."""
        return (f"{self.name} B.V.", self.name.upper())

    @property
    def legal_form(self) -> str:
        """All are private limited companies."""
        return "B.V."

    @property
    def legal_name(self) -> str:
        """The name of the legal entity."""
        return f"{self.name} {self.legal_form}"

    @property
    def registration(self) -> str:
        """An invented chamber-of-commerce number."""
        return f"0000{self.index + 1:04d}"

    @property
    def asn(self) -> int | None:
        """A documentation ASN (RFC 5398); there are sixteen, so most companies have none."""
        number = FIRST_ASN + self.index
        return number if number <= LAST_ASN else None

    @property
    def prefixes(self) -> tuple[str, str]:
        """Its own /29 of RFC 5737 and its own /48 of RFC 3849."""
        return (f"{self.ipv4(0)}/29", f"{self.ipv6(0)}/48")

    def ipv4(self, host: int) -> str:
        """The address with that number in its /29, counted round."""
        block, place = divmod(self.index, _PER_BLOCK)
        return str(IPv4Address(_PREFIX_BLOCKS[block]) + place * _PREFIX_SIZE + host % _PREFIX_SIZE)

    def ipv6(self, host: int) -> str:
        """The address with that number in its /48."""
        return str(IPv6Address("2001:db8::") + ((self.index + 1) << 80) + host)


@dataclass(frozen=True)
class ForeignHost:
    """Where moved content goes: a company the registry does not know, abroad."""

    name: str
    country: str

    @property
    def abuse_address(self) -> str:
        """Its abuse address."""
        return f"abuse@{self.name.lower().replace(' ', '-')}.example"


COMPANIES = tuple(Company(index, name) for index, name in enumerate(_NAMES))
FOREIGN_HOSTS = (
    ForeignHost("Fjordvik Hosting", "NO"),
    ForeignHost("Karstheim Servers", "AT"),
    ForeignHost("Lagunera Cloud", "ES"),
)


# What a scenario says: which quarter, which companies, how many notices each, and how fast each is.

FOLLOWED_DAYS = 7


@dataclass(frozen=True)
class CompanyPlan:
    """One company in one quarter. Shares are of its items; `on_time` is met exactly, rounded up."""

    company: Company
    notices: int
    sites: int
    on_time: float
    fast_hours: float = 3.0  # median time to removal of what is on time
    late_days: float = 4.0  # median time from the first re-notice to removal of what is late
    never: float = 0.1  # of the late ones: stays online for good
    moved: float = 0.0  # of the late ones: goes to a host abroad instead
    moved_early: float = 0.0  # of those on time: goes to a host abroad instead
    unclear: float = 0.01  # of those on time: gone so shortly before the deadline that the exports cannot tell
    failed: float = 0.0  # of the reports: every notice of it fails
    api: bool = False  # notices go to its API rather than by mail
    whole_sites: float = 0.35  # of the sites: one action takes everything reported together
    batch: int = 3  # URLs of one site reported together, on average
    skew: float = 1.1  # site sizes fall as 1 / rank ** skew
    proxy: bool = False
    weekdays_only: bool = False  # what was noticed on a Friday is the last to go in time

    def scaled(self, scale: float) -> int:
        """Number of items at this scale, at least one."""
        return max(1, round(self.notices * scale))

    def removed_on_time(self, items: int) -> int:
        """How many of so many items are gone within 24 hours."""
        return min(items, ceil(items * self.on_time - 1e-9))


@dataclass(frozen=True)
class Quarter:
    """A reporting period with its companies; `days` narrows the days on which first notices are sent."""

    period: str
    plans: tuple[CompanyPlan, ...]
    days: Days | None = None

    @property
    def first_day(self) -> date:
        """The first day of the period."""
        return to_datetime(parse_period(self.period).start).date()

    @property
    def end_day(self) -> date:
        """The day after the last of the period."""
        return to_datetime(parse_period(self.period).end).date()

    @property
    def as_of(self) -> int:
        """When observation of it ends: late enough for everything to be mature."""
        return midnight(self.end_day) + FOLLOWED_DAYS * DAY

    @property
    def sending_days(self) -> Days:
        """First and last day of first notices: a day inside the period, so that no zone moves one across."""
        return self.days or (self.first_day + timedelta(days=1), self.end_day - timedelta(days=2))


@dataclass(frozen=True)
class Merger:
    """From that day on all that was the one company's (names, addresses, networks) belongs to the other."""

    day: date
    absorbed: Company
    into: Company


@dataclass(frozen=True)
class Withdrawal:
    """On that day the hotline withdraws its notices of one site of a company, after the period was released."""

    day: date
    period: str
    company: Company
    reason: str


@dataclass(frozen=True)
class Scenario:
    """A history the hotline could have seen: one or more quarters, and the days on which nothing is sent.

    `hash_hits`: what a hash service finds on each of its `hash_days`. `exports`: what of the hotline's own is written
    where nobody says otherwise.
    """

    name: str
    about: str
    quarters: tuple[Quarter, ...]
    closed_days: frozenset[date] = frozenset()
    routine: Routine = field(default_factory=Routine)
    mergers: tuple[Merger, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    hash_hits: tuple[Hits, ...] = ()
    hash_days: tuple[date, ...] = ()
    exports: frozenset[str] = frozenset({"ntd", "ntdclosed"})

    @property
    def period(self) -> str:
        """The period that is judged: the last one."""
        return self.quarters[-1].period

    @property
    def as_of(self) -> int:
        """When observation ends."""
        return self.quarters[-1].as_of

    @property
    def companies(self) -> tuple[Company, ...]:
        """Everybody who appears, in the order of the company list."""
        found = {plan.company.index: plan.company for quarter in self.quarters for plan in quarter.plans}
        return tuple(found[index] for index in sorted(found))
