"""A file that is no registry, or a damaged one: refused with what is wrong, and nothing of what was loaded changes."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest

from monitor.errors import DeliveryError
from monitor.formats.registry import read_registry
from monitor.vocabulary import Claim
from tests.support.commands import run_command

HEAD = "key,name,country,registration,aliases,asns,proxy"
GOOD = f"{HEAD}\nfoxtrot,Foxtrot B.V.,NL,01234567,Fox|Trot,64496,no\n"

STRANGE: dict[str, tuple[str, str | bytes, str]] = {
    "one odd line, .csv": ("r.csv", "hello", "line 1 must name the columns key and name"),
    "one odd line, .yaml": ("r.yaml", "hello", "expected a list of companies under `companies:`"),
    "one company without a header": ("r.csv", "foxtrot,Foxtrot B.V.,NL,01234567,,64496,no", "line 1 must name"),
    "a header only": ("r.csv", HEAD, "the file names no company"),
    "a header and blank lines": ("r.csv", HEAD + "\n\n  \n", "the file names no company"),
    "another table": ("r.csv", "start,end,asn,organisation\n192.0.2.0,192.0.2.9,64496,X\n", "line 1 must name"),
    "one column too many": ("r.csv", "key,name,colour\nfoxtrot,F,red\n", "line 1 must name"),
    "a column twice": ("r.csv", "key,name,asns,asns\nfoxtrot,F,1,2\n", "line 1 must name .* each once"),
    "a cell too many": ("r.csv", GOOD + "golf,Golf,NL,,,64497,no,extra\n", "line 3 has 8 cells, line 1 names 7"),
    "a cell too few": ("r.csv", GOOD + "golf,Golf,NL,,,64497\n", "line 3 has 6 cells"),
    "a quote left open": ("r.csv", GOOD + '"golf,Golf,NL,,,64497,no\n' + GOOD * 9, "line 3: its quotes do not pair"),
    "a line break in a name": (
        "r.csv",
        HEAD + '\nfoxtrot,"Foxtrot\nB.V.",NL,,,,no\n',
        "line 2: its quotes do not pair",
    ),
    "a word that is no yes or no": ("r.csv", GOOD.replace("no\n", "maybe\n"), "`proxy` must be yes or no"),
    "an empty list": ("r.yaml", "companies: []", "the file names no company"),
    "nothing under companies": ("r.yaml", "companies:\n", "expected a list of companies"),
    "a number": ("r.yaml", "42", "expected a list of companies"),
    "a list of scalars": ("r.yaml", "companies: [foxtrot, golf]", "expected a list of companies"),
    "something beside it": ("r.yaml", "companies: [{key: f, name: F}]\nowners: []", "and nothing else"),
    "companies twice": ("r.yaml", "companies: [{key: f, name: F}]\ncompanies: [{key: g, name: G}]", "a field twice"),
    "a field twice": (
        "r.yaml",
        "companies: [{key: f, name: F, asns: [1], asns: [2]}]",
        "line 1: one entry has a field",
    ),
    "a scalar for a list": ("r.yaml", "companies: [{key: f, name: F, asns: 64496}]", "`asns` must be a list"),
    "a list for a scalar": ("r.yaml", "companies: [{key: f, name: [F, G]}]", "have one value each"),
    "a list in a list": ("r.yaml", "companies: [{key: f, name: F, asns: [[1]]}]", "`asns`: each has `value`"),
    "an alias": ("r.yaml", "a: &a [x]\ncompanies: [*a]", "has a YAML alias"),
    "deep nesting": ("r.yaml", "[" * 5000, "not readable as YAML"),
    "a page": ("r.yaml", "<html>Not found</html>", "this is a web page"),
    "not UTF-8": ("r.csv", b"key,name\nfoxtrot,F\xff\n", "line 2 cannot be read"),
    "semicolons": ("r.csv", GOOD.replace(",", ";"), "line 1 is separated by semicolons; export the registry with"),
    "no value in YAML": ("r.yaml", "companies: [{key: f, name: F, registration: null}]", "line 1: null stands for no"),
    "a fraction for an ASN": (
        "r.yaml",
        "companies: [{key: f, name: F, asns: [64496.0]}]",
        "is written 64496 or AS64496",
    ),
    "a grouped ASN": ("r.yaml", "companies: [{key: f, name: F, asns: [6_4496]}]", "is written 64496 or AS64496"),
    "a host in a network": (
        "r.yaml",
        "companies: [{key: f, name: F, prefixes: [192.0.2.1/24]}]",
        "is written 192.0.2.0/24",
    ),
    "a name of nobody": ("r.csv", GOOD.replace("Foxtrot B.V.", "(UNKNOWN)"), "line 2 .foxtrot.: `name` stands for no"),
    "an alias of nobody": ("r.csv", GOOD.replace("Fox|Trot", "Fox|n/a"), "stands for no name, and would claim all"),
    "a line break in YAML": (
        "r.yaml",
        "companies:\n- key: f\n  name: |\n    F\n    G\n",
        "line 2 .f.: `name` holds a line",
    ),
    "a country that is none": ("r.csv", GOOD.replace("NL", "UK"), "`country` must be the two capital letters of ISO"),
    "a suffix": (
        "r.yaml",
        "companies: [{key: f, name: F, domains: [co.uk]}]",
        "a suffix under which anybody registers",
    ),
    "a URL for a domain": (
        "r.yaml",
        "companies: [{key: f, name: F, domains: ['http://f.example/']}]",
        "without scheme",
    ),
    "an address for a domain": ("r.yaml", "companies: [{key: f, name: F, domains: [192.0.2.1]}]", "one of `prefixes`"),
    "a mail address without @": (
        "r.yaml",
        "companies: [{key: f, name: F, abuse_addresses: [f]}]",
        "abuse@hoster.example",
    ),
    "a claim that ends before it begins": (
        "r.yaml",
        "companies: [{key: f, name: F, asns: [{value: 1, valid_from: 2026-01-02, valid_to: 2026-01-02}]}]",
        "ends before it begins",
    ),
    "a day without hyphens": (
        "r.yaml",
        "companies: [{key: f, name: F, asns: [{value: 1, valid_from: 20260102}]}]",
        "`asns`: `valid_from` is no date such as",
    ),
    "a NUL": ("r.yaml", "companies: [{key: f, name: 'F\x00'}]", "line 1 cannot be read"),
    "a company twice": ("r.csv", GOOD + GOOD.splitlines()[1], "stands there twice"),
}


def _written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", STRANGE)
def test_it_is_refused_with_what_is_wrong(tmp_path: Path, kind: str) -> None:
    name, content, message = STRANGE[kind]
    with pytest.raises(DeliveryError, match=message):
        read_registry(_written(tmp_path, name, content))


def test_it_changes_nothing_of_what_was_loaded(tmp_path: Path) -> None:
    environment = {**os.environ, "MONITOR_HOME": str(tmp_path / "home")}

    def monitor(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_command(arguments, environment)

    assert monitor("init", "--create-keys").returncode == 0
    good = str(_written(tmp_path, "good.csv", GOOD))
    assert json.loads(monitor("registry", "load", good, "--json").stdout)["claims_added"] == 3
    for kind in ("a header only", "one odd line, .csv", "an empty list", "a quote left open", "something beside it"):
        name, content, _ = STRANGE[kind]
        ended = monitor("registry", "load", str(_written(tmp_path, name, content)))
        assert (ended.returncode, ended.stderr.count("\n"), "Traceback" in ended.stderr) == (1, 1, False), ended.stderr
    again = json.loads(monitor("registry", "load", good, "--json").stdout)
    assert again == {"companies": 1, "new": 0, "changed": 0, "claims_added": 0, "claims_ended": 0}


@pytest.mark.parametrize("name", ["r.csv", "r.CSV", "registry.2026.csv", "x.v2.csv", "r.csv.gz", "r.txt", "registry"])
def test_which_form_it_is_in_is_known_by_the_ending_else_by_the_first_line(tmp_path: Path, name: str) -> None:
    content = gzip.compress(GOOD.encode()) if name.endswith(".gz") else GOOD.encode()
    [company] = read_registry(_written(tmp_path, name, content))
    assert (company.key, company.registration, company.proxy) == ("foxtrot", "01234567", False)
    assert [(claim.claim, claim.value) for claim in company.claims] == [
        (Claim.ALIAS, "fox"), (Claim.ALIAS, "trot"), (Claim.ASN, "64496"),
    ]  # fmt: skip


def test_yaml_is_text_where_a_loader_would_guess(tmp_path: Path) -> None:
    text = "companies: [{key: fjord, name: Fjord AS, country: NO, registration: 01234567, proxy: yes, asns: [64498]}]"
    [company] = read_registry(_written(tmp_path, "r.yaml", text))
    assert (company.country, company.registration, company.proxy) == ("NO", "01234567", True)


def test_a_file_that_is_far_too_large(tmp_path: Path) -> None:
    for name, content, message in (
        ("r.csv", "key,name\n" + "foxtrot,F\n" * 900_000, "over 8 MiB of text"),
        ("r.yaml", "companies:\n" + "- a\n" * 300_000, "over 200000 values"),
    ):
        with pytest.raises(DeliveryError, match=message):
            read_registry(_written(tmp_path, name, content))
