"""A user connects a music service; its tokens are nobody's to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from checks.people import Person
    from pytest_devenv.fixtures.handles import DatabaseHandle

pytestmark = pytest.mark.e2e

TOKEN = "a token that spotify gave"


def test_tokens_of_services_are_stored_encrypted(somebody: Person, migrated_database: DatabaseHandle) -> None:
    """What the database holds of a service's tokens is no token, and no answer shows one."""
    connection = {"provider": "spotify", "access_token": TOKEN, "refresh_token": TOKEN}
    answer = somebody.post("/connections", connection)
    assert answer.status_code == 201
    with migrated_database.connect() as database:
        query = "SELECT access_token, refresh_token FROM connections WHERE user_id = %s"
        (stored,) = database.execute(query, [somebody.id]).fetchall()
    assert not any(TOKEN.encode() in each for each in stored)
    assert stored[0] != stored[1]
    assert TOKEN not in answer.text + somebody.get("/connections").text
