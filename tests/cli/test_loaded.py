"""What commands load: each module costs time at every start, and some cost more than all that a command does."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from monitor.score.engine import to_numpy

_DUCKDB = """
import ibis, numpy as np, monitor.score.pipeline, monitor.score.explain
from monitor.score.engine import connect, fetch, integer_table, put, to_numpy
engine = connect("duckdb://")
rows = put(engine, "rows", integer_table({"a": np.arange(3), "b": np.zeros(3, np.int32)}))
found = fetch(engine, rows.aggregate(a=rows.a.sum(), n=rows.count()))
assert found.schema.types == rows.aggregate(a=rows.a.sum(), n=rows.count()).schema().to_pyarrow().types
assert to_numpy(found["a"]).tolist() == [3]
"""


@pytest.mark.parametrize(
    ("code", "not_loaded"),
    [
        ("import monitor.cli", {"sqlalchemy", "numpy", "cryptography", "msgspec"}),
        ("import monitor.cli.release", {"numpy", "cryptography", "pyarrow", "monitor.vault", "monitor.score.table"}),
        (
            "import monitor.score.extract, monitor.score.fact_digests",
            {"pandas", "sqlalchemy", "click", "ibis", "scipy", "numba"},
        ),
        (_DUCKDB, {"pandas", "scipy.stats", "pyarrow.dataset"}),
        (
            "import monitor.ingest.reader_process",
            {"numpy", "sqlalchemy", "xarf", "msgspec", "monitor.formats.announcements"},
        ),
        ("import monitor.cli.deliveries", {"xarf", "monitor.release"}),
        ("import monitor.cli.schedule", {"numpy", "babel", "xarf", "monitor.charts"}),
        ("import web.public.app", {"sqlalchemy", "xarf", "pydantic", "jsonschema"}),
        ("import web.desk.app", {"xarf", "pydantic", "jsonschema"}),
    ],
    ids=["help", "release", "facts reader", "score", "reader process", "deliveries", "schedule", "site", "desk"],
)
def test_what_is_not_loaded(code: str, not_loaded: set[str]) -> None:
    told = f"{code}\nimport sys\nprint(*({not_loaded!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.chunked_array([], pa.int64()), []),
        (pa.chunked_array([pa.array([], pa.int32())]), []),
        (pa.chunked_array([pa.array([1, 2]), pa.array([3])]), [1, 2, 3]),
        (pa.chunked_array([pa.array([1.5, None])]), [1.5, np.nan]),
    ],
)
def test_a_column_as_an_array(column: pa.ChunkedArray, values: list[float]) -> None:
    found = to_numpy(column)
    np.testing.assert_array_equal(found, values)
    assert found.dtype == column.type.to_pandas_dtype()
