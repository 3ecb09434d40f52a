"""The funnel plot: every ranked company's share on time by its number of sites, between the limits of chance."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.charts.chart import Cell, Figure
from monitor.charts.frame import percentage, who_is_together
from monitor.charts.funnel_drawing import Scene, drawn
from monitor.charts.funnel_limits import Funnel, Place, Position, funnel
from monitor.disclosure.rows import PublicTable
from monitor.wording import formatting
from monitor.wording.words import Language, Text

TITLE = Text("Aandeel op tijd naar aantal sites, met de grenzen van het toeval",
             "Share on time by number of sites, with the limits of chance")  # fmt: skip
_HOW = Text(
    "Elke stip is een bedrijf met een plaats in de ranglijst: {companies} in totaal. Hoe verder naar rechts, hoe meer"
    " sites. De hoogte is het aandeel op tijd in de gunstige lezing; de dunne lijn eronder loopt tot de strenge"
    " lezing.",
    "Each dot is a ranked company: {companies} in all. Further to the right means more sites. The height is the"
    " share on time in the lenient reading; the thin line below it reaches to the strict reading.",
)
_LIMITS = Text(
    " Zou elk bedrijf presteren als alle bedrijven samen ({centre}), dan ligt door toeval 95% binnen de donkere en"
    " 99,8% binnen de lichte band. De grenzen rekenen mee hoe vaak episodes op één site samen eindigen: 100 sites"
    " tellen in deze periode als {worth} losse waarnemingen. Een bedrijf telt alleen als erbuiten als ook zijn eigen"
    " 95%-interval {centre} niet bevat: {below} eronder, {above} erboven. Hun naam staat erbij waar plaats is; de tabel"
    " noemt ze allemaal.",
    " If every company performed as all companies together ({centre}), chance would put 95% inside the dark and 99.8%"
    " inside the pale band. The limits allow for how often episodes on one site end together: in this period 100 sites"
    " count as {worth} separate observations. A company only counts as outside where its own 95% interval leaves out"
    " {centre} as well: {below} below, {above} above. Their names are given where there is room; the table names all.",
)
_UNKNOWN = Text(" Het aandeel van alle bedrijven samen is niet bekend; daarom staan er geen grenzen in.",
                " The share of all companies together is not known; that is why there are no limits.")  # fmt: skip
_NORM = Text(" De stippellijn is de norm van {target}.", " The dotted line is the norm of {target}.")
_NONE = Text("Er zijn geen bedrijven met een plaats in de ranglijst.", "There are no ranked companies.")
_PLACES: Mapping[Place, Text] = {
    "far_below": Text("Onder de grens van 99,8%", "Below the 99.8% limit"),
    "below": Text("Onder de grens van 95%", "Below the 95% limit"),
    "within": Text("Binnen de grenzen", "Within the limits"),
    "above": Text("Boven de grens van 95%", "Above the 95% limit"),
    "far_above": Text("Boven de grens van 99,8%", "Above the 99.8% limit"),
}
_COLUMNS = (
    Text("Bedrijf", "Company"),
    Text("Sites", "Sites"),
    Text("Aandeel op tijd, gunstige lezing (%)", "Share on time, lenient reading (%)"),
    Text("Aandeel op tijd, strenge lezing (%)", "Share on time, strict reading (%)"),
    Text("Ondergrens 99,8% (%)", "Lower limit 99.8% (%)"),
    Text("Ondergrens 95% (%)", "Lower limit 95% (%)"),
    Text("Bovengrens 95% (%)", "Upper limit 95% (%)"),
    Text("Bovengrens 99,8% (%)", "Upper limit 99.8% (%)"),
    Text("Ligging", "Position"),
)


def funnel_figure(table: PublicTable, language: Language, highlight: str | None = None) -> Figure:
    """Share on time by number of sites, with 95 % and 99.8 % control limits (monitor.charts.funnel_limits).

    `highlight` is the key of a company that is drawn larger and always named.
    """
    shape, target = funnel(table), table.method.target
    said = _described(shape, target, language) + (who_is_together(table.network, language) if shape.positions else "")
    return Figure(
        name="funnel",
        title=TITLE[language],
        description=said,
        columns=tuple(column[language] for column in _COLUMNS),
        rows=tuple(_row(item, language) for item in shape.positions),
        draw=lambda name, width: drawn(Scene(shape, target, language, highlight, width), name, TITLE[language], said),
    )


def _row(item: Position, language: Language) -> tuple[Cell, ...]:
    outer, inner = item.outer or (None, None), item.inner or (None, None)
    shares = (item.lenient.p, item.strict.p, outer[0], *inner, outer[1])
    place = None if item.place is None else _PLACES[item.place][language]
    return (item.row.name, item.sites, *map(percentage, shares), place)


def _described(shape: Funnel, target: float, language: Language) -> str:
    if not shape.positions:
        return _NONE[language]
    places = [item.place for item in shape.positions]
    said = _HOW[language].format(companies=formatting.count(len(places), language))
    if shape.centre is None:
        said += _UNKNOWN[language]
    else:
        said += _LIMITS[language].format(
            centre=formatting.share(shape.centre, language),
            worth=formatting.count(round(100 * shape.weight), language),
            below=formatting.count(places.count("far_below"), language),
            above=formatting.count(places.count("far_above"), language),
        )
    return said + _NORM[language].format(target=formatting.percent(target, language))
