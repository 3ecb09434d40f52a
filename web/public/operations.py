"""Every operation of the public API: its address, parameters and answer. `web.public.api` has a route and a view of
that name for each, a request is checked against it, and the document is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.wording.words import Text
from web.public import parameters as p
from web.public.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Operation:
    """One GET. `path` as Flask writes it, under /api/v1; `answer` is the name of a schema (web.public.schemas)."""

    name: str
    path: str
    answer: str
    title: Text
    about: Text
    parameters: tuple[Parameter, ...] = ()


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "releases",
        "/releases",
        "ReleaseList",
        Text("Alle publicaties", "All releases"),
        Text(
            "Elke versie van elke periode, met de reden van elke correctie. De laatst gepubliceerde staat vooraan.",
            "Every version of every period, with the reason of each correction. The last published comes first.",
        ),
    ),
    Operation(
        "release",
        "/releases/<period>",
        "Release",
        Text("Eén publicatie", "One release"),
        Text(
            "Waar de publicatie op rust, de cijfers van alle bedrijven samen, en de totalen.",
            "What the release rests on, the figures of all companies together, and the totals.",
        ),
        (p.PERIOD, p.VERSION),
    ),
    Operation(
        "ranking",
        "/rankings/<period>",
        "Ranking",
        Text("De ranglijst van een periode", "The ranking of a period"),
        Text(
            "De bedrijven met al hun cijfers, in dezelfde rijen als op de pagina. De header `Link` wijst naar de pagina"
            " ervoor en erna.",
            "The companies with all their figures, in the same rows as on the page. The header `Link` points to the"
            " page before and after.",
        ),
        (p.PERIOD, p.VERSION, p.TABLE, p.TEXT, p.STANDING, p.SORT, p.ORDER, p.PAGE, p.PER_PAGE),
    ),
    Operation(
        "company",
        "/companies/<key>",
        "CompanyHistory",
        Text("Eén bedrijf in alle publicaties", "One company in all releases"),
        Text(
            "De cijfers van een bedrijf in elke periode waarin het voorkomt, steeds uit de nieuwste versie.",
            "The figures of a company in every period that has it, each from the newest version.",
        ),
        (p.KEY,),
    ),
    Operation(
        "company_in_release",
        "/companies/<key>/<period>",
        "CompanyInRelease",
        Text("Eén bedrijf in één periode", "One company in one period"),
        Text(
            "Alle cijfers van het bedrijf, met zijn curve per uur en die van alle bedrijven samen.",
            "All figures of the company, with its curve by the hour and that of all companies together.",
        ),
        (p.KEY, p.PERIOD, p.VERSION),
    ),
    Operation(
        "trend",
        "/trend",
        "Trend",
        Text("Het verloop per kwartaal", "The trend by quarter"),
        Text(
            "Alle bedrijven samen, of één bedrijf. Een kwartaal zonder publicatie staat erin zonder waarden.",
            "All companies together, or one of them. A quarter without a release is listed without values.",
        ),
        (p.COMPANY,),
    ),
    Operation(
        "compare",
        "/compare",
        "Comparison",
        Text("Twee publicaties vergelijken", "Compare two releases"),
        Text(
            "Elk cijfer dat verschilt, en de bedrijven die erbij kwamen of verdwenen.",
            "Every figure that differs, and the companies that came or went.",
        ),
        (p.FROM, p.TO, p.FROM_VERSION, p.TO_VERSION, p.TABLE),
    ),
    Operation(
        "methods",
        "/methods",
        "MethodList",
        Text("Alle versies van de werkwijze", "All versions of the method"),
        Text(
            "Elke publicatie noemt de versie waarmee zij is gemaakt. Een versie verandert nooit.",
            "Every release names the version it was made with. A version never changes.",
        ),
    ),
    Operation(
        "method",
        "/methods/<version>",
        "MethodVersion",
        Text("Eén versie van de werkwijze", "One version of the method"),
        Text(
            "Elke parameter die een cijfer kan veranderen, met zijn waarde en betekenis.",
            "Every parameter that can move a figure, with its value and meaning.",
        ),
        (p.METHOD,),
    ),
    Operation(
        "openapi",
        "/openapi.json",
        "",
        Text("Deze beschrijving", "This description"),
        Text("Het OpenAPI-document van deze API.", "The OpenAPI document of this API."),
    ),
)
