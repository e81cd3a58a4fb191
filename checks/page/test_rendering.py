"""The page is there at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.page.chromium import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from pytest_devenv.fixtures.budgets import Measure

pytestmark = pytest.mark.perf

PAINTED = """() => new Promise(resolve => new PerformanceObserver((entries, observer) => {
    for (const entry of entries.getEntriesByName("first-contentful-paint")) {
        observer.disconnect();
        resolve(entry.startTime / 1000);
    }
}).observe({type: "paint", buffered: true}))"""


def test_first_paint_comes_soon(keeps_budget: Callable[[str, Measure], None], browser: Browser) -> None:
    """Whoever opens the page for the first time soon sees something of it."""

    def open_afresh() -> float:
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(ORIGIN)
            return float(page.evaluate(PAINTED))

    keeps_budget("first-paint", open_afresh)
