"""Checks a report against the schemas of XARF 4 that come with the library `xarf`, in bounded time.

The library's own validator holds a report against the rules of all 31 types of abuse, the shared ones three times
over, and looks for every error. A report is of one type: it is held against that one, once, and no more than the first
errors are looked for. Which field is named is the same. It is apart because the library takes long to load, which who
only reads objects does not wait for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from itertools import islice
from typing import Any

import jsonschema
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from xarf import schema_registry

from monitor.formats.rows import RowError

_REQUIRED = re.compile(r"'(\w+)' is a required property", re.ASCII)
_VERSION = re.compile(r"4\.[0-9]+\.[0-9]+\Z", re.ASCII)
_ALL_CONTENT = ""  # in place of a type
_ERRORS_LOOKED_FOR = 50  # of a list of a hundred thousand bad values each is one


def refuse_other_versions(report: dict[str, Any]) -> None:
    """RowError for a report of another version than 4: 1, 2, 5, or the first draft, which has no version at all."""
    if not report.keys() & {"xarf_version", "Version"} and {"ReporterInfo", "Report"} <= report.keys():
        raise RowError("unknown_version", "Version")
    name = "xarf_version" if report.get("xarf_version") is not None else "Version"
    version = report.get(name)
    if version is not None and (name == "Version" or not isinstance(version, str) or not _VERSION.match(version)):
        raise RowError("unknown_version", name)


def refuse_other_categories(report: dict[str, Any]) -> None:
    """RowError for a report of another category than `content`, or of a type that only another category has."""
    if isinstance(report.get("category"), str) and report["category"] != "content":
        raise RowError("not_content", "category")
    kind = report.get("type")
    if isinstance(kind, str) and kind in other_types():
        raise RowError("not_content", "type")


def has_unknown_type(report: dict[str, Any]) -> bool:
    """Whether the type is in no category: later versions of XARF 4 may have more of them."""
    return isinstance(report.get("type"), str) and report["type"] not in content_types() | other_types()


def refuse_invalid(report: dict[str, Any]) -> None:
    """RowError that names the first field that is missing, or else not accepted; never what stands in it.

    Only for reports that `refuse_other_categories` lets through. A type that no schema knows is accepted, a blank one
    is none.
    """
    if isinstance(kind := report.get("type"), str) and not kind.strip():
        raise RowError("missing_field", "type")
    errors = list(islice(_validator(_type_of(report)).iter_errors(report), _ERRORS_LOOKED_FOR))
    if not errors:
        return
    missing = next((error for error in errors if _REQUIRED.fullmatch(error.message)), None)
    if missing is None:
        paths = (_path(error) for error in errors)
        raise RowError("bad_field", _known_path(next(filter(None, paths), "")))
    [name] = _REQUIRED.findall(missing.message)
    raise RowError("missing_field", _known_path(f"{_path(missing)}.{name}".lstrip(".")))


@cache
def content_types() -> frozenset[str]:
    """The types of the category `content`."""
    return frozenset(schema_registry.get_types_for_category("content"))


@cache
def other_types() -> frozenset[str]:
    """The types of all other categories that are none of `content`."""
    every = schema_registry.get_all_types()
    return frozenset().union(*(every[name] for name in every if name != "content")) - content_types()


def _type_of(report: dict[str, Any]) -> str | None:
    """The type whose rules hold, _ALL_CONTENT where only those of all content do.

    None where only those of every report do, which then have something to refuse.
    """
    kind = report.get("type")
    if report.get("category") != "content" or not isinstance(kind, str):
        return None
    return kind if kind in content_types() else _ALL_CONTENT


@cache
def _validator(kind: str | None) -> Any:
    core, base = _schema("xarf-core.json"), _schema("types", "content-base.json")
    registry = Registry().with_contents(
        ((schema["$id"], schema) for schema in (core, base)), default_specification=DRAFT202012
    )
    general = {None: core, _ALL_CONTENT: base}.get(kind)
    schema = schema_registry.get_type_schema("content", str(kind)) if general is None else general
    return jsonschema.Draft202012Validator(schema, registry=registry, format_checker=jsonschema.FormatChecker())


def _schema(*path: str) -> dict[str, Any]:
    text = resources.files("xarf").joinpath("schemas", *path).read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _path(error: jsonschema.ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path)


def _known_path(path: str) -> str | None:
    """A field's path as far as the schemas know its names: what else a sender calls a field is not repeated."""
    known = []
    for part in path.split("."):
        if part not in _names() and not part.isdecimal():
            break
        known.append(part)
    return ".".join(known)[:64] or None


@cache
def _names() -> frozenset[str]:
    """Every name of a field in the content schemas and the core."""
    names = set(schema_registry.get_core_property_names()) | schema_registry.get_contact_required_fields()
    for kind in content_types():
        names.update(schema_registry.get_category_fields("content", kind))
        names.update(_properties(schema_registry.get_type_schema("content", kind)))
    return frozenset(names)


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for inner in schema.values():
            yield from _properties(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _properties(inner)
