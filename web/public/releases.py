"""What a request reads of the publications folder, and the answers that pages of a release share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, abort, current_app, g, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts.frame import Chart
from monitor.disclosure.rows import PublicTable
from monitor.instants import is_quarter
from monitor.release.published import Published, ReleaseIndex, ReleaseVersion
from web.shared.addresses import asked
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


def figure_file(figure: Chart, form: str, name: str) -> Response:
    """A picture as SVG, or its table as CSV."""
    if form == "csv":
        return csv_file(figure.csv(), f"{name}.csv")
    response = Response(charts.standalone(figure), mimetype="image/svg+xml")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.svg")
    return released(response)
