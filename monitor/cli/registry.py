"""`monitor registry`, `netblocks`, `attribute` and `confirm`: who is responsible for which address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.assign import attribute_notices
from monitor.attribute.netblocks import READERS, TableFile, load_netblocks, read_table
from monitor.attribute.registry import load_registry
from monitor.attribute.review import Review, review
from monitor.attribute.review import confirm as confirm_companies
from monitor.attribute.tables import load_tables
from monitor.attribute.volume import announced
from monitor.clear_text import holds_address
from monitor.cli.runtime import json_option, runtime, show
from monitor.db import lock_writers, transaction
from monitor.errors import DeliveryError
from monitor.formats.registry import read_registry
from monitor.instants import to_datetime
from monitor.models.company import Company, CompanyDetail
from monitor.release.publish import unconfirmed_in
from monitor.release.store import find

if TYPE_CHECKING:
    from monitor.release.registry_check import RegistryCheck

FILE = click.argument("file", type=click.Path(path_type=Path))
DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def registry() -> None:
    """Load the company registry, or check what loading it would change."""


@registry.command("load")
@FILE
@json_option
def load_companies(file: Path, as_json: bool) -> None:
    """Load companies with their aliases, abuse addresses, ASNs, prefixes and domains from YAML or CSV."""
    run = runtime()
    with _naming(file), transaction(run.engine) as session:
        records = read_registry(file)
        lock_writers(session)  # the clock is asked when nobody else writes
        answer = load_registry(session, records, to_datetime(run.now()))
    text = (
        f"{answer.companies} companies: {answer.new} new, {answer.changed} changed; "
        f"{answer.claims_added} claims added, {answer.claims_ended} ended"
    )
    show(asdict(answer), as_json, text)


@registry.command("check")
@FILE
@json_option
def check_companies(file: Path, as_json: bool) -> None:
    """Say what loading FILE would change, and change nothing; exit 1 where it would be refused."""
    from monitor.release.registry_check import check_registry

    run = runtime()
    with _naming(file), transaction(run.engine) as session:
        records = read_registry(file)
        lock_writers(session)
        found = check_registry(session, run.vault, records, to_datetime(run.now()))
    show(asdict(found), as_json, "\n".join(_check_lines(found)))


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """A DeliveryError that comes out of it begins with the name of the file, unless that looks like an address."""
    try:
        yield
    except DeliveryError as error:
        raise DeliveryError(str(error) if holds_address(file.name) else f"{file.name}: {error}") from error


def _check_lines(found: RegistryCheck) -> Iterator[str]:
    answer = found.answer
    yield (
        f"{answer.companies} companies: {answer.new} would be new, {answer.changed} changed; "
        f"{answer.claims_added} claims added, {answer.claims_ended} ended"
    )
    for change in found.companies:
        what = "new" if change.is_new else f"changed: {', '.join(change.fields)}" if change.fields else "claims only"
        yield f"  {change.company}: {what}; {change.claims_added} claims added, {change.claims_ended} changed or ended"
    yield (
        f"after `monitor attribute` {found.items} items would be another company's, {found.open_items} of them open; "
        f"published companies concerned: {', '.join(found.published) or 'none'}"
    )


@click.group()
def netblocks() -> None:
    """Load and list tables of address ranges."""


@netblocks.command("load")
@FILE
@click.option("--date", "dated", required=True, type=DAY, help="The day the table is of.")
@click.option("--format", "kind", type=click.Choice(list(READERS)), default="ranges", show_default=True)
@click.option("--despite-change", is_flag=True, help="Take it even where it is very unlike the table before it.")
@json_option
def load_ranges(file: Path, dated: datetime, kind: str, despite_change: bool, as_json: bool) -> None:
    """Load a table of one day: ranges (start,end,asn,organisation), a RIS whois dump, or CAIDA's pfx2as."""
    run = runtime()
    given = TableFile(file, dated.replace(tzinfo=UTC).date(), kind)
    table = read_table(given)  # before anybody has to wait for us
    with transaction(run.engine) as session:
        lock_writers(session)  # the clock is asked when nobody else writes
        answer = load_netblocks(session, given, to_datetime(run.now()), despite_change=despite_change, table=table)
    done = "was there already" if answer.repeated else f"{answer.networks} networks named"
    show(asdict(answer), as_json, f"table {answer.table}: {answer.rows} rows, {answer.ranges} ranges, {done}")


