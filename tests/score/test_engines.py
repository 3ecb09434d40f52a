"""One expression, four engines: the same JSON from each, from the same facts."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from monitor.db import transaction
from monitor.errors import ConfigurationError, MonitorError
from monitor.period import Period
from monitor.score import engine as engines
from monitor.score.facts import exported_at, read_export, write_export
from monitor.score.methods import method
from monitor.score.pipeline import Request, score_for_release
from monitor.vocabulary import DeliveryState
from tests.conftest import Database
from tests.score.world import ZERO, World, at, world

HOSTS = ("a", "b", "c", "d", None)


def fill(w: World) -> None:
    """Some 300 items of four companies and of nobody, with everything that can befall them."""
    dice = random.Random(2026)
    sites = [w.site() for _ in range(25)]
    for n in range(300):
        host = dice.choice(HOSTS)
        c = w.content(host, dice.choice(sites))
        start = dice.randrange(0, 2000) / 4
        w.notice(c, start, delivery=dice.choice([DeliveryState.ASSUMED] * 9 + [DeliveryState.REFUSED]))
        seen = start
        for _ in range(dice.randrange(5)):
            seen += dice.randrange(1, 40) / 3
            w.seen(c, seen, "online")
        end = seen + dice.randrange(1, 30) / 7
        what = dice.choice(["offline"] * 6 + ["moved", "hosted", "reappeared", "nothing"])
        if what == "hosted":
            w.hosted(c, dice.choice(["a", "b"]), end)
        elif what != "nothing":
            w.seen(c, end, "moved" if what == "moved" else "offline", country="DE" if n % 2 else None)
        if what == "reappeared":
            w.seen(c, end + 24, "online")
        if n % 17 == 0:
            w.suspended(start + 1, start + dice.randrange(2, 50), c)
            w.seen(c, start + 0.5, "unknown", pause="host_changed")
    w.suspended(100, 130)
    w.suspended(200, 215, source="test")


def scored(database: Database, engine_url: str, facts: Path | None = None) -> str:
    request = Request(Period("test", ZERO, ZERO + 400 * 3600), ZERO + 700 * 3600, 2**35, method(), engine_url, facts)
    with transaction(database.engine) as session:
        return json.dumps(score_for_release(session, request).as_json(), indent=1)


@pytest.fixture
def filled(database: Database) -> Database:
    with world(database) as w:
        fill(w)
    return database


def test_in_place_is_duckdb_to_the_byte(filled: Database) -> None:
    """PostgreSQL and SQLite compute where the facts are."""
    copied = scored(filled, "duckdb://")
    kind = filled.url.partition(":")[0].partition("+")[0]
    assert scored(filled, f"{kind}://") == copied
    table = json.loads(copied)
    assert len(table["companies"]) == 4
    assert all(company["relocation"] and company["unverified"] for company in table["companies"])
    assert {flow["destination"] for flow in table["flows"]} == {"a", "b", None}
    assert len({json.dumps(norm["companies"]) for norm in table["norms"]}) == 4


@pytest.fixture
def spark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Spark in an empty working directory; Java compiles plainly, which is quicker for work as small as this."""
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    monkeypatch.setenv(
        "PYSPARK_SUBMIT_ARGS", "--conf spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 pyspark-shell"
    )
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_an_export_scores_like_the_database(filled: Database, tmp_path: Path) -> None:
    about = write_export(filled.url, 2**35, tmp_path / "facts")
    assert about["rows"]["contents"] == 300
    assert {path.name for path in (tmp_path / "facts" / "notices").iterdir()} == {"quarter=2026Q1", "quarter=2026Q2"}
    assert scored(filled, "duckdb://", tmp_path / "facts") == scored(filled, "duckdb://")


@pytest.mark.database("postgresql")  # Spark reads the export, which is the same from both
@pytest.mark.filterwarnings("ignore::DeprecationWarning:pyspark", "ignore::UserWarning:pyspark")
def test_spark_is_duckdb_to_the_byte(filled: Database, spark: None, tmp_path: Path) -> None:
    write_export(filled.url, 2**35, tmp_path / "facts")
    assert scored(filled, "pyspark://local[2]", tmp_path / "facts") == scored(filled, "duckdb://", tmp_path / "facts")
    assert not list(Path().iterdir())  # no spark-warehouse, no metastore_db


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pyspark", "ignore::UserWarning:pyspark")
def test_spark_divides_by_a_fraction_as_a_double(spark: None) -> None:
    """3 h and a second by 3 h: in decimals 10801 / 10800.0 is 1.0000926."""
    with engines.opened("pyspark://local[2]") as engine:
        rows = engines.put(engine, "rows", pa.table({"t": [10801]}))
        kept = engines.keep(rows.select(hours=rows.t / 10800.0))
        assert engine.to_pyarrow(kept)["hours"].to_pylist() == [10801 / 10800]
        engines.drop(rows, kept)


def test_an_export_says_until_when_it_knows_and_is_never_overwritten(filled: Database, tmp_path: Path) -> None:
    write_export(filled.url, ZERO, tmp_path / "facts")
    assert exported_at(tmp_path / "facts") == ZERO
    with pytest.raises(MonitorError, match="facts is there already"):
        write_export(filled.url, ZERO, tmp_path / "facts")
    with pytest.raises(MonitorError, match="holds no export"):
        exported_at(tmp_path)


def test_the_same_bytes_on_every_run(filled: Database) -> None:
    assert len({scored(filled, "duckdb://") for _ in range(3)}) == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("oracle://x", "engine 'oracle' is not supported; use duckdb://"),
        ("sqlite:////elsewhere/monitor.db", "the facts are in a .* database other than that engine"),
        ("postgresql://127.0.0.1/other", "the facts are in a .* database other than that engine"),
    ],
)
def test_an_engine_without_the_facts_is_refused(database: Database, url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        engines.connect(url, database.url)


def test_an_export_is_not_for_an_engine_that_reads_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="read by the engines duckdb and pyspark"):
        read_export(engines.connect("sqlite://"), tmp_path)


def test_the_zero_point_is_in_a_quarter() -> None:
    """What the partitions above are named after."""
    assert str(at(0))[:10] == "2026-03-31"
