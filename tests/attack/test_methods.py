"""Every address with every method: what is not allowed is 405 and says what is, in whatever form the error takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, IntegerConverter, Rule

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW")
SENT_ON = {"period": "2026Q2", "key": "as64500", "version": "2026.1", "name": "x.csv", "filename": "x"}


def value_for(rule: Rule, name: str) -> object:
    converter = rule._converters[name]
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 1 if isinstance(converter, IntegerConverter) else SENT_ON.get(name, "1")


def address_of(app: Flask, rule: Rule) -> str:
    """An address that leads to a rule."""
    adapter = app.url_map.bind("monitor.example")
    values = {name: value_for(rule, name) for name in rule.arguments - set(rule.defaults or {})}
    built = adapter.build(rule.endpoint, values | dict(rule.defaults or {}), force_external=False)
    return built.partition("?")[0]


def rules(app: Flask) -> Iterator[tuple[str, set[str]]]:
    """Each address, with the methods of all the rules that it leads to."""
    addresses = {address_of(app, rule) for rule in app.url_map.iter_rules()}
    adapter = app.url_map.bind("monitor.example")
    for address in sorted(addresses):
        yield address, set(adapter.allowed_methods(address))


def test_a_405_says_which_methods_there_are(app: Flask) -> None:
    client, walked = app.test_client(), 0
    for address, allowed in rules(app):
        assert allowed, address
        for method in METHODS:
            answer = client.open(address, method=method)
            answer.close()
            assert (answer.status_code == 405) == (method not in allowed), (method, address, answer.status_code)
            if answer.status_code == 405:
                walked += 1
                assert {name.strip() for name in answer.headers["Allow"].split(",")} == allowed, (method, address)
                is_api = address.startswith("/api/")
                assert answer.mimetype == ("application/problem+json" if is_api else "text/html")
            if method == "OPTIONS" and answer.status_code < 300:
                assert {name.strip() for name in answer.headers["Allow"].split(",")} == allowed, (method, address)
    assert walked > 200


def test_head_is_get_without_its_body(app: Flask) -> None:
    client = app.test_client()
    for address, allowed in rules(app):
        if "GET" not in allowed or "/static" in address:
            continue
        with client.get(address) as whole, client.head(address) as head:
            assert (head.status_code, head.mimetype) == (whole.status_code, whole.mimetype), address
            assert head.data == b""


@pytest.mark.parametrize("address", ["/api//v1/releases", "/api/v1//companies/as64500"])
def test_a_redirect_of_the_api_says_where_to(app: Flask, address: str) -> None:
    answer = app.test_client().get(address)
    assert answer.status_code == 308
    assert answer.headers["Location"].endswith(address.replace("//", "/"))
    assert app.test_client().get(answer.headers["Location"]).status_code == 200
