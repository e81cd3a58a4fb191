"""Pages of the configured origins may call the backend, and pages of no other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_devenv.fixtures.handles import HttpService

pytestmark = pytest.mark.e2e

DEFAULT = "http://localhost:5000,http://localhost:5173,http://localhost:3000"
ALLOWED = os.environ.get("CORS_ALLOWED_ORIGINS", DEFAULT).split(",")  # the Tiltfile moves them with the ports
STRANGE = ("http://localhost:5001", "https://localhost:5000", "http://localhost:5000.example.com", "null")


def allowed(backend: HttpService, origin: str) -> tuple[str | None, str | None]:
    """Return the origins that the backend allows for a page of this one: when asked before, and in the answer."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    before = backend.request("OPTIONS", "/auth/register", headers={"Origin": origin, **asked})
    answer = backend.get("/health", headers={"Origin": origin})
    name = "Access-Control-Allow-Origin"
    return before.headers.get(name), answer.headers.get(name)


@pytest.mark.parametrize("origin", ALLOWED)
def test_configured_origin_is_allowed(backend: HttpService, origin: str) -> None:
    """A page of a configured origin may call, and read the answer."""
    assert allowed(backend, origin) == (origin, origin)


@pytest.mark.parametrize("origin", STRANGE)
def test_any_other_origin_is_not(backend: HttpService, origin: str) -> None:
    """A page of any other origin is not told that it may."""
    assert allowed(backend, origin) == (None, None)