@netblocks.command("list")
@json_option
def list_tables(as_json: bool) -> None:
    """List the tables, oldest first; of one day the last goes before the others."""
    with transaction(runtime().engine) as session:
        rows = [
            {
                "table": header.identifier,
                "dated": header.dated.isoformat(),
                "format": header.format,
                "rows": header.rows,
                "ranges_v4": header.ranges_v4,
                "ranges_v6": header.ranges_v6,
            }
            for header in load_tables(session).headers
        ]
    text = [
        f"{row['table']:>5}  {row['dated']}  {row['format']:8} {row['rows']:>9} rows "
        f"{row['ranges_v4']:>9} ranges of IPv4 {row['ranges_v6']:>9} of IPv6"
        for row in rows
    ]
    show(rows, as_json, "\n".join(text) or "no tables yet; load one with `monitor netblocks load`")


@netblocks.command("volume")
@click.option("--date", "dated", type=DAY, help="The day to count for (default: today).")
@json_option
def show_volume(dated: datetime | None, as_json: bool) -> None:
    """Count what each company announces: IPv4 addresses, and IPv6 in networks of /48."""
    run = runtime()
    now = to_datetime(run.now())
    with transaction(run.engine) as session:
        rows = _volumes(session, now, (dated or now).date())
    text = [f"{row['company']:32} {_count(row['ipv4'])} IPv4  {_count(row['ipv6_48'])} /48 of IPv6" for row in rows]
    show(rows, as_json, "\n".join(text) or "no company announces anything, as far as the tables say")


def _volumes(session: Session, known_at: datetime, day: date) -> list[dict[str, str | int | None]]:
    """The largest first."""
    named = select(Company.id, Company.key, CompanyDetail.name).join(
        CompanyDetail, CompanyDetail.company_id == Company.id
    )
    names = {row.id: row for row in session.execute(named.order_by(CompanyDetail.id))}
    found = announced(session, known_at, day)
    order = sorted(found, key=lambda company: (-(found[company].v4 or 0), -(found[company].v6 or 0), company))
    return [
        {
            "company": names[company].key,
            "name": names[company].name,
            "ipv4": found[company].v4,
            "ipv6_48": found[company].v6,
        }
        for company in order
    ]


def _count(number: str | int | None) -> str:
    return f"{'-' if number is None else number:>14}"


@click.command()
@json_option
def attribute(as_json: bool) -> None:
    """(Re)attribute all notices with today's registry and networks; nothing earlier is overwritten."""
    run = runtime()
    with transaction(run.engine) as session:
        lock_writers(session)  # the clock is asked when nobody else writes
        changed = attribute_notices(session, run.vault, to_datetime(run.now()))
        found = review(session)
    show({"changed": changed, **asdict(found)}, as_json, _describe(changed, found))


@click.command()
@click.argument("companies", nargs=-1, metavar="COMPANY...")
@click.option("--draft", metavar="RELEASE", help="Confirm all companies of a draft that nobody has confirmed.")
@click.option("--by", required=True, metavar="NAME", help="Who knows that they are who they are said to be.")
@json_option
def confirm(companies: tuple[str, ...], draft: str | None, by: str, as_json: bool) -> None:
    """Confirm that a recipient or network is the company it is named as: none is published before.

    `monitor attribute` lists those to confirm. One that is misnamed belongs into the registry instead.
    """
    if bool(companies) == bool(draft):
        raise click.UsageError("name companies by their keys, or a draft with --draft")
    run = runtime()
    with transaction(run.engine) as session:
        lock_writers(session)
        named = companies or [row["company"] for row in unconfirmed_in(session, find(session, draft or ""))]
        done = confirm_companies(session, named, to_datetime(run.now()), by)
    show(
        done, as_json, "\n".join(f"confirmed: {row['company']} ({row['name']})" for row in done) or "nothing to confirm"
    )


def _describe(changed: int, found: Review) -> str:
    lines = [f"{changed} attributions changed"]
    lines += [f"  by {basis}: {count} contents" for basis, count in sorted(found.by_basis.items()) if basis != "none"]
    lines.append(f"unattributed: {len(found.unattributed)} contents (they count in the totals)")
    if found.unattributed:
        shown = ", ".join(map(str, found.unattributed[:10]))
        lines.append(f"  content numbers: {shown}{', ...' if len(found.unattributed) > 10 else ''} (all with --json)")
    lines += [
        f"contradiction: {row['contents']} contents of {row['company']} ({row['basis']}) lie at {row['other']}"
        for row in found.contradictions
    ]
    lines += [
        f"ambiguous: {row['notices']} notices to {row['name']!r}, which is like the names of several companies; "
        "make it an alias of one, or decide with `monitor correct reassign`"
        for row in found.ambiguous
    ]
    lines += [f"to confirm: {row['company']} ({row['name']})" for row in found.to_confirm]
    return "\n".join(lines)
