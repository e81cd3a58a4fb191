"""What the measurements share: somebody who asks, and the promise that no load leaves this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.people import Person, bearer

if TYPE_CHECKING:
    from checks.perf.load import Call
    from pytest_devenv.run import Devenv

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True)
def _load_stays_here(devenv: Devenv) -> None:
    """Measure no service that is elsewhere: others may use it."""
    host = devenv.endpoints["backend"].host
    if host not in LOOPBACK:
        pytest.skip(f"load stays on this machine, and the backend is at {host}")


@pytest.fixture
def questions(somebody: Person) -> list[Call]:
    """Give the questions that a user's page asks, as calls that anybody's connection can make."""
    headers = bearer(somebody.token)
    return [
        lambda service, path=path: service.get(path, headers=headers)  # type: ignore[misc]  # a default binds it now
        for path in ("/blocks", "/effective-blocks", "/artists", "/community-lists", "/connections")
    ]
