"""The words of DCAT-AP-NL 3.0, and the graph they are written in: every node has an address, none is nameless."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rdflib import DCTERMS, FOAF, RDF, SKOS, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from monitor.settings import Settings
from monitor.tables.data_package import LICENCES
from monitor.wording.words import LANGUAGES, Language, Text

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
_TONGUES = {"nl": EU["language/NLD"], "en": EU["language/ENG"]}
_THEMES = (EU["data-theme/JUST"], EU["data-theme/TECH"])
_KEYWORDS = (
    Text("hosting", "hosting"),
    Text("verwijdering van illegaal materiaal", "removal of illegal material"),
    Text("meldpunt", "hotline"),
)
_INVENTED = Text(" Dit is een demonstratie met verzonnen gegevens.", " This is a demonstration with invented data.")
Said = Iterable[tuple[URIRef, Node]]


def _graph() -> Graph:
    graph = Graph()
    for prefix, space in {"dcat": DCAT, "adms": ADMS, "spdx": SPDX, "vcard": VCARD, "dcatap": DCATAP}.items():
        graph.bind(prefix, space)
    return graph


@dataclass(frozen=True)
class GraphBuilder:
    """The graph while it is drawn, whose it is, and the address of the site that it is about."""

    settings: Settings
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
        return self.known(_TONGUES[language], DCTERMS.LinguisticSystem)

    @property
    def publisher(self) -> URIRef:
        """Who publishes, by the name that registers of organisations have, where that is set."""
        return URIRef(self.settings.publisher_iri) if self.settings.publisher_iri else self.node("publisher")

    def texts(self, title: Text, description: Text) -> Iterator[tuple[URIRef, Node]]:
        """Title and description in both languages; invented data says that it is."""
        for language in LANGUAGES:
            more = _INVENTED[language] if self.settings.demonstration else ""
            name = title[language].format(publisher=self.settings.site_name)
            yield DCTERMS.title, Literal(name, lang=language)
            yield DCTERMS.description, Literal(description[language] + more, lang=language)

    def common(self) -> Iterator[tuple[URIRef, Node]]:
        """What is the same of all that we publish."""
        yield DCTERMS.publisher, self.publisher
        yield DCTERMS.creator, self.publisher
        yield DCAT.contactPoint, self.node("contact")
        yield from ((DCTERMS.language, self.language_uri(language)) for language in LANGUAGES)
        yield from ((DCAT.theme, self.known(theme, SKOS.Concept)) for theme in _THEMES)
        yield from ((DCAT.keyword, Literal(word[lang], lang=lang)) for word in _KEYWORDS for lang in LANGUAGES)

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
