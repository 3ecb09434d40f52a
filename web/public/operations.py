"""Every operation of the public API: its address, parameters and answer. `web.public.api` has a route and a view of
that name for each, a request is checked against it, and the document is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.wording.language import Message
from web.public import parameters as p
from web.public.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Operation:
    """One GET. `path` as Flask writes it, under /api/v1; `answer` is the name of a schema (web.public.schemas)."""

    name: str
    path: str
    answer: str
    title: Message
    about: Message
    parameters: tuple[Parameter, ...] = ()


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "releases",
        "/releases",
        "ReleaseList",
        Message("All releases"),
        Message("Every version of every period, with the reason of each correction. The last published comes first."),
    ),
    Operation(
        "release",
        "/releases/<period>",
        "Release",
        Message("One release"),
        Message("What the release rests on, the figures of all companies together, and the totals."),
        (p.PERIOD, p.VERSION),
    ),
    Operation(
        "ranking",
        "/rankings/<period>",
        "Ranking",
        Message("The ranking of a period"),
        Message(
            "The companies with all their figures, in the same rows as on the page. The header `Link`"
            " points to the page before and after."
        ),
        (p.PERIOD, p.VERSION, p.TABLE, p.TEXT, p.STANDING, p.SORT, p.ORDER, p.PAGE, p.PER_PAGE),
    ),
    Operation(
        "company",
        "/companies/<key>",
        "CompanyHistory",
        Message("One company in all releases"),
        Message("The figures of a company in every period that has it, each from the newest version."),
        (p.KEY,),
    ),
    Operation(
        "company_in_release",
        "/companies/<key>/<period>",
        "CompanyInRelease",
        Message("One company in one period"),
        Message("All figures of the company, with its curve by the hour and that of all companies together."),
        (p.KEY, p.PERIOD, p.VERSION),
    ),
    Operation(
        "trend",
        "/trend",
        "Trend",
        Message("The trend by quarter"),
        Message("All companies together, or one of them. A quarter without a release is listed without values."),
        (p.COMPANY,),
    ),
    Operation(
        "compare",
        "/compare",
        "Comparison",
        Message("Compare two releases"),
        Message("Every figure that differs, and the companies that came or went."),
        (p.FROM, p.TO, p.FROM_VERSION, p.TO_VERSION, p.TABLE),
    ),
    Operation(
        "methods",
        "/methods",
        "MethodList",
        Message("All versions of the method"),
        Message("Every release names the version it was made with. A version never changes."),
    ),
    Operation(
        "method",
        "/methods/<version>",
        "MethodVersion",
        Message("One version of the method"),
        Message("Every parameter that can move a figure, with its value and meaning."),
        (p.METHOD,),
    ),
    Operation(
        "openapi",
        "/openapi.json",
        "",
        Message("This description"),
        Message("The OpenAPI document of this API."),
    ),
)
