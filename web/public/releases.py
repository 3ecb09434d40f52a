"""What a request reads of the publications folder, and the answers that pages of a release share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import Response, abort, current_app, g, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts.frame import Chart
from monitor.disclosure.rows import PublicTable
from monitor.instants import is_quarter
from monitor.release.published import Published, ReleaseIndex, ReleaseVersion
from web.shared import languages
from web.shared.addresses import asked, settings
from web.shared.headers import released

LATEST = "latest"


def published() -> Published:
    """The publications folder, as this worker reads it."""
    folder: Published = current_app.extensions["published"]
    return folder


def release_index() -> ReleaseIndex:
    """What is published, the same throughout a request; raises NotIntactError where that cannot be read."""
    if "release_index" not in g:
        g.release_index = published().index()
    index: ReleaseIndex = g.release_index
    return index


def find_or_404(period: str, version: int | None) -> ReleaseVersion:
    """That version of a period, or its newest."""
    return release_index().find(period, version) or abort(404)


def table_of(edition: ReleaseVersion) -> PublicTable:
    """What may be shown of a version; companies without their curve."""
    return published().table(edition)


def version_before(edition: ReleaseVersion) -> ReleaseVersion | None:
    """The newest version of the last quarter before this one that has a release."""
    if not is_quarter(edition.period):
        return None
    earlier = (e for e in release_index().newest if is_quarter(e.period) and e.period < edition.period)
    return next(earlier, None)


def table_before(edition: ReleaseVersion) -> PublicTable | None:
    """The table of the release before that one, where there is one."""
    before = version_before(edition)
    return table_of(before) if before else None


def to_latest(endpoint: str, **values: object) -> BaseResponse:
    """On to the same page of the latest period, or to the page that says that there is none."""
    known = release_index()
    if not known.editions:
        return make_response(render_template("empty.html"))
    wanted: dict[str, Any] = {**asked(), **values, "period": known.editions[0].period}
    return redirect(url_for(endpoint, **wanted))


def release_json(edition: ReleaseVersion) -> dict[str, Any]:
    """Which release a file is of."""
    return {"release": edition.as_json()}


def json_file(data: Mapping[str, Any]) -> Response:
    """Plain data as JSON, cached as a released page is."""
    return released(Response(json.dumps(data, ensure_ascii=False, allow_nan=False), mimetype="application/json"))


def csv_file(content: str, name: str) -> Response:
    """A table as a file of that name."""
    response = Response(content, content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return released(response)


def file_stem(*parts: str | ReleaseVersion) -> str:
    """The name of a file without its ending: the site, what it is, and of which version: site-ranking-2026Q2-v1."""
    site = re.sub(r"[^a-z0-9]+", "-", settings().site_name.casefold()).strip("-")
    return "-".join(filter(None, (site, *(part if isinstance(part, str) else part.name for part in parts))))


def figure_file(figure: Chart, form: str, name: str, edition: ReleaseVersion | None = None) -> Response:
    """A chart as SVG with its period, version and source, or its table as CSV."""
    if form == "csv":
        return csv_file(figure.csv(), f"{name}.csv")
    language, known = languages.current(), settings()
    mark = language.gettext("Demonstration with invented data. This is not an official website.")
    source = language.gettext("Source: {publisher}.", publisher=known.published_by)
    if edition is not None:
        when = language.period(edition.period)
        of = language.gettext("{period}, version {version}", period=when[0].upper() + when[1:], version=edition.version)
        source = f"{of}. {source}"
    source = f"{source} {known.site_address}" if known.site_address else source
    content = charts.standalone(figure, source=source, mark=mark if known.demonstration else "")
    response = Response(content, mimetype="image/svg+xml")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.svg")
    return released(response)
