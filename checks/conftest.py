"""What the checks of this environment share: somebody who has just registered, and leaves no trace."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_devenv.fixtures.handles import DatabaseHandle, HttpService

PASSWORD = "Correct-Horse-7-Battery"


@dataclass(frozen=True)
class Somebody:
    """A registered user."""

    email: str
    password: str


@pytest.fixture
def backend(service: Callable[[str], HttpService]) -> HttpService:
    """Give the backend."""
    return service("backend")


@pytest.fixture
def somebody(backend: HttpService, migrated_database: DatabaseHandle) -> Iterator[Somebody]:
    """Register somebody, and take the account away again."""
    email = f"check-{uuid.uuid4().hex[:12]}@example.com"
    registration = {"email": email, "password": PASSWORD, "display_name": "Check"}
    backend.post("/auth/register", json=registration).raise_for_status()
    yield Somebody(email, PASSWORD)
    with migrated_database.connect() as connection:
        connection.execute("DELETE FROM users WHERE email = %s", [email])
