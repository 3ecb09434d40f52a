"""The legal entity behind a company: frozen with the release, never told of a natural person, absent in older ones."""

from __future__ import annotations

import csv
import json
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.comparison.changes import changes, lines, release_changes
from monitor.db import transaction
from monitor.disclosure.rows import public_table
from monitor.instants import to_datetime
from monitor.models.company import Company, CompanyDetail
from monitor.models.release import Release, ReleaseRow
from monitor.release.draft import draft
from monitor.release.publish import correct, publish
from monitor.release.store import load_table
from monitor.release.verify import rebuild, request_of
from monitor.score.methods import method
from monitor.score.pipeline import score_for_release
from monitor.score.table import LegalEntity, Table, with_field
from monitor.tables.columns import column
from monitor.tables.sheets import ranking_csv, row_json
from monitor.wording.language import EN
from reports.document import page
from tests.conftest import Database
from tests.release.history import AFTER, DRAFTED, KNOWN, LATER, NOW, first_facts, request
from tests.reports.fiction import report
from tests.support.published import COMPANIES, invent

UNTOLD = LegalEntity(None, None)
ENTITIES = {item.key: LegalEntity(f"{item.name} B.V.", f"{90000000 + i}") for i, item in enumerate(COMPANIES)}


def register(session: Session, key: str, number: str, recorded_at: datetime, *, natural: bool | None) -> None:
    """What the registry of companies says of a legal entity from then on."""
    company = session.scalars(select(Company.id).where(Company.key == key)).one()
    detail = CompanyDetail(
        company_id=company, name=key.upper(), country="NL", legal_name=f"{key.upper()} Hosting", registration=number,
        natural_person=natural, proxy=False, review=False, recorded_at=recorded_at,
    )  # fmt: skip
    session.add(detail)


@pytest.fixture
def registered(database: Database) -> Database:
    """`a` is a legal entity, `b` a sole trader, and of `c` nobody has said which."""
    first_facts(database)
    with transaction(database.engine) as session:
        for key, natural in (("a", False), ("b", True), ("c", None)):
            register(session, key, f"9000000{ord(key) - 96}", to_datetime(KNOWN - 60), natural=natural)
    return database


def legal_of(table: Table) -> dict[str, LegalEntity | None]:
    return {company.company: company.legal for company in table.companies}


def publish_as(session: Session, table: Table) -> Release:
    release = draft(session, table, method(), DRAFTED, "test")
    publish(session, release, "invented companies", DRAFTED, "test")
    return release


def test_it_is_frozen_as_it_was_known_and_never_told_of_a_natural_person(registered: Database) -> None:
    with transaction(registered.engine) as session:
        release = publish_as(session, score_for_release(session, request()))
        register(session, "a", "90000009", LATER, natural=False)
    with transaction(registered.engine) as session:
        release = session.get_one(Release, 1)
        frozen = load_table(session, release)
        told = {"a": LegalEntity("A Hosting", "90000001")} | dict.fromkeys("bcd", UNTOLD)
        assert legal_of(frozen) == told
        rows = "".join(session.scalars(select(ReleaseRow.row_json)))
        assert ("90000001" in rows, "90000002" in rows, "B Hosting" in rows, "C Hosting" in rows) == (
            True,
            *[False] * 3,
        )
        assert "legal" not in json.loads(release.table_json)["network"]
        assert rebuild(session, release).problems == ()
        new = correct(session, release, request_of(release, known_at=NOW), "another number", AFTER, "test")
        found = release_changes(frozen, load_table(session, new))
    [company] = found.notices.companies
    assert [(each.figure, each.before, each.after) for each in company.changes] == [
        ("registration", "90000001", "90000009")
    ]


def test_a_release_from_before_comes_out_again_and_differs_in_no_figure_from_one_after(registered: Database) -> None:
    with transaction(registered.engine) as session:
        whole = score_for_release(session, request())
        before = with_field(whole, "legal", {})
        release = publish_as(session, before)
        assert "legal" not in "".join(session.scalars(select(ReleaseRow.row_json)))
        assert rebuild(session, release).problems == ()
        assert not release_changes(load_table(session, release), whole)
    old, new = public_table(before), public_table(whole)
    assert not changes(old, new)
    for row in old.rows:
        after = new.find(row.company)
        assert after is not None
        assert lines(row, after, EN) == ()


def test_it_stands_on_the_line_of_a_company_also_of_one_without_figures() -> None:
    table = public_table(with_field(invent(), "legal", ENTITIES))
    sheet = list(csv.DictReader(ranking_csv(table.rows).splitlines()))
    assert list(sheet[0])[:6] == ["company", "name", "legal_name", "registration", "country", "via_proxy"]
    small = next(line for line in sheet if line["company"] == "kaaskop-hosting")
    assert (small["registration"], small["legal_name"], small["sites"]) == ("90000014", "Kaaskop Hosting B.V.", "")
    row = table.find("as64496")
    assert row is not None
    assert [row_json(row)[name] for name in ("legal_name", "registration")] == ["Rietkraag Cloud B.V.", "90000000"]
    assert column("legal_name").title(EN) == "Legal name"
    assert column("registration").kind == "string"


def test_a_release_without_it_has_the_columns_and_fields_it_had() -> None:
    table = public_table(invent())
    head = ranking_csv(table.rows).splitlines()[0]
    assert head.startswith("company,name,country,via_proxy,standing,episodes,sites,notices,renotices,")
    assert not [row for row in table.rows if {"legal_name", "registration", "legal"} & row_json(row).keys()]
    assert "registration" not in ranking_csv(()).splitlines()[0]


def test_an_unknown_one_is_null_and_a_new_one_is_told_as_a_change() -> None:
    unknown, known = (public_table(with_field(invent(), "legal", found)) for found in (
        dict.fromkeys(ENTITIES, UNTOLD), ENTITIES,
    ))  # fmt: skip
    before, after = unknown.find("as64496"), known.find("as64496")
    assert before is not None
    assert after is not None
    assert row_json(before)["registration"] is None
    assert [(line.name, line.before, line.after) for line in lines(before, after, EN)] == [
        ("Legal name", "–", "Rietkraag Cloud B.V."),
        ("Registration number", "–", "90000000"),
    ]


def test_the_report_says_it_below_the_name_of_a_company() -> None:
    text = page(report(with_field(invent(), "legal", ENTITIES)), EN, "print")
    assert "Rietkraag Cloud <small>Rietkraag Cloud B.V.</small> <small>90000000</small></th>" in text
    assert "90000000" not in page(report(invent()), EN, "print")
