"""Compiled loops are kept where that is possible, and work where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from numba import njit

from monitor.estimators.compiled import compiled


def doubled(value: int) -> int:
    return 2 * value


def test_where_nothing_may_be_written_a_loop_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bool] = []

    def without_a_place(*, cache: bool = False, **options: Any) -> Any:
        kept.append(cache)
        if cache:
            raise RuntimeError("cannot cache function 'doubled': no locator available")  # as numba says it
        return njit(**options)

    monkeypatch.setattr("monitor.estimators.compiled.njit", without_a_place)
    assert compiled(doubled)(21) == 42
    assert kept == [True, False]
