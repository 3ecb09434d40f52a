"""The site in a real Chromium: without script, on a phone, for people who use assistive technology."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdf
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.exceptions import HTTPException

from monitor.wording.language import LANGUAGES
from tests.support.published import COMPANIES

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
AXE = Path(__file__).parent / "vendor/axe.min.js"
PAGES = (
    "/nl/open-data",
    "/en/open-data",
    "/nl/open-data/2026Q2",
    "/nl/api",
    "/en/api",
    "/nl/citeren/2026Q2?company=as64500",
    "/en/cite/2026Q2?company=as64496",
    "/en/cite/2026Q2",
    "/nl/ranglijst/2026Q2",
    "/en/ranking/2026Q2",
    "/nl/ranglijst/2026Q2/hash-hits",
    "/en/ranking/2026Q2/hash-hits",
    "/nl/bedrijf/2026Q2/as64500",
    "/en/company/2026Q2/as64496",
    "/en/company/2026Q2/as64511",
    "/nl/werkwijze",
    "/en/method",
    "/nl/verloop",
    "/en/trend",
    "/nl/vergelijken?from=2026Q1&to=2026Q2",
    "/en/compare?from=2026Q2&to=2026Q2&from_version=1",
    "/nl/grafieken/2026Q2",
    "/en/charts/2026Q2",
    "/nl/norm/2026Q2?hours=13",
    "/en/norm/2026Q2?hours=12",
    "/nl/toegankelijkheid",
    "/en/accessibility",
    "/nl/uitgever",
    "/en/publisher",
    "/nl/open-data",
    "/en/open-data",
    "/nl/open-data/2026Q2",
    "/en/open-data/2026Q2",
    "/nl/bedrijf/2026Q2/as64511",
    "/nl/nergens",
    "/en/nowhere",
)
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
PAPER = 703  # pixels between the margins of an A4 page: 186 mm at 96 a inch
WALKED = (
    "/nl/ranglijst/2026Q2",
    "/en/company/2026Q2/as64500",
    "/nl/norm/2026Q2?hours=12",
    "/en/charts/2026Q2",
    "/en/accessibility",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which(CHROMIUM), reason=f"{CHROMIUM} is not installed"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield browser
        browser.close()


@pytest.fixture
def reader(chromium: Browser) -> Iterator[BrowserContext]:
    """A reader whose browser runs no script."""
    context = chromium.new_context(java_script_enabled=False, viewport=WIDE)  # type: ignore[arg-type]
    yield context
    context.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds, run in a world of its own: the page's policy refuses every script."""
    devtools = page.context.new_cdp_session(page)
    frame = devtools.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = devtools.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})
    place = {"contextId": world["executionContextId"]}
    devtools.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8"), **place})
    run = "axe.run(document).then(result => JSON.stringify(result.violations))"
    answer: dict[str, Any] = devtools.send(
        "Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True, **place}
    )
    found = json.loads(answer["result"]["value"])
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible_quiet_and_fit(chromium: Browser, address: str, path: str, size: Any) -> None:
    context = chromium.new_context(viewport=size)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + path)
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate("document.fonts.load('600 16px \"Source Sans 3\"').then(faces => faces.length)") == 1
    assert violations(page) == []
    missing = path.endswith(("nergens", "nowhere"))
    assert [each for each in complaints if not (missing and "404 (NOT FOUND)" in each)] == []
    assert [url for url in asked if not url.startswith(address)] == []
    context.close()


def test_everything_works_without_script(reader: BrowserContext, address: str) -> None:
    page = reader.new_page()
    page.goto(address + "/nl/")
    page.get_by_label("Bedrijf of kenmerk").fill("haven")
    page.get_by_role("button", name="Toepassen").click()
    expect(page.get_by_role("rowheader", name="Haven Carrier")).to_have_count(1)
    page.get_by_role("link", name="Toon alle").click()
    page.get_by_role("columnheader", name="Sites").get_by_role("link").click()
    expect(page.locator("th[aria-sort]")).to_have_text("Sites")
    page.get_by_role("link", name="English", exact=True).click()
    expect(page).to_have_url(re.compile(r"/en/ranking/2026Q2\?sort=sites"))
    page.get_by_role("link", name="Rietkraag Cloud").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rietkraag Cloud")
    expect(page.get_by_role("img", name="Share not yet removed").first).to_be_visible()


def test_the_keyboard_reaches_the_content_first(reader: BrowserContext, address: str) -> None:
    page = reader.new_page()
    page.goto(address + "/en/ranking/2026Q2")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    box = skip.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#content$"))


