"""What the checks of the page share: a tab of a browser, and an address to register."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from checks.page import chromium
from checks.people import Crowd, an_email

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from pytest_devenv.run import Devenv

FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="package")
def browser(devenv: Devenv) -> Iterator[Browser]:
    """Give a headless browser that sees frontend and backend where their users do."""
    chromium.require()
    places = {"localhost:5000": devenv.endpoints["frontend"], "localhost:3000": devenv.endpoints["backend"]}
    with chromium.launched(places) as started:
        yield started


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """Give a new tab; a failure of its check is shown with a screenshot."""
    with closing(browser.new_context()) as context:
        context.set_default_timeout(chromium.PATIENCE_MS)
        tab = context.new_page()
        yield tab
        if request.node.stash.get(FAILED, False):
            file = tmp_path / "screenshot.png"
            tab.screenshot(path=file, full_page=True)
            request.node.user_properties.append(("screenshot", str(file)))
            print(f"a screenshot of the failure: {file}")  # noqa: T201  # pytest shows it with the failure


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Take note of a failure, for the page to be shown as it then was."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def email(people: Crowd) -> Iterator[str]:
    """Give an e-mail address that nobody has; an account that is opened for it goes after the check."""
    chosen = an_email()
    yield chosen
    with people.database.connect() as connection:
        opened = connection.execute("SELECT id::text FROM users WHERE email = %s", [chosen]).fetchall()
    people.accounts.extend(each[0] for each in opened)
