"""The invented hosting companies of the synthetic hotline: fictitious names, reserved numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

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
