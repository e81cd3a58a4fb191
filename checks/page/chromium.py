"""The system's Chromium, in which the page has the origin that its users see it at, wherever this run has it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.checks.asserting import CouldNotLook
from pytest_devenv.verdict import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser

    from pytest_devenv.endpoint import Endpoint

ORIGIN = "http://localhost:5000"
PATIENCE_MS = 30_000
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = ("--disable-gpu", "--disable-quic", "--disable-sync", "--disable-component-update", "--no-first-run")


def missing() -> str | None:
    """Return the command that installs what is missing; None where nothing is."""
    if _program() is None:
        return "apt-get install chromium"
    return None if importlib.util.find_spec("playwright") else "pip install 'pytest-devenv[browser]'"


@contextlib.contextmanager
def launched(endpoints: Mapping[str, Endpoint]) -> Iterator[Browser]:
    """Start a headless browser to which these `host:port` lead to the endpoints of this run.

    The backend answers pages of its configured origins alone, and the page calls the backend where its users have it.
    """
    from playwright.sync_api import sync_playwright

    rules = ", ".join(f"MAP {name} {endpoint.address}" for name, endpoint in endpoints.items())
    with sync_playwright() as playwright:
        arguments = [*_QUIET, f"--host-resolver-rules={rules}"]
        browser = playwright.chromium.launch(executable_path=_program(), args=arguments, timeout=PATIENCE_MS)
        with contextlib.closing(browser):
            yield browser


def require() -> None:
    """Say that the page could not be looked at where there is no browser: an error with CI=true, else a skip."""
    remedy = missing()
    if remedy is None:
        return
    if os.environ.get("CI") == "true":
        raise CouldNotLook(unknown("there is no browser to look at the page with", where="PATH", remedy=remedy))
    pytest.skip(f"unknown: there is no browser to look at the page with: {remedy}")


def _program() -> str | None:
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)
