"""What the checks of this environment share: a backend that is ready, and people who leave no trace."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from checks.people import Crowd, Person, crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_devenv.fixtures.handles import DatabaseHandle, HttpService
    from pytest_devenv.run import Devenv

READY_WITHIN_S = 30.0


@pytest.fixture(scope="session")
def backend(
    service: Callable[[str], HttpService],
    migrated_database: DatabaseHandle,  # noqa: ARG001  # its tables have to be there
) -> HttpService:
    """Give the backend once it is ready: it answers before its database and redis are connected.

    That a busy machine answers late is for the checks marked `perf` to say.
    """
    ready = replace(service("backend"), deadline_s=READY_WITHIN_S)
    gives_up_at = time.monotonic() + READY_WITHIN_S
    while (answer := ready.get("/ready")).status_code != 200:
        if time.monotonic() > gives_up_at:
            pytest.fail(f"expected GET /ready to answer 200 within {READY_WITHIN_S:.0f} s, found: {answer.text}")
        time.sleep(0.02)
    return ready


@pytest.fixture(scope="session")
def jobs(devenv: Devenv) -> DatabaseHandle:
    """Give the environment's second database; `migrated_database` is the first."""
    from pytest_devenv.fixtures.handles import handle_of

    return handle_of(devenv, "jobs")


@pytest.fixture
def people(backend: HttpService, migrated_database: DatabaseHandle, jobs: DatabaseHandle) -> Iterator[Crowd]:
    """Give a place where people register; they and what they did are gone after the check."""
    with crowd(backend, migrated_database, jobs) as made:
        yield made


@pytest.fixture
def somebody(people: Crowd) -> Person:
    """Give somebody who has registered and is logged in."""
    return people.person()
