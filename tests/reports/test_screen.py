"""The report for the screen in a real Chromium: accessible, whole, and no wider than a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from monitor.wording.language import LANGUAGES, Language
from reports.document import page
from tests.reports.fiction import report
from tests.web.public.test_browser import ARGUMENTS, CHROMIUM, PHONE, WIDE, violations

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


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_is_accessible_asks_for_nothing_and_fits(
    chromium: Browser, tmp_path: Path, language: Language, size: Any
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(report(), language, "screen"), "utf-8")
    context = chromium.new_context(viewport=size)
    shown = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: complaints.append(message.text))
    shown.goto(file.as_uri())
    shown.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert shown.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert shown.evaluate("document.fonts.load('600 16px \"Source Sans 3\"').then(faces => faces.length)") == 1
    assert violations(shown) == []
    assert complaints == []
    assert [address for address in asked if not address.startswith("data:")] == [file.as_uri()]
    context.close()
