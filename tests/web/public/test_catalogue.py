"""The catalogue: what DCAT-AP-NL 3.0 asks of it, held against the graph that others read.

MANDATORY and RECOMMENDED are the minCount of the profile's own shapes, release 300: dcat-ap-nl-SHACL.ttl,
dcat-ap-nl-SHACL-aanbevolen.ttl and dcat-ap-nl-SHACL-klassebereik*.ttl (https://github.com/Geonovum/DCAT-AP-NL30, folder
shapes/300), with those of DCAT-AP 3.0.0 that they build on (https://semiceu.github.io/DCAT-AP/releases/3.0.0/).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rdflib import DCTERMS, FOAF, RDF, SKOS, XSD, Graph, Literal, URIRef
from rdflib.term import BNode, Node

from monitor.release.publications import Publication, PublishedFile
from monitor.release.published import ReleaseVersion
from monitor.settings import Settings
from web.public.catalogue import ADMS, DCAT, EU, SPDX, VCARD, catalogue
from web.public.open_data import Entry

BASE = "https://monitor.example"
Paths = tuple[URIRef, ...]
MANDATORY: dict[URIRef, Paths] = {
    DCAT.Catalog: (DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.contactPoint, DCAT.dataset),
    DCAT.Dataset: (
        DCTERMS.title, DCTERMS.description, DCTERMS.accessRights, DCAT.contactPoint, DCTERMS.creator,
        DCTERMS.identifier, DCTERMS.publisher, DCAT.theme,
    ),
    DCAT.Distribution: (DCAT.accessURL, DCTERMS.license),
    DCAT.DataService: (
        DCTERMS.title, DCTERMS.description, DCAT.endpointURL, DCAT.endpointDescription, DCTERMS.accessRights,
        DCAT.contactPoint, DCTERMS.identifier, DCTERMS.license, DCTERMS.publisher, DCAT.theme,
    ),
    DCAT.DatasetSeries: (DCTERMS.title, DCTERMS.description),
    FOAF.Agent: (FOAF.name,),
    SPDX.Checksum: (SPDX.algorithm, SPDX.checksumValue),
}  # fmt: skip
RECOMMENDED: dict[URIRef, Paths] = {
    DCAT.Catalog: (
        DCTERMS.creator, FOAF.homepage, DCTERMS.language, DCTERMS.license, DCTERMS.issued, DCTERMS.modified,
        DCTERMS.spatial, DCAT.service, DCAT.themeTaxonomy,
    ),
    DCAT.Dataset: (
        DCTERMS.conformsTo, FOAF.page, DCAT.landingPage, DCTERMS.language, DCAT.distribution, DCAT.keyword,
        DCTERMS.spatial, DCTERMS.temporal,
    ),
    DCAT.Distribution: (
        DCAT.downloadURL, DCTERMS.language, DCTERMS.format, DCAT.mediaType, DCTERMS.title, DCTERMS.description,
    ),
    DCAT.DataService: (DCTERMS.creator, DCAT.keyword, DCTERMS.language, DCTERMS.conformsTo, DCAT.servesDataset),
    DCAT.DatasetSeries: (DCTERMS.publisher, DCAT.contactPoint, DCTERMS.accrualPeriodicity, DCTERMS.spatial),
}  # fmt: skip
ONCE: dict[URIRef, Paths] = {
    DCAT.Catalog: (DCAT.contactPoint, DCTERMS.publisher, FOAF.homepage, DCTERMS.license),
    DCAT.Dataset: (DCAT.contactPoint, DCTERMS.identifier, DCTERMS.publisher, DCAT.version, ADMS.status),
    DCAT.Distribution: (DCAT.accessURL, DCAT.downloadURL, DCTERMS.license, DCTERMS.format, DCAT.mediaType),
    DCAT.DataService: (DCAT.contactPoint, DCTERMS.creator, DCTERMS.identifier, DCAT.endpointURL, DCTERMS.publisher),
}
RANGES: dict[URIRef, URIRef] = {
    DCTERMS.publisher: FOAF.Agent,
    DCTERMS.creator: FOAF.Agent,
    DCAT.contactPoint: VCARD.Kind,
    DCTERMS.language: DCTERMS.LinguisticSystem,
    DCTERMS.license: DCTERMS.LicenseDocument,
    DCTERMS.accessRights: DCTERMS.RightsStatement,
    DCTERMS.conformsTo: DCTERMS.Standard,
    DCTERMS.temporal: DCTERMS.PeriodOfTime,
    DCTERMS.spatial: DCTERMS.Location,
    DCTERMS.accrualPeriodicity: DCTERMS.Frequency,
    DCTERMS.format: DCTERMS.MediaTypeOrExtent,
    DCAT.mediaType: DCTERMS.MediaType,
    DCAT.theme: SKOS.Concept,
    ADMS.status: SKOS.Concept,
    DCAT.themeTaxonomy: SKOS.ConceptScheme,
    DCAT.landingPage: FOAF.Document,
    FOAF.page: FOAF.Document,
    FOAF.homepage: FOAF.Document,
    SPDX.checksum: SPDX.Checksum,
}


def entry(period: str, version: int = 1, *, made: bool = True, reason: str | None = None) -> Entry:
    """A release of a July, with its files or without."""
    edition = ReleaseVersion(period, version, datetime(2026, 7, 20, 8, tzinfo=UTC), "a" * 64)
    files = [PublishedFile(f"report-{period}-{language}.pdf", 20, "b" * 64) for language in ("nl", "en")]
    files.append(PublishedFile(f"hosting-monitor-{period.lower()}-v{version}.zip", 900, "c" * 64))
    publication = Publication(period, version, "f" * 64, "CC0-1.0", Path(), tuple(files))
    return Entry(edition, reason, publication if made else None)


ENTRIES = (
    entry("2026Q2"),
    entry("2026Q1", 2, reason="Two notices were withdrawn."),
    entry("2026Q1"),
    entry("2025Q4", made=False),
    entry("2022-03-11..2022-04-11"),
)


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The catalogue as others get it: written, and read again by name."""
    drawn = catalogue(ENTRIES, Settings(contact="contact@monitor.example").site, BASE)
    return Graph().parse(data=drawn.serialize(format="turtle"), format="turtle")


