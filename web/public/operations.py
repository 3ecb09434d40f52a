"""Every operation of the public API: its address, parameters and answer. `web.public.api` has a route and a view of
that name for each, a request is read by its model, and the document is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from monitor.wording.language import Message
from web.public import answers as a
from web.public import parameters as p
from web.public.schemas import Schema


@dataclass(frozen=True, slots=True)
class Group:
    """Operations that belong together: under which heading, for whom, and the headers of their answers."""

    tag: Message
    headers: tuple[str, ...]
    security: tuple[str, ...] = ()


FIGURES = Group(Message("Published figures"), ("ETag", "Cache-Control", "Link"))
_REFUSALS: Mapping[str, Message] = {
    "400": Message("A parameter is wrong; `parameter` names it."),
    "404": Message("That is not published."),
    "406": Message("We only answer in JSON."),
    "500": Message("Something went wrong on our side."),
    "503": Message("Not reachable now; wait for `Retry-After`."),
}
_ANSWERED = Message("The answer.")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `path` is under /api/v1; `named` are the parameters of path and headers, by name, with their
    types; `answer` is the model of what it answers with `status`, None where that is any object.
    """

    name: str
    path: str
    answer: type[Struct] | None
    title: Message
    about: Message
    query: type[p.ApiQuery] = p.ApiQuery
    named: Mapping[str, Any] = field(default_factory=dict)
    method: str = "get"
    body: Schema | None = None
    group: Group = FIGURES
    status: str = "200"
    answered: Message = _ANSWERED
    example: Mapping[str, Any] | None = None
    refusals: Mapping[str, Message] = field(default_factory=lambda: _REFUSALS)

    @property
    def takes_parameters(self) -> bool:
        """Whether anything is named that may not be there."""
        return bool(self.named or p.fields_of(self.query))


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "releases",
        "/releases",
        a.ReleaseList,
        Message("All releases"),
        Message("Every version of every period, with the reason of each correction. The last published comes first."),
    ),
    Operation(
        "release",
        "/releases/{period}",
        a.Release,
        Message("One release"),
        Message("What the release rests on, the figures of all companies together, and the totals."),
        named={"period": p.Period},
        query=p.VersionQuery,
    ),
    Operation(
        "ranking",
        "/rankings/{period}",
        a.Ranking,
        Message("The ranking of a period"),
        Message(
            "The companies with all their figures, in the same rows as on the page. The header `Link`"
            " points to the page before and after."
        ),
        named={"period": p.Period},
        query=p.RankingQuery,
    ),
    Operation(
        "company",
        "/companies/{key}",
        a.CompanyHistory,
        Message("One company in all releases"),
        Message("The figures of a company in every period that has it, each from the newest version."),
        named={"key": p.Key},
    ),
    Operation(
        "company_in_release",
        "/companies/{key}/{period}",
        a.CompanyInRelease,
        Message("One company in one period"),
        Message("All figures of the company, with its curve by the hour and that of all companies together."),
        named={"key": p.Key, "period": p.Period},
        query=p.VersionQuery,
    ),
    Operation(
        "trend",
        "/trend",
        a.Trend,
        Message("The trend by quarter"),
        Message("All companies together, or one of them. A quarter without a release is listed without values."),
        query=p.TrendQuery,
    ),
    Operation(
        "compare",
        "/compare",
        a.Comparison,
        Message("Compare two releases"),
        Message("Every figure that differs, and the companies that came or went."),
        query=p.CompareQuery,
    ),
    Operation(
        "methods",
        "/methods",
        a.MethodList,
        Message("All versions of the method"),
        Message("Every release names the version it was made with. A version never changes."),
    ),
    Operation(
        "method",
        "/methods/{version}",
        a.MethodVersion,
        Message("One version of the method"),
        Message("Every parameter that can move a figure, with its value and meaning."),
        named={"version": p.MethodVersion},
    ),
    Operation(
        "openapi",
        "/openapi.json",
        None,
        Message("This description"),
        Message("The OpenAPI document of this API."),
    ),
)