def test_the_norm_and_the_pictures_work_without_script(reader: BrowserContext, address: str) -> None:
    page = reader.new_page()
    page.goto(address + "/en/norm/2026Q2")
    page.get_by_role("navigation", name="Choose a deadline").get_by_role("link", name="12 hours").click()
    expect(page).to_have_url(address + "/en/norm/2026Q2?hours=12")
    expect(page.get_by_text("3 companies would have another standing.")).to_be_visible()
    page.get_by_role("link", name="Charts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The second quarter of 2026 in charts")
    expect(page.get_by_role("columnheader", name="Position", include_hidden=True)).to_be_hidden()
    page.get_by_text("The figures in a table").first.click()
    expect(page.get_by_role("columnheader", name="Position")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Chart as SVG").first.click()
    assert download.value.suggested_filename == "hostingmonitor-funnel-2026Q2-v2.svg"


def test_every_kind_of_page_is_looked_at_in_both_languages(app: Flask) -> None:
    def kind(path: str) -> tuple[str, str] | None:
        try:
            endpoint, values = app.url_map.bind("localhost").match(path.partition("?")[0])
        except HTTPException:
            return None
        return endpoint, values["lang"]

    rules = [rule for rule in app.url_map.iter_rules() if (rule.defaults or {}).get("form", "html") == "html"]
    other = {"ranking.home", "feeds.feed", "pictures.moved_pictures"}
    pages = {rule.endpoint for rule in rules if "lang" in (rule.defaults or {})} - other
    assert {kind(path) for path in PAGES} >= {(endpoint, language) for endpoint in pages for language in LANGUAGES}


FOCUSABLE = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']"
STEP = f"""() => {{
    const item = document.activeElement, style = getComputedStyle(item), box = item.getBoundingClientRect();
    return {{
        index: [...document.querySelectorAll({FOCUSABLE!r})].indexOf(item),
        outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
        seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.height > 0,
    }};
}}"""


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", WALKED)
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(
    chromium: Browser, address: str, path: str, size: Any
) -> None:
    context = chromium.new_context(viewport=size)
    page = context.new_page()
    page.goto(address + path)
    visible = (
        f"[...document.querySelectorAll({FOCUSABLE!r})].map((item, index) => item.checkVisibility() ? index : -1)"
        ".filter(index => index >= 0)"
    )
    expected = page.evaluate(visible)
    steps = []
    for _ in expected:
        page.keyboard.press("Tab")
        steps.append(page.evaluate(STEP))
    assert [step["index"] for step in steps] == expected
    assert len(expected) > 10
    assert not [step for step in steps if step["outline"] < 2 or not step["seen"]]
    context.close()


@pytest.mark.parametrize("path", [path for path in PAGES if "nergens" not in path and "nowhere" not in path])
def test_nothing_is_lost_at_twice_the_size(chromium: Browser, address: str, path: str) -> None:
    """200 % on a screen of 1280 pixels: no scrolling sideways but in a table, and nothing hangs over."""
    context = chromium.new_context(viewport={"width": 640, "height": 450}, device_scale_factor=2)
    page = context.new_page()
    page.goto(address + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    over = """[...document.querySelectorAll('main *')].filter(item => item.checkVisibility()
        && !item.closest('.scroller, svg, .hidden-text') && item.getBoundingClientRect().right > 641)
        .map(item => item.outerHTML.slice(0, 120))"""
    assert page.evaluate(over) == []
    context.close()


@pytest.mark.parametrize("path", WALKED)
def test_on_paper_nothing_is_cut_off(chromium: Browser, address: str, path: str) -> None:
    context = chromium.new_context(viewport={"width": PAPER, "height": 1000})
    page = context.new_page()
    page.goto(address + path)
    page.emulate_media(media="print")
    over = f"""[...document.querySelectorAll('main *')].filter(item => item.checkVisibility() && !item.closest('svg')
        && !item.closest('.hidden-text') && item.getBoundingClientRect().right > {PAPER + 1})
        .map(item => item.outerHTML.slice(0, 120))"""
    assert page.evaluate(over) == []
    context.close()


def test_the_printed_ranking_has_every_company_and_every_column(chromium: Browser, address: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(address + "/en/ranking/2026Q2")
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))
    text = re.sub(r"\s+", " ", " ".join(sheet.extract_text() for sheet in printed.pages))
    assert [item.name for item in COMPANIES if item.name not in text] == []
    assert "627.4" in text  # the last column of the first company
    assert "How the figures add up" in text
    context.close()
