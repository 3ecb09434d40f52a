"""The open data as data portals read it: DCAT-AP-NL 3.0 (https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Blueprint, Response, request
from rdflib import DCTERMS, FOAF, RDF, SKOS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from monitor.instants import parse_period, to_datetime
from monitor.release.publications import PublishedFile
from monitor.settings import SiteSettings
from monitor.tables.data_package import LICENCES
from monitor.wording.language import EN, LANGUAGES, NL, Language, Message
from web.public.open_data import Entry, entries, named_host
from web.shared.addresses import absolute, settings

bp = Blueprint("catalogue", __name__)

DCAT = Namespace("http://www.w3.org/ns/dcat#")  # that of rdflib does not know version 3
ADMS = Namespace("http://www.w3.org/ns/adms#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
EU = Namespace("http://publications.europa.eu/resource/authority/")
MEDIA = Namespace("https://www.iana.org/assignments/media-types/")
PROFILE = URIRef("https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/")
DATA_PACKAGE = URIRef("https://specs.frictionlessdata.io/data-package/")
OPENAPI = URIRef("https://spec.openapis.org/oas/v3.1.0")
_LICENCES = {"CC0-1.0": EU["licence/CC0"], "CC-BY-4.0": EU["licence/CC_BY_4_0"]}
_LANGUAGES = {NL: EU["language/NLD"], EN: EU["language/ENG"]}
_THEMES = (EU["data-theme/JUST"], EU["data-theme/TECH"])
_KEYWORDS = (
    Message("hosting"),
    Message("removal of illegal material"),
    Message("hotline"),
)
Said = Iterable[tuple[URIRef, Node]]


def _graph() -> Graph:
    graph = Graph()
    for prefix, space in {"dcat": DCAT, "adms": ADMS, "spdx": SPDX, "vcard": VCARD, "dcatap": DCATAP}.items():
        graph.bind(prefix, space)
    return graph


@dataclass(frozen=True)
class GraphBuilder:
    """The graph while it is drawn, whose it is, and the address of the site that it is about."""

    settings: SiteSettings
    base: str
    graph: Graph = field(default_factory=_graph)

    def add(self, subject: Node, *said: Said) -> None:
        """Say these of a node."""
        for part in said:
            for predicate, value in part:
                self.graph.add((subject, predicate, value))

    def node(self, name: str) -> URIRef:
        """The address of something of ours."""
        return URIRef(f"{self.base}/catalog#{name}")

    def known(self, address: URIRef, kind: URIRef) -> URIRef:
        """A value from a list of others, with the class that the profile asks of it."""
        self.add(address, [(RDF.type, kind)])
        return address

    def page(self, path: str) -> URIRef:
        """A page of the site."""
        return self.known(URIRef(f"{self.base}{path}"), FOAF.Document)

    def standard(self, address: URIRef) -> URIRef:
        """A standard that is followed."""
        return self.known(address, DCTERMS.Standard)

    def language_uri(self, language: Language) -> URIRef:
        """A language."""
        return self.known(_LANGUAGES[language], DCTERMS.LinguisticSystem)

    @property
    def publisher(self) -> URIRef:
        """Who publishes, by the name that registers of organisations have, where that is set."""
        return URIRef(self.settings.publisher_iri) if self.settings.publisher_iri else self.node("publisher")

    def texts(self, title: Message, description: Message, period: str = "") -> Iterator[tuple[URIRef, Node]]:
        """Title, with the period of one release, and description in each language; invented data says that it is."""
        for language in LANGUAGES:
            said = [language.gettext(description)]
            if self.settings.demonstration:
                said.append(language.gettext("This is a demonstration with invented data."))
            name = language.gettext(title, publisher=self.settings.site_name)
            yield DCTERMS.title, Literal(f"{name}, {language.period(period)}" if period else name, lang=language.code)
            yield DCTERMS.description, Literal(" ".join(said), lang=language.code)

    def common(self) -> Iterator[tuple[URIRef, Node]]:
        """What is the same of all that we publish."""
        yield DCTERMS.publisher, self.publisher
        yield DCTERMS.creator, self.publisher
        yield DCAT.contactPoint, self.node("contact")
        yield from ((DCTERMS.language, self.language_uri(language)) for language in LANGUAGES)
        yield from ((DCAT.theme, self.known(theme, SKOS.Concept)) for theme in _THEMES)
        yield from (
            (DCAT.keyword, Literal(each.gettext(word), lang=each.code)) for word in _KEYWORDS for each in LANGUAGES
        )

    def licence(self) -> Iterator[tuple[URIRef, Node]]:
        """What may be done with it."""
        licence = self.known(_LICENCES[self.settings.licence], DCTERMS.LicenseDocument)
        self.add(licence, [(SKOS.exactMatch, URIRef(LICENCES[self.settings.licence][0]))])
        yield DCTERMS.license, licence

    def public(self) -> Iterator[tuple[URIRef, Node]]:
        """That anyone may see it."""
        yield DCTERMS.accessRights, self.known(EU["access-right/PUBLIC"], DCTERMS.RightsStatement)

    def place(self) -> Iterator[tuple[URIRef, Node]]:
        """Where it is about."""
        yield DCTERMS.spatial, self.known(EU["country/NLD"], DCTERMS.Location)

    def frequency(self) -> Iterator[tuple[URIRef, Node]]:
        """How often there is a new one."""
        yield DCTERMS.accrualPeriodicity, self.known(EU["frequency/QUARTERLY"], DCTERMS.Frequency)


_CATALOGUE = Message("Open data of {publisher}")
_SERIES = Message("How hosting companies follow up notices")
_WHAT = Message(
    "How fast hosting companies remove reported illegal material, by quarter: ranking, totals and"
    " anonymised episodes. Without material and without addresses of material."
)
_API = Message("API of {publisher}")
_API_WHAT = Message("The rankings and companies as JSON.")
_PACKED = Message("All files (CSV with datapackage.json), signed")
_TABLE = Message("The ranking as CSV")
_JSON = Message("The ranking as JSON")
_REPORT = Message("The report as PDF")


def catalogue(entries: Sequence[Entry], settings: SiteSettings, base: str) -> Graph:
    """The whole catalogue as RDF; `base` is the address of the site, without a slash at its end."""
    graph = GraphBuilder(settings, base)
    _whole(graph, entries)
    _agents(graph)
    graph.add(graph.node("series"), [(RDF.type, DCAT.DatasetSeries)], graph.texts(_SERIES, _WHAT), graph.common())
    graph.add(graph.node("series"), graph.place(), graph.frequency(), _dates(entries))
    _service(graph, entries)
    for entry in entries:
        _dataset(graph, entry)
        _versions(graph, entry, [other for other in entries if other.edition.period == entry.edition.period])
        for distribution in _distributions(graph, entry):
            graph.add(graph.node(entry.name), [(DCAT.distribution, distribution)])
    return graph.graph


def _dates(entries: Sequence[Entry]) -> Iterator[tuple[URIRef, Node]]:
    """When the first was published, and the last."""
    when = sorted(entry.edition.published_at for entry in entries if entry.edition.published_at is not None)
    if when:
        yield DCTERMS.issued, Literal(when[0].isoformat(), datatype=XSD.dateTime)
        yield DCTERMS.modified, Literal(when[-1].isoformat(), datatype=XSD.dateTime)


def _whole(graph: GraphBuilder, entries: Sequence[Entry]) -> None:
    whole = graph.node("catalog")
    graph.add(whole, [(RDF.type, DCAT.Catalog)], graph.texts(_CATALOGUE, _WHAT), graph.common(), graph.licence())
    graph.add(whole, [(FOAF.homepage, graph.page("/nl/open-data")), (DCTERMS.conformsTo, graph.standard(PROFILE))])
    graph.add(whole, [(DCAT.dataset, graph.node(name)) for name in ("series", *(entry.name for entry in entries))])
    graph.add(whole, [(DCAT.service, graph.node("api"))], graph.place(), _dates(entries))
    themes = graph.known(EU["data-theme"], SKOS.ConceptScheme)
    graph.add(themes, [(DCTERMS.title, Literal("Data theme", lang="en"))])
    graph.add(whole, [(DCAT.themeTaxonomy, themes)])


def _agents(graph: GraphBuilder) -> None:
    """Who publishes, and where to ask; without a contact of its own, on the page of the open data."""
    name, reached = Literal(graph.settings.published_by), graph.settings.contact
    graph.add(graph.publisher, [(RDF.type, FOAF.Agent), (FOAF.name, name)])
    contact = graph.node("contact")
    graph.add(contact, [(RDF.type, VCARD.Kind), (RDF.type, VCARD.Organization), (VCARD.fn, name)])
    if "@" in reached and "/" not in reached:
        graph.add(contact, [(VCARD.hasEmail, URIRef(f"mailto:{reached.removeprefix('mailto:')}"))])
        return
    address = reached if reached.startswith(("https://", "http://")) else f"{graph.base}/nl/open-data"
    graph.add(contact, [(VCARD.hasURL, URIRef(address))])


def _service(graph: GraphBuilder, entries: Sequence[Entry]) -> None:
    api = graph.node("api")
    graph.add(api, [(RDF.type, DCAT.DataService)], graph.texts(_API, _API_WHAT), graph.common(), graph.licence())
    graph.add(api, graph.public(), [(DCTERMS.identifier, Literal(str(api)))])
    graph.add(api, [(DCAT.endpointURL, URIRef(f"{graph.base}/api/v1"))])
    graph.add(api, [(DCAT.endpointDescription, URIRef(f"{graph.base}/api/v1/openapi.json"))])
    graph.add(api, [(DCTERMS.conformsTo, graph.standard(OPENAPI))])
    graph.add(api, [(FOAF.page, graph.page("/nl/api")), (DCAT.landingPage, graph.page("/nl/api"))])
    graph.add(api, [(DCAT.servesDataset, graph.node(entry.name)) for entry in entries])


def _dataset(graph: GraphBuilder, entry: Entry) -> None:
    edition, dataset = entry.edition, graph.node(entry.name)
    graph.add(dataset, [(RDF.type, DCAT.Dataset)], graph.texts(_SERIES, _WHAT, edition.period), graph.common())
    graph.add(dataset, graph.public(), graph.place(), graph.frequency(), _dates([entry]))
    graph.add(dataset, [(DCTERMS.identifier, Literal(str(dataset))), (DCTERMS.temporal, _time(graph, edition.period))])
    graph.add(dataset, [(DCAT.inSeries, graph.node("series")), (DCAT.version, Literal(str(edition.version)))])
    graph.add(dataset, [(DCTERMS.conformsTo, graph.standard(DATA_PACKAGE))])
    graph.add(dataset, [(FOAF.page, graph.page("/nl/werkwijze")), (FOAF.page, graph.page("/en/method"))])
    graph.add(dataset, [(DCAT.landingPage, graph.page(entry.page))])


def _time(graph: GraphBuilder, label: str) -> URIRef:
    """From the first day to the last, which is included."""
    node, period = graph.node(f"{label}-time"), parse_period(label)
    first, last = to_datetime(period.start).date(), (to_datetime(period.end) - timedelta(days=1)).date()
    graph.add(node, [(RDF.type, DCTERMS.PeriodOfTime), (DCAT.startDate, Literal(first)), (DCAT.endDate, Literal(last))])
    return node


def _versions(graph: GraphBuilder, entry: Entry, of_period: Sequence[Entry]) -> None:
    """Which version it is among those of its period: the newest is the one that holds."""
    dataset, version = graph.node(entry.name), entry.edition.version
    newest = version == max(other.edition.version for other in of_period)
    status = graph.known(EU[f"dataset-status/{'COMPLETED' if newest else 'DEPRECATED'}"], SKOS.Concept)
    graph.add(dataset, [(ADMS.status, status)])
    before = [other for other in of_period if other.edition.version < version]
    if before:
        last = max(before, key=lambda other: other.edition.version)
        graph.add(dataset, [(DCAT.previousVersion, graph.node(last.name))])
    if entry.reason:
        graph.add(dataset, [(ADMS.versionNotes, Literal(entry.reason))])


def _distributions(graph: GraphBuilder, entry: Entry) -> Iterator[URIRef]:
    """The ranking as CSV and JSON; the package and the reports where they are made."""
    period, asked = entry.edition.period, f"?version={entry.edition.version}"
    yield _distribution(graph, entry, _TABLE, "CSV", "text/csv", f"/nl/ranglijst/{period}.csv{asked}")
    json = _distribution(graph, entry, _JSON, "JSON", "application/json", f"/api/v1/rankings/{period}{asked}")
    graph.add(json, [(DCAT.accessService, graph.node("api")), (DCTERMS.conformsTo, graph.standard(OPENAPI))])
    yield json
    made = entry.publication
    if made is None:
        return
    package = _file(graph, entry, _PACKED, "ZIP", made.archive, LANGUAGES)
    graph.add(package, [(DCTERMS.conformsTo, graph.standard(DATA_PACKAGE))])
    graph.add(package, [(DCAT.packageFormat, graph.known(MEDIA["application/zip"], DCTERMS.MediaType))])
    yield package
    for language in LANGUAGES:
        report = made.find(f"report-{period}-{language}.pdf")
        if report is not None:
            yield _file(graph, entry, _REPORT, "PDF", report, (language,))


def _file(
    graph: GraphBuilder, entry: Entry, title: Message, form: str, file: PublishedFile, languages: Sequence[Language]
) -> URIRef:
    """A file of the publication, with its size and checksum."""
    path = f"/data/{entry.edition.period}/v{entry.edition.version}/{file.name}"
    node = _distribution(graph, entry, title, form, f"application/{form.lower()}", path, languages)
    checksum, algorithm = URIRef(f"{node}-checksum"), SPDX.checksumAlgorithm_sha256
    graph.add(checksum, [(RDF.type, SPDX.Checksum)])
    graph.add(checksum, [(SPDX.algorithm, graph.known(algorithm, SPDX.ChecksumAlgorithm))])
    graph.add(checksum, [(SPDX.checksumValue, Literal(file.sha256, datatype=XSD.hexBinary))])
    graph.add(node, [(SPDX.checksum, checksum)])
    graph.add(node, [(DCAT.byteSize, Literal(str(file.size), datatype=XSD.nonNegativeInteger))])
    return node


def _distribution(
    graph: GraphBuilder,
    entry: Entry,
    title: Message,
    form: str,
    media: str,
    path: str,
    languages: Sequence[Language] = LANGUAGES,
) -> URIRef:
    """One way to have the data, with what is the same of all."""
    ending = "-".join([form.lower(), *(map(str, languages) if len(languages) == 1 else ())])
    node, landing = graph.node(f"{entry.name}-{ending}"), URIRef(f"{graph.base}{entry.page}")
    graph.add(node, [(RDF.type, DCAT.Distribution)], graph.texts(title, _WHAT), graph.licence(), _dates([entry]))
    graph.add(node, [(DCAT.accessURL, landing), (DCAT.downloadURL, URIRef(f"{graph.base}{path}"))])
    graph.add(node, [(DCTERMS.format, graph.known(EU[f"file-type/{form}"], DCTERMS.MediaTypeOrExtent))])
    graph.add(node, [(DCAT.mediaType, graph.known(MEDIA[media], DCTERMS.MediaType))])
    graph.add(node, [(DCTERMS.language, graph.language_uri(language)) for language in languages])
    graph.add(node, [(DCATAP.availability, graph.known(EU["planned-availability/STABLE"], SKOS.Concept))])
    return node


FORMS: Mapping[str, tuple[str, str]] = {
    "ttl": ("turtle", "text/turtle; charset=utf-8"),
    "jsonld": ("json-ld", "application/ld+json"),
    "rdf": ("pretty-xml", "application/rdf+xml"),
}


@bp.get("/catalog")
def any_catalogue() -> Response:
    """The catalogue in the form that the reader takes; Turtle where any will do."""
    types = {kind.partition(";")[0]: form for form, (_, kind) in FORMS.items()}
    wanted = request.accept_mimetypes.best_match(types, default="text/turtle")
    response = data_catalogue(types[wanted or "text/turtle"])
    response.vary.add("Accept")
    return response


@bp.get("/catalog.ttl", defaults={"form": "ttl"})
@bp.get("/catalog.jsonld", defaults={"form": "jsonld"})
@bp.get("/catalog.rdf", defaults={"form": "rdf"})
def data_catalogue(form: str) -> Response:
    """The catalogue for data portals."""
    name, kind = FORMS[form]
    here = settings()
    drawn = catalogue(entries(), here, absolute(""))
    response = Response(drawn.serialize(format=name, encoding="utf-8"), content_type=kind)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return named_host(response)
