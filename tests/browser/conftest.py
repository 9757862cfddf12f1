"""A Chromium of the machine, driven by Playwright, and a report of a few real verdicts to open in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from luckproof import RunInfo, judge, make_context, statements, write_html

CHROMIUM = os.environ.get("LUCKPROOF_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

JUDGED = (
    "luckmatters.lemma4.printed",
    "luckmatters.lemma4.corrected",
    "luckmatters.theorem4.printed",
    "luckmatters.theorem4.corrected",
    "luckmatters.theorem4.basin.sharp",
    "luckmatters.theorem4.vacuity.sharp",
    "specialization.corollary2.reading",
)
"""Two papers; what walk through the report meets, with a finding that matters, a figure and a script."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; its tests are skipped, with the reason, where the machine has none."""
    driver = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra browser)")
    if CHROMIUM is None:
        pytest.skip(
            "no chromium on this machine: install Debian's package, or name one in LUCKPROOF_CHROMIUM"
        )
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run of :data:`JUDGED`; made only where a browser will open it."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    context = make_context("quick", "cpu", 0)
    write_html(path, [judge(statements[name], context) for name in JUDGED], RunInfo.of(context, seconds=1.0))
    return path


@pytest.fixture
def opened(chromium: Any, report: Path) -> Iterator[Any]:
    """``opened(hash, **options)``: the report in a window; whatever the console or the page says is an error."""
    said: list[str] = []
    contexts = []

    def open_page(address: str = "", **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1366, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(report.as_uri() + address)
        page.wait_for_timeout(200)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
