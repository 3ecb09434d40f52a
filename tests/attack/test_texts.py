"""A URL in any field of a delivery becomes neither a company nor a clear text: the row is quarantined (S1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from monitor.attribute.registry import load_registry
from monitor.audit import record
from monitor.clear_text import holds_address, holds_item, is_mail
from monitor.db import Base, transaction
from monitor.errors import ConfigurationError, MonitorError
from monitor.formats.catalogue import FORMATS
from monitor.formats.registry import read_registry
from monitor.ingest.delivery import ingest
from monitor.ingest.review import ReviewDecision
from monitor.instants import to_datetime
from monitor.models import Company, Notice
from monitor.settings import Source
from monitor.vault import Vault
from tests.attack.samples import KEPT_WITH, RECEIVED, SAMPLES, URL
from tests.conftest import Database

SPELLINGS = (
    URL,
    "HTTPS://ZQHOST.EXAMPLE/zqpath",
    "https%3A%2F%2Fzqhost.example%2Fzqpath%2Fb",
    "https%253A%252F%252Fzqhost%252Eexample",
    "hxxps://zqhost[.]example/zqpath",
    "zqhost(.)example",
    "zqhost[dot]example",
    "zqhost.example",
    "www.zqhost.example.",
    "Delta (zqhost.example) Datacenters",
    "user:pass@zqhost.example:8080",
    "//zqhost.example/zqpath",
    "/zqpath/b?zqquery=2",
    "zqpath/b?zqquery=2",
    "zqhost&#46;example",
    "zqhost\uff0eexample",
    "zq\u200bhost.exa\u00admple",
    "xn--zqhst-jua.example",
    "zqh\u00f6st.example",
    "192.0.2.77",
    "0xc0.0x00.0x02.0x4d",
    "2001:db8::4d",
    "zqonion.onion",
)
NAMES = (
    "Delta Datacenters", "Delta Datacenters B.V.", "DELTA S.A.", "Example Co.Ltd", "Example Pte.Ltd.",
    "Sample & Sons, Inc.", "Zolder A/S", "Cloud 24/7", "Sp. z o.o. Sample", "d.o.o. Sample", "St.Petersburg Sample",
    "Universit\u00e9 d'Exemple", "\u682a\u5f0f\u4f1a\u793e\u793a\u4f8b",
    "M2026041000001", "2026/04/123", "R-1", "NL",
    "C\u00f4te d'Ivoire", "Example/Sample GmbH", "00000000-0000-4000-8000-000000000001", "AS64496 Example",
    "e-Sample (NL)",
)  # fmt: skip


def test_every_format_is_attacked() -> None:
    assert set(SAMPLES) == set(FORMATS)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_row_is_taken_as_it_is(database: Database, vault: Vault, tmp_path: Path, name: str) -> None:
    with transaction(database.engine) as session:
        answer = ingest(session, vault, SAMPLES[name].delivery(tmp_path, name, {}), RECEIVED)
        assert (answer.accepted, answer.quarantined) == (1, {})


@pytest.mark.parametrize(("name", "column"), [(name, column) for name, s in SAMPLES.items() for column in s.free])
def test_an_address_in_a_field_is_quarantined_and_stands_nowhere_in_clear(
    database: Database, vault: Vault, tmp_path: Path, name: str, column: str
) -> None:
    before = "abuse@delta.example " if "mail" in column or "contact" in column else ""
    attacks = [before + text for text in SPELLINGS]
    attacks = [text for text in attacks if "@" not in text or not is_mail(text)]  # mails are kept as keyed digests only
    assert len(attacks) > 5
    kept = KEPT_WITH.get((name, column), {})
    with transaction(database.engine) as session:
        for text in attacks:
            answer = ingest(session, vault, SAMPLES[name].delivery(tmp_path, name, kept | {column: text}), RECEIVED)
            assert (answer.accepted, answer.duplicate, sum(answer.quarantined.values())) == (0, 0, 1), text
    clear = everything_in(database)
    assert not [secret for secret in ("zqhost", "zqpath", "zqquery", "zqonion", *attacks) if secret.lower() in clear]


def everything_in(database: Database) -> str:
    """Every value of every table as text, in small letters."""
    with database.engine.connect() as connection:
        rows = [row for table in Base.metadata.sorted_tables for row in connection.execute(select(table))]
    return "\n".join(_text(value) for row in rows for value in row).lower()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("text", SPELLINGS)
def test_an_address_is_known_in_every_spelling(text: str) -> None:
    assert holds_address(text)


@pytest.mark.parametrize("text", NAMES)
def test_a_name_a_country_or_a_number_is_none(text: str) -> None:
    assert not holds_address(text)
    assert not holds_item(text, URL, "zqhost.example")


@pytest.mark.parametrize("text", ["zqpath/b", "see zqlocal", "ZQPATH%2Fb"])
def test_a_text_that_holds_its_own_item_is_known(text: str) -> None:
    host = "zqlocal" if "zqlocal" in text else "zqhost.example"
    assert holds_item(text, f"https://{host}/zqpath/b?zqquery=2", host)


@pytest.mark.parametrize("column", ["abuse owner", "NTD filenumber"])
@pytest.mark.parametrize("text", ["zqpath/b", "ZQPATH%2Fb"])
def test_a_row_that_goes_by_columns_is_held_against_its_own_url_too(
    database: Database, vault: Vault, tmp_path: Path, column: str, text: str
) -> None:
    with transaction(database.engine) as session:
        answer = ingest(session, vault, SAMPLES["scart-ntd"].delivery(tmp_path, "scart-ntd", {column: text}), RECEIVED)
        assert (answer.accepted, answer.quarantined) == (0, {"text_holds_address": 1})


@pytest.mark.parametrize("text", ["zqpath/b", "ZQPATH%2Fb"])
def test_a_country_that_is_none_is_not_kept(database: Database, vault: Vault, tmp_path: Path, text: str) -> None:
    with transaction(database.engine) as session:
        delivery = SAMPLES["scart-ntd"].delivery(tmp_path, "scart-ntd", {"abuse country": text})
        answer = ingest(session, vault, delivery, RECEIVED)
        assert (answer.accepted, answer.warnings) == (1, ("unknown_country: 1 rows",))
        assert session.scalars(select(Notice.recipient_country)).all() == [None]


def test_a_short_host_is_not_found_inside_of_words() -> None:
    assert not holds_item("Holland Hosting/Sample", "http://land/zqpath/b", "land")


def test_a_name_that_the_registry_has_may_look_like_a_host(database: Database, vault: Vault, tmp_path: Path) -> None:
    registry = tmp_path / "registry.yaml"
    registry.write_text("companies: [{key: sample, name: Sample.example B.V., aliases: [sample.example]}]\n", "utf-8")
    with transaction(database.engine) as session:
        load_registry(session, read_registry(registry), to_datetime(RECEIVED))
        for name, column in (("inhope-csv", "recipient"), ("scart-ntd", "abuse owner"), ("xarf", "hosting_provider")):
            sample = SAMPLES[name].delivery(tmp_path, name, {column: "SAMPLE.example"})
            assert ingest(session, vault, sample, RECEIVED).quarantined == {}
        assert session.scalars(select(Company.key)).all() == ["sample"]


@pytest.mark.parametrize("text", [URL, "zqhost.example", "https%3A%2F%2Fzqhost.example"])
def test_what_a_person_writes_is_kept_in_clear_and_may_hold_none_either(database: Database, text: str) -> None:
    with pytest.raises(MonitorError, match="the reason is kept in clear and may hold no address or host"):
        ReviewDecision("operator", f"see {text}", RECEIVED)
    with pytest.raises(MonitorError, match="who decides is kept in clear"):
        ReviewDecision(text, "a reason", RECEIVED)
    with transaction(database.engine) as session, pytest.raises(MonitorError, match="may hold no address"):
        record(session, to_datetime(RECEIVED), "operator", "test", "subject", {"inner": [{"reason": text}]})
    with pytest.raises(ConfigurationError, match="a source is named with letters, digits") as refused:
        Source(text)
    assert "zq" not in str(refused.value)
