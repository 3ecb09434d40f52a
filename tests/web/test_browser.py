"""The site in a real Chromium: without script, on a phone, for people who use assistive technology."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
AXE = Path(__file__).parent / "vendor/axe.min.js"
PAGES = (
    "/nl/ranglijst/2026Q2",
    "/en/ranking/2026Q2",
    "/nl/ranglijst/2026Q2/hash-hits",
    "/en/ranking/2026Q2/hash-hits",
    "/nl/bedrijf/2026Q2/as64500",
    "/en/company/2026Q2/as64496",
    "/en/company/2026Q2/as64511",
    "/nl/werkwijze",
    "/en/method",
)
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 320, "height": 640}

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
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(address + path)
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate("document.fonts.load('600 16px \"Source Sans 3\"').then(faces => faces.length)") == 1
    assert violations(page) == []
    assert complaints == []
    context.close()


def test_everything_works_without_script(reader: BrowserContext, address: str) -> None:
    page = reader.new_page()
    page.goto(address + "/nl/")
    page.get_by_label("Bedrijf of kenmerk").fill("haven")
    page.get_by_role("button", name="Toepassen").click()
    assert page.get_by_role("rowheader", name="Haven Carrier").count() == 1
    page.get_by_role("link", name="Toon alle").click()
    page.get_by_role("columnheader", name="Sites").get_by_role("link").click()
    assert page.locator("th[aria-sort]").inner_text().strip() == "Sites"
    page.get_by_role("link", name="English", exact=True).click()
    assert "/en/ranking/2026Q2?sort=sites" in page.url
    page.get_by_role("link", name="Rietkraag Cloud").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Rietkraag Cloud"
    assert page.get_by_role("img", name="Share not yet removed").first.is_visible()


def test_the_keyboard_reaches_the_content_first(reader: BrowserContext, address: str) -> None:
    page = reader.new_page()
    page.goto(address + "/en/ranking/2026Q2")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    box = skip.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
