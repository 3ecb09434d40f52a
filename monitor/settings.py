"""What is configured: the only reader of the environment and of `monitor.toml`."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.errors import ConfigurationError
from monitor.source_options import SendingHours, Thresholds

_VARIABLES = {
    "home": "MONITOR_HOME",
    "database_url": "MONITOR_DATABASE_URL",
    "key_file": "MONITOR_KEY_FILE",
    "engine": "MONITOR_ENGINE",
    "log_format": "MONITOR_LOG_FORMAT",
    "metrics_token": "MONITOR_METRICS_TOKEN",
    "publisher": "MONITOR_PUBLISHER",
    "contact": "MONITOR_CONTACT",
}
_SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
LOG_FORMATS = ("text", "json")
LICENCES = ("CC0-1.0", "CC-BY-4.0")
MATERIALS = ("child-sexual-abuse", "illegal")  # what most of the reported material is, as pages and report call it


@dataclass(frozen=True)
class Source:
    """Who delivers, how often, in which zone, and what counts as a complete delivery.

    `retry_minutes`: how long to wait after a first failed run; doubled after each further one, up to the cadence.
    `mandate`: what allows the availability probe, which does nothing without.
    `home_country`: where the hotline is; what went to another country has moved. `countries`: how this source writes
    countries, each with its code, where it does so in its own way. `sending`: when it sends, where the operator says
    so; notices at other times are flagged.
    `scheduled`: None means where the operator set a location. `chosen`: the fields the operator set.
    """

    name: str
    publisher: str = ""
    format: str = ""
    location: str = ""
    zone: str | None = None
    recheck_gap_hours: float | None = None
    home_country: str = "NL"
    countries: Mapping[str, str] = field(default_factory=dict, hash=False)
    cadence_minutes: float = 60
    minimum_rows: int = 0
    maximum_rows: int | None = None
    timeout_minutes: float = 30
    retry_minutes: float = 5
    jitter_seconds: int = 60
    scheduled: bool | None = None
    mandate: str = ""
    gate: Thresholds = field(default_factory=Thresholds)
    sending: SendingHours | None = None
    chosen: frozenset[str] = field(default=frozenset(), compare=False)

    def __post_init__(self) -> None:
        """A source's name is kept in clear, and stands in logs: it must not be able to hold an address."""
        if not _SOURCE_NAME.fullmatch(self.name):
            raise ConfigurationError("a source is named with letters, digits, `-` and `_`, 64 of them at most")


BUILT_IN_SOURCES = {
    "scart": Source("scart", publisher="the hotline", recheck_gap_hours=5),
    "urlhaus": Source("urlhaus", publisher="abuse.ch", format="urlhaus", zone="UTC", recheck_gap_hours=6),
}


@dataclass(frozen=True)
class Alerts:
    """How the operator is told: a command that gets JSON on standard input, or a POST of it to an address, or both.

    `failures`: after how many failed runs in a row.
    """

    command: tuple[str, ...] = ()
    webhook: str = ""
    timeout_seconds: float = 10
    failures: int = 3


@dataclass(frozen=True)
class Limits:
    """What readers may cost the site, in each of its worker processes; `[limits]` in monitor.toml.

    `max_connections`: more are refused at once. `max_uploads`: bodies being received at a time; each may take 8 MiB of
    memory. `header_seconds`: for the first line and headers of a request, also where nothing comes at all.
    `idle_seconds`: between two requests. `body_seconds`: for a body, and as much longer as it takes at
    `least_bytes_per_second`. `answer_seconds`: a reader who takes less of an answer in it than that rate is let go.
    """

    max_connections: int = 2000
    max_uploads: int = 32
    header_seconds: float = 10
    idle_seconds: float = 15
    body_seconds: float = 20
    answer_seconds: float = 30
    least_bytes_per_second: float = 1024


@dataclass(frozen=True)
class SiteSettings:
    """What the public site is told: where the publications folder is and how it is presented. No address of a
    database, no key and no token. The fields mean what they mean in `Settings`.
    """

    publications: Path
    site_name: str = "Hostingmonitor"
    publisher: str = ""
    contact: str = ""
    objections: str = ""
    privacy_address: str = ""
    report_address: str = ""
    help_address: str = ""
    material: str = "child-sexual-abuse"
    site_address: str = ""
    desk_address: str = ""
    publisher_iri: str = ""
    licence: str = "CC0-1.0"
    demonstration: bool = False
    log_format: str = "text"
    limits: Limits = field(default_factory=Limits)

    @property
    def published_by(self) -> str:
        """Who publishes; the name of the site where nobody said."""
        return self.publisher or self.site_name