def missing(graph: Graph, wanted: dict[URIRef, Paths]) -> Iterator[tuple[Node, Node]]:
    """What has no value of what it must have."""
    for kind, paths in wanted.items():
        found = list(graph.subjects(RDF.type, kind))
        assert found, kind
        yield from ((subject, path) for subject in found for path in paths if graph.value(subject, path) is None)


def test_all_that_is_mandatory_and_recommended_is_there(graph: Graph) -> None:
    assert list(missing(graph, MANDATORY)) == []
    assert list(missing(graph, RECOMMENDED)) == []


def test_what_may_be_said_once_is_said_once(graph: Graph) -> None:
    subjects = {(kind, subject) for kind in ONCE for subject in graph.subjects(RDF.type, kind)}
    often = [(s, path) for kind, s in subjects for path in ONCE[kind] if len(set(graph.objects(s, path))) > 1]
    assert often == []


def test_every_value_is_of_the_class_that_the_profile_asks(graph: Graph) -> None:
    wrong = [
        (path, value)
        for path, kind in RANGES.items()
        for value in graph.objects(None, path)
        if (value, RDF.type, kind) not in graph
    ]
    assert wrong == []


def test_no_language_is_said_twice_and_both_are_said(graph: Graph) -> None:
    for kind in (DCAT.Catalog, DCAT.Dataset, DCAT.DatasetSeries, DCAT.DataService, DCAT.Distribution):
        for subject in graph.subjects(RDF.type, kind):
            for path in (DCTERMS.title, DCTERMS.description):
                said = [value.language for value in graph.objects(subject, path) if isinstance(value, Literal)]
                assert sorted(said, key=str) == ["en", "nl"], subject


