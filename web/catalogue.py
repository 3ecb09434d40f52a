"""The open data as data portals read it: DCAT-AP-NL 3.0 (https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rdflib import DCTERMS, FOAF, RDF, SKOS, XSD, Graph, Literal, URIRef
from rdflib.term import Node

from monitor.instants import to_datetime
from monitor.period import parse_period
from monitor.publish import formatting
from monitor.publish.words import LANGUAGES, Language, Text
from monitor.release.publications import Publication, PublishedFile
from monitor.settings import Settings
from web.catalogue_terms import ADMS, DATA_PACKAGE, DCAT, DCATAP, EU, MEDIA, OPENAPI, PROFILE, SPDX, VCARD, Drawn
from web.releases import Edition

_CATALOGUE = Text("Open data van {publisher}", "Open data of {publisher}")
_SERIES = Text("Opvolging van meldingen door hostingbedrijven", "How hosting companies follow up notices")
_WHAT = Text(
    "Hoe snel hostingbedrijven gemeld illegaal materiaal verwijderen, per kwartaal: ranglijst, totalen en"
    " geanonimiseerde episodes. Zonder materiaal en zonder adressen van materiaal.",
    "How fast hosting companies remove reported illegal material, by quarter: ranking, totals and anonymised episodes."
    " Without material and without addresses of material.",
)
_API = Text("API van {publisher}", "API of {publisher}")
_API_WHAT = Text("De ranglijsten en bedrijven als JSON.", "The rankings and companies as JSON.")
_PACKED = Text(
    "Alle bestanden (CSV met datapackage.json), ondertekend", "All files (CSV with datapackage.json), signed"
)
_TABLE = Text("De ranglijst als CSV", "The ranking as CSV")
_JSON = Text("De ranglijst als JSON", "The ranking as JSON")
_REPORT = Text("Het verslag als PDF", "The report as PDF")


@dataclass(frozen=True, slots=True)
class Entry:
    """A published edition, what it corrected (None: nothing), and the files that were made of it (None: not yet)."""

    edition: Edition
    reason: str | None
    publication: Publication | None

    @property
    def name(self) -> str:
        """What it is called in the catalogue: `2026Q2-v1`."""
        return f"{self.edition.period}-v{self.edition.version}"

    @property
    def page(self) -> str:
        """The path of its page."""
        return f"/nl/open-data/{self.edition.period}?version={self.edition.version}"


def catalogue(entries: Sequence[Entry], settings: Settings, base: str) -> Graph:
    """The whole catalogue as RDF; `base` is the address of the site, without a slash at its end."""
    drawn = Drawn(settings, base)
    _whole(drawn, entries)
    _agents(drawn)
    drawn.add(drawn.node("series"), [(RDF.type, DCAT.DatasetSeries)], drawn.said(_SERIES, _WHAT), drawn.ours())
    drawn.add(drawn.node("series"), drawn.place(), drawn.often(), _dates(entries))
    _service(drawn, entries)
    for entry in entries:
        _dataset(drawn, entry)
        _versions(drawn, entry, [other for other in entries if other.edition.period == entry.edition.period])
        for distribution in _distributions(drawn, entry):
            drawn.add(drawn.node(entry.name), [(DCAT.distribution, distribution)])
    return drawn.graph


def _dates(entries: Sequence[Entry]) -> Iterator[tuple[URIRef, Node]]:
    """When the first was published, and the last."""
    when = sorted(entry.edition.published_at for entry in entries if entry.edition.published_at is not None)
    if when:
        yield DCTERMS.issued, Literal(when[0].isoformat(), datatype=XSD.dateTime)
        yield DCTERMS.modified, Literal(when[-1].isoformat(), datatype=XSD.dateTime)


def _whole(drawn: Drawn, entries: Sequence[Entry]) -> None:
    whole = drawn.node("catalog")
    drawn.add(whole, [(RDF.type, DCAT.Catalog)], drawn.said(_CATALOGUE, _WHAT), drawn.ours(), drawn.licence())
    drawn.add(whole, [(FOAF.homepage, drawn.page("/nl/open-data")), (DCTERMS.conformsTo, drawn.standard(PROFILE))])
    drawn.add(whole, [(DCAT.dataset, drawn.node(name)) for name in ("series", *(entry.name for entry in entries))])
    drawn.add(whole, [(DCAT.service, drawn.node("api"))], drawn.place(), _dates(entries))
    themes = drawn.known(EU["data-theme"], SKOS.ConceptScheme)
    drawn.add(themes, [(DCTERMS.title, Literal("Data theme", lang="en"))])
    drawn.add(whole, [(DCAT.themeTaxonomy, themes)])


def _agents(drawn: Drawn) -> None:
    """Who publishes, and where to ask; without a contact of its own, on the page of the open data."""
    name, reached = Literal(drawn.settings.site_name), drawn.settings.contact
    drawn.add(drawn.publisher, [(RDF.type, FOAF.Agent), (FOAF.name, name)])
    contact = drawn.node("contact")
    drawn.add(contact, [(RDF.type, VCARD.Kind), (RDF.type, VCARD.Organization), (VCARD.fn, name)])
    if "@" in reached and "/" not in reached:
        drawn.add(contact, [(VCARD.hasEmail, URIRef(f"mailto:{reached.removeprefix('mailto:')}"))])
        return
    address = reached if reached.startswith(("https://", "http://")) else f"{drawn.base}/nl/open-data"
    drawn.add(contact, [(VCARD.hasURL, URIRef(address))])


def _service(drawn: Drawn, entries: Sequence[Entry]) -> None:
    api = drawn.node("api")
    drawn.add(api, [(RDF.type, DCAT.DataService)], drawn.said(_API, _API_WHAT), drawn.ours(), drawn.licence())
    drawn.add(api, drawn.public(), [(DCTERMS.identifier, Literal(str(api)))])
    drawn.add(api, [(DCAT.endpointURL, URIRef(f"{drawn.base}/api/v1"))])
    drawn.add(api, [(DCAT.endpointDescription, URIRef(f"{drawn.base}/api/v1/openapi.json"))])
    drawn.add(api, [(DCTERMS.conformsTo, drawn.standard(OPENAPI))])
    drawn.add(api, [(FOAF.page, drawn.page("/nl/api")), (DCAT.landingPage, drawn.page("/nl/api"))])
    drawn.add(api, [(DCAT.servesDataset, drawn.node(entry.name)) for entry in entries])


def _dataset(drawn: Drawn, entry: Entry) -> None:
    edition, dataset = entry.edition, drawn.node(entry.name)
    nl, en = (f"{_SERIES[language]}, {formatting.period(edition.period, language)}" for language in LANGUAGES)
    drawn.add(dataset, [(RDF.type, DCAT.Dataset)], drawn.said(Text(nl, en), _WHAT), drawn.ours())
    drawn.add(dataset, drawn.public(), drawn.place(), drawn.often(), _dates([entry]))
    drawn.add(dataset, [(DCTERMS.identifier, Literal(str(dataset))), (DCTERMS.temporal, _time(drawn, edition.period))])
    drawn.add(dataset, [(DCAT.inSeries, drawn.node("series")), (DCAT.version, Literal(str(edition.version)))])
    drawn.add(dataset, [(DCTERMS.conformsTo, drawn.standard(DATA_PACKAGE))])
    drawn.add(dataset, [(FOAF.page, drawn.page("/nl/werkwijze")), (FOAF.page, drawn.page("/en/method"))])
    drawn.add(dataset, [(DCAT.landingPage, drawn.page(entry.page))])


def _time(drawn: Drawn, label: str) -> URIRef:
    """From the first day to the last, which is included."""
    node, period = drawn.node(f"{label}-time"), parse_period(label)
    first, last = to_datetime(period.start).date(), (to_datetime(period.end) - timedelta(days=1)).date()
    drawn.add(node, [(RDF.type, DCTERMS.PeriodOfTime), (DCAT.startDate, Literal(first)), (DCAT.endDate, Literal(last))])
    return node


def _versions(drawn: Drawn, entry: Entry, of_period: Sequence[Entry]) -> None:
    """Which version it is among those of its period: the newest is the one that holds."""
    dataset, version = drawn.node(entry.name), entry.edition.version
    newest = version == max(other.edition.version for other in of_period)
    status = drawn.known(EU[f"dataset-status/{'COMPLETED' if newest else 'DEPRECATED'}"], SKOS.Concept)
    drawn.add(dataset, [(ADMS.status, status)])
    before = [other for other in of_period if other.edition.version < version]
    if before:
        last = max(before, key=lambda other: other.edition.version)
        drawn.add(dataset, [(DCAT.previousVersion, drawn.node(last.name))])
    if entry.reason:
        drawn.add(dataset, [(ADMS.versionNotes, Literal(entry.reason))])


def _distributions(drawn: Drawn, entry: Entry) -> Iterator[URIRef]:
    """The ranking as CSV and JSON; the package and the reports where they are made."""
    period, asked = entry.edition.period, f"?version={entry.edition.version}"
    yield _distribution(drawn, entry, _TABLE, "CSV", "text/csv", f"/nl/ranglijst/{period}.csv{asked}")
    json = _distribution(drawn, entry, _JSON, "JSON", "application/json", f"/api/v1/rankings/{period}{asked}")
    drawn.add(json, [(DCAT.accessService, drawn.node("api")), (DCTERMS.conformsTo, drawn.standard(OPENAPI))])
    yield json
    made = entry.publication
    if made is None:
        return
    package = _file(drawn, entry, _PACKED, "ZIP", made.archive, LANGUAGES)
    drawn.add(package, [(DCTERMS.conformsTo, drawn.standard(DATA_PACKAGE))])
    drawn.add(package, [(DCAT.packageFormat, drawn.known(MEDIA["application/zip"], DCTERMS.MediaType))])
    yield package
    for language in LANGUAGES:
        report = made.find(f"report-{period}-{language}.pdf")
        if report is not None:
            yield _file(drawn, entry, _REPORT, "PDF", report, (language,))


def _file(
    drawn: Drawn, entry: Entry, title: Text, form: str, file: PublishedFile, languages: Sequence[Language]
) -> URIRef:
    """A file of the publication, with its size and checksum."""
    path = f"/data/{entry.edition.period}/v{entry.edition.version}/{file.name}"
    node = _distribution(drawn, entry, title, form, f"application/{form.lower()}", path, languages)
    checksum, algorithm = URIRef(f"{node}-checksum"), SPDX.checksumAlgorithm_sha256
    drawn.add(checksum, [(RDF.type, SPDX.Checksum)])
    drawn.add(checksum, [(SPDX.algorithm, drawn.known(algorithm, SPDX.ChecksumAlgorithm))])
    drawn.add(checksum, [(SPDX.checksumValue, Literal(file.sha256, datatype=XSD.hexBinary))])
    drawn.add(node, [(SPDX.checksum, checksum)])
    drawn.add(node, [(DCAT.byteSize, Literal(str(file.size), datatype=XSD.nonNegativeInteger))])
    return node


def _distribution(
    drawn: Drawn,
    entry: Entry,
    title: Text,
    form: str,
    media: str,
    path: str,
    languages: Sequence[Language] = LANGUAGES,
) -> URIRef:
    """One way to have the data, with what is the same of all."""
    ending = "-".join([form.lower(), *(languages if len(languages) == 1 else ())])
    node, landing = drawn.node(f"{entry.name}-{ending}"), URIRef(f"{drawn.base}{entry.page}")
    drawn.add(node, [(RDF.type, DCAT.Distribution)], drawn.said(title, _WHAT), drawn.licence(), _dates([entry]))
    drawn.add(node, [(DCAT.accessURL, landing), (DCAT.downloadURL, URIRef(f"{drawn.base}{path}"))])
    drawn.add(node, [(DCTERMS.format, drawn.known(EU[f"file-type/{form}"], DCTERMS.MediaTypeOrExtent))])
    drawn.add(node, [(DCAT.mediaType, drawn.known(MEDIA[media], DCTERMS.MediaType))])
    drawn.add(node, [(DCTERMS.language, drawn.tongue(language)) for language in languages])
    drawn.add(node, [(DCATAP.availability, drawn.known(EU["planned-availability/STABLE"], SKOS.Concept))])
    return node