@dataclass(frozen=True)
class Settings:
    """Everything that differs between installations; `origins` says where each value came from.

    `publisher`: who publishes the figures and answers for them. `contact`: an e-mail or web address where readers reach
    the publisher. `objections`: where a company objects to its figures, where that is another address. All three are
    shown on every page; without the first two nothing is published.
    `privacy_address`: the privacy statement of the publisher. `report_address`: where anyone reports such material.
    `help_address`: where victims find help. `material`: what most of the reported material is.
    `site_address`: where the site is, such as https://monitor.example; without it that of each request.
    `desk_address`: where hotlines push, where that is another address.
    `checkpoints`: a second folder for the signed heads of the audit trail, best on another machine.
    `publisher_iri`: what names the publisher in public registers of organisations, for data portals.
    """

    home: Path = Path("var")
    database_url: str = ""
    key_file: Path = Path()
    signing_key_file: Path = Path()
    engine: str = "duckdb://"
    site_name: str = "Hostingmonitor"
    publisher: str = ""
    contact: str = ""
    objections: str = ""
    privacy_address: str = ""
    report_address: str = ""
    help_address: str = ""
    material: str = "child-sexual-abuse"
    site_address: str = ""
    desk_address: str = ""
    publisher_iri: str = ""
    checkpoints: Path = Path()
    licence: str = "CC0-1.0"
    demonstration: bool = False
    log_format: str = "text"
    metrics_token: str = field(default="", repr=False)
    lease_seconds: float = 15
    alerts: Alerts = field(default_factory=Alerts)
    limits: Limits = field(default_factory=Limits)
    sources: Mapping[str, Source] = field(default_factory=lambda: dict(BUILT_IN_SOURCES))
    origins: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Derive what was left open from `home`."""
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.home.absolute() / 'monitor.db'}")
        if self.key_file == Path():
            object.__setattr__(self, "key_file", self.home / "keys.json")
        if self.signing_key_file == Path():
            object.__setattr__(self, "signing_key_file", self.home / "signing.pem")
        if self.log_format not in LOG_FORMATS:
            raise ConfigurationError(f"log_format {self.log_format!r} is not known: take one of {LOG_FORMATS}")
        if self.licence not in LICENCES:
            raise ConfigurationError(f"licence {self.licence!r} is not known: take one of {LICENCES}")
        if self.material not in MATERIALS:
            raise ConfigurationError(f"material {self.material!r} is not known: take one of {MATERIALS}")
        for name in ("site_address", "desk_address", "publisher_iri"):
            _check_address(name, getattr(self, name))
        for name in ("privacy_address", "report_address", "help_address"):
            _check_link(name, getattr(self, name))
        for name in ("contact", "objections"):
            _check_contact(name, getattr(self, name))

    @property
    def lacking(self) -> tuple[str, ...]:
        """What a publication must say and nobody has set: who publishes, and where that is reached."""
        return tuple(name for name in ("publisher", "contact") if not getattr(self, name).strip())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What readers miss on every page, a line each, with what to do."""
        found = [f"{name} is not set in monitor.toml: no release is published without" for name in self.lacking]
        found += [
            f"{name} is not set in monitor.toml: readers are not told {what}"
            for name, what in _LINKS.items()
            if not getattr(self, name)
        ]
        return tuple(found)

    @property
    def checkpoint_folders(self) -> tuple[Path, ...]:
        """Where signed heads of the audit trail are written: in the home folder, and in a second one that is set."""
        own = self.home / "checkpoints"
        return (own,) if self.checkpoints in (Path(), own) else (own, self.checkpoints)

    @property
    def publications(self) -> Path:
        """Where the report and open data of each release are, which the site serves."""
        return self.home / "publications"

    @property
    def projection(self) -> Path:
        """Where the running quarter is projected, hour by hour; nothing of it is public."""
        return self.home / "projection"

    @property
    def public_keys(self) -> Path:
        """Where the public part of every key is that ever signed a release."""
        return self.publications / "keys"

    @property
    def site(self) -> SiteSettings:
        """What the public site is told of all this."""
        return SiteSettings(**{item.name: getattr(self, item.name) for item in fields(SiteSettings)})

    def source(self, name: str) -> Source:
        """The source of that name; one nobody configured has nothing but its name."""
        return self.sources.get(name, Source(name))


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Defaults, then `monitor.toml`, then the environment; raises ConfigurationError on anything unknown."""
    environment = os.environ if environment is None else environment
    path = _configuration_file(environment)
    content = _read_toml(path, required="MONITOR_CONFIG" in environment)
    sources = _sources(content.pop("sources", {}), path)
    alerts = _alerts(content.pop("alerts", {}), path)
    chosen = content.pop("limits", {})
    limits = _limits(chosen, path)
    values: dict[str, Any] = {}
    origins = {f"limits.{name}": str(path) for name in chosen}
    for key, value in content.items():
        if key not in _names(Settings) - {"sources", "alerts", "limits", "origins"}:
            raise ConfigurationError(f"{path}: unknown setting {key!r}; known: {sorted(_names(Settings))}")
        values[key], origins[key] = value, str(path)
    for key, variable in _VARIABLES.items():
        if environment.get(variable):
            values[key], origins[key] = environment[variable], variable
    for key in ("home", "key_file", "signing_key_file", "checkpoints"):
        if key in values:
            values[key] = Path(values[key])
    return Settings(**values, sources=sources, alerts=alerts, limits=limits, origins=origins)


def _configuration_file(environment: Mapping[str, str]) -> Path:
    """The file that MONITOR_CONFIG names, else `monitor.toml` here, else the one in the home folder."""
    if "MONITOR_CONFIG" in environment:
        return Path(environment["MONITOR_CONFIG"])
    here = Path("monitor.toml")
    return here if here.exists() else Path(environment.get("MONITOR_HOME", "var")) / "monitor.toml"


def _names(cls: type) -> set[str]:
    return {item.name for item in fields(cls)}


def _read_toml(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            raise ConfigurationError(f"{path}: no such file (named by MONITOR_CONFIG)")
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not readable as TOML: {error}") from error


def _sources(tables: Mapping[str, Mapping[str, Any]], path: Path) -> dict[str, Source]:
    sources = dict(BUILT_IN_SOURCES)
    for name, table in tables.items():
        unknown = set(table) - (_names(Source) - {"name", "chosen"})
        if unknown:
            raise ConfigurationError(f"{path}: [sources.{name}]: unknown {sorted(unknown)}")
        own = table.get("countries", {})
        if not isinstance(own, Mapping) or not all(isinstance(code, str) for code in own.values()):
            raise ConfigurationError(f'{path}: [sources.{name}]: countries is written {{ "An tSaoirse" = "IE" }}')
        given = dict(table) | ({"gate": _gate(table["gate"], name, path)} if "gate" in table else {})
        given |= {"sending": _sending(table["sending"], name, path)} if "sending" in table else {}
        sources[name] = replace(sources.get(name, Source(name)), **given, chosen=frozenset(table))
        check_zone(sources[name].zone, f"{path}: [sources.{name}]")
    return sources


def _alerts(table: Mapping[str, Any], path: Path) -> Alerts:
    unknown = set(table) - _names(Alerts)
    if unknown:
        raise ConfigurationError(f"{path}: [alerts]: unknown {sorted(unknown)}")
    alerts = replace(Alerts(**table), command=tuple(table.get("command", ())))
    if isinstance(table.get("command"), str) or not all(isinstance(word, str) for word in alerts.command):
        raise ConfigurationError(f'{path}: [alerts]: command must be a list of words, such as ["/usr/bin/notify"]')
    if alerts.webhook and not alerts.webhook.startswith(("https://", "http://127.0.0.1:", "http://[::1]:")):
        raise ConfigurationError(f"{path}: [alerts]: webhook must start with https://")
    return alerts


def _limits(table: Mapping[str, Any], path: Path) -> Limits:
    unknown = set(table) - _names(Limits)
    if unknown:
        raise ConfigurationError(f"{path}: [limits]: unknown {sorted(unknown)}; known: {sorted(_names(Limits))}")
    for name, value in table.items():
        whole = name.startswith("max_")
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or value <= 0:
            kind = "whole number" if whole else "number"
            raise ConfigurationError(f"{path}: [limits]: {name} must be a {kind} above 0")
    return Limits(**table)


def _gate(table: Mapping[str, Any], name: str, path: Path) -> Thresholds:
    unknown = set(table) - _names(Thresholds)
    if unknown:
        raise ConfigurationError(f"{path}: [sources.{name}.gate]: unknown {sorted(unknown)}")
    for limit, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ConfigurationError(f"{path}: [sources.{name}.gate]: {limit} must be a number, 0 or more")
    return Thresholds(**table)


def _sending(table: Mapping[str, Any], name: str, path: Path) -> SendingHours:
    unknown = set(table) - _names(SendingHours)
    if unknown:
        raise ConfigurationError(f"{path}: [sources.{name}.sending]: unknown {sorted(unknown)}")
    days = table.get("free_days", ())
    try:
        return SendingHours(**dict(table) | {"free_days": tuple(str(day) for day in days)})
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: [sources.{name}.sending]: {error}") from error


_LINKS: Mapping[str, str] = {
    "privacy_address": "what the publisher does with personal data",
    "report_address": "where to report such material",
    "help_address": "where victims find help",
}


def _check_link(name: str, value: str) -> None:
    """An address of the web to which a page links; or none."""
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[^\s<>\"']*)?", value):
        raise ConfigurationError(f"{name} must be a web address, such as https://hotline.example/report")


_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?=\S)", re.IGNORECASE)


def _check_contact(name: str, value: str) -> None:
    """An e-mail or web address, or words such as a postal address; never a link to something else."""
    scheme = _SCHEME.match(value)
    if scheme and scheme[0].lower() not in ("http:", "https:", "mailto:"):
        raise ConfigurationError(f"{name} must be words, an e-mail address or a web address with http(s)")


def _check_address(name: str, value: str) -> None:
    """An address of the web, whole and without a slash at its end; or none."""
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[\w.~%/-]*[\w.~%-])?", value):
        raise ConfigurationError(f"{name} must look like https://monitor.example, without a slash at its end")


def check_zone(zone: str | None, where: str) -> None:
    """Raise ConfigurationError where the zone is not in the IANA database."""
    if zone is None:
        return
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError) as error:
        raise ConfigurationError(f"{where}: no time zone {zone!r}; write one such as Europe/Amsterdam") from error