def test_every_node_has_a_whole_address(graph: Graph) -> None:
    nodes = {node for triple in graph for node in triple}
    assert [node for node in nodes if isinstance(node, BNode)] == []
    whole = ("https://", "http://", "mailto:")
    assert [node for node in nodes if isinstance(node, URIRef) and not str(node).startswith(whole)] == []
    assert {str(node).split("#")[0] for node in graph.subjects(RDF.type, DCAT.Dataset)} == {f"{BASE}/catalog"}


def test_a_quarter_is_told_by_its_first_and_last_day(graph: Graph) -> None:
    time = graph.value(URIRef(f"{BASE}/catalog#2026Q2-v1"), DCTERMS.temporal)
    assert graph.value(time, DCAT.startDate) == Literal("2026-04-01", datatype=XSD.date)
    assert graph.value(time, DCAT.endDate) == Literal("2026-06-30", datatype=XSD.date)


def test_a_correction_follows_what_it_corrects(graph: Graph) -> None:
    first, second = (URIRef(f"{BASE}/catalog#2026Q1-v{version}") for version in (1, 2))
    assert graph.value(second, DCAT.previousVersion) == first
    assert graph.value(second, ADMS.versionNotes) == Literal("Two notices were withdrawn.")
    assert graph.value(second, ADMS.status) == EU["dataset-status/COMPLETED"]
    assert graph.value(first, ADMS.status) == EU["dataset-status/DEPRECATED"]
    assert graph.value(first, DCAT.version) == Literal("1")


def test_a_file_has_its_size_and_checksum(graph: Graph) -> None:
    package = URIRef(f"{BASE}/catalog#2026Q2-v1-zip")
    assert graph.value(package, DCAT.downloadURL) == URIRef(f"{BASE}/data/2026Q2/v1/hosting-monitor-2026q2-v1.zip")
    assert graph.value(package, DCAT.byteSize) == Literal("900", datatype=XSD.nonNegativeInteger)
    checksum = graph.value(package, SPDX.checksum)
    assert graph.value(checksum, SPDX.checksumValue) == Literal("c" * 64, datatype=XSD.hexBinary)
    of_dutch = URIRef(f"{BASE}/catalog#2026Q2-v1-pdf-nl")
    assert list(graph.objects(of_dutch, DCTERMS.language)) == [EU["language/NLD"]]


def test_a_release_without_files_has_its_pages_alone(graph: Graph) -> None:
    ways = graph.objects(URIRef(f"{BASE}/catalog#2025Q4-v1"), DCAT.distribution)
    assert {str(way).partition("#")[2] for way in ways} == {"2025Q4-v1-csv", "2025Q4-v1-json"}


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph")  # rdflib's own
@pytest.mark.parametrize("form", ["turtle", "json-ld", "pretty-xml"])
def test_every_form_says_the_same(graph: Graph, form: str) -> None:
    written = catalogue(ENTRIES, Settings(contact="contact@monitor.example").site, BASE).serialize(format=form)
    again = Graph().parse(data=written, format={"pretty-xml": "xml"}.get(form, form))
    assert set(again) == set(graph)


def test_publisher_contact_and_licence_are_those_of_the_settings() -> None:
    given = Settings(site_name="Authority", publisher_iri="https://register.example/org1", licence="CC-BY-4.0").site
    graph = catalogue(ENTRIES, given, BASE)
    assert graph.value(URIRef("https://register.example/org1"), FOAF.name) == Literal("Authority")
    assert set(graph.objects(None, DCTERMS.publisher)) == {URIRef("https://register.example/org1")}
    assert set(graph.objects(None, DCTERMS.license)) == {EU["licence/CC_BY_4_0"]}
    assert list(graph.objects(None, VCARD.hasURL)) == [URIRef(f"{BASE}/nl/open-data")]
    invented = catalogue(ENTRIES, Settings(demonstration=True).site, BASE)
    told = [str(text) for text in invented.objects(None, DCTERMS.description)]
    assert [text for text in told if "invented" not in text and "verzonnen" not in text] == []
