"""Every parser on arbitrary bytes and on good deliveries made bad: DeliveryError or rows, never anything else."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.formats.catalogue import FORMATS
from monitor.vault import Vault, create_keys
from tests.fuzz.reading import hold
from tests.fuzz.samples import SAMPLES

_BITS = (
    b'"', b"'", b"\\", b";", b",", b"\n", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b'";"', b'";\n"', b"#", b"{",
    b"}", b"[", b"]", b"null", b'"\\ud800"', b"\\u0000", b"1e999", b"-1", b"0000-00-00 00:00:00",
    b"9999-12-31 23:59:59", b"0001-01-01 00:00:00", b"2026-03-29 02:30:00", "٣".encode(), "\u2028".encode(),
    b"x" * 300, b"[" * 3000, b"http://[", b"http://a\xcc\x80.example/", b"9" * 5000,
)  # fmt: skip
_FOUND = Path(__file__).parent / "found"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    path = tmp_path_factory.mktemp("fuzz") / "keys.json"
    create_keys(path)
    return Vault(path)


def test_every_format_has_a_sample_that_is_understood(keys: Vault) -> None:
    assert SAMPLES.keys() == FORMATS.keys()
    for name, sample in SAMPLES.items():
        assert hold(name, sample, keys) >= 2, name


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=2000))
def test_arbitrary_bytes(name: str, keys: Vault, content: bytes) -> None:
    hold(name, content, keys)


@st.composite
def spoilt(draw: st.DrawFn, sample: bytes) -> bytes:
    """The sample with some of its bytes left out, doubled, or replaced by what parsers trip over."""
    content = sample
    for _ in range(draw(st.integers(1, 8))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 80)))
        put = draw(st.sampled_from(_BITS) | st.binary(max_size=8) | st.just(content[start:end] * 2))
        content = content[:start] + put + content[end:]
    return content


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_good_deliveries_made_bad(name: str, keys: Vault, data: st.DataObject) -> None:
    hold(name, data.draw(spoilt(SAMPLES[name])), keys)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=20, deadline=None)
@given(at=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_compressed_file_with_a_bit_turned(name: str, keys: Vault, at: int, bit: int) -> None:
    packed = bytearray(gzip.compress(SAMPLES[name], mtime=0))
    packed[at % len(packed)] ^= 1 << bit
    hold(name, bytes(packed), keys)


@pytest.mark.parametrize("name", FORMATS)
def test_a_line_without_end_costs_no_more_than_its_length(name: str, keys: Vault) -> None:
    noise = random.Random(1).randbytes(1_000_000).replace(b"\n", b"")
    assert hold(name, SAMPLES[name] + noise, keys) <= hold(name, SAMPLES[name], keys) + 1


@pytest.mark.parametrize("path", sorted(_FOUND.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_a_fuzzer_found(path: Path, keys: Vault) -> None:
    hold(path.parent.name, path.read_bytes(), keys)
