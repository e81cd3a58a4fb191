"""A user registers and logs in; whoever should be refused is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from checks.conftest import Somebody
    from pytest_devenv.fixtures.handles import DatabaseHandle, HttpService

pytestmark = pytest.mark.e2e


def test_somebody_who_registered_logs_in(backend: HttpService, somebody: Somebody) -> None:
    """The account that was opened gives a token."""
    answer = backend.post("/auth/login", json={"email": somebody.email, "password": somebody.password})
    assert answer.status_code == 200
    assert answer.json()["access_token"]


def test_wrong_password_is_refused(backend: HttpService, somebody: Somebody) -> None:
    """Whoever does not know the password does not get in."""
    answer = backend.post("/auth/login", json={"email": somebody.email, "password": "Wrong-Horse-7-Battery"})
    assert answer.status_code == 401


def test_email_is_registered_once(backend: HttpService, somebody: Somebody) -> None:
    """A second account for one e-mail address is refused, in any spelling."""
    registration = {"email": somebody.email.upper(), "password": somebody.password, "display_name": "Twin"}
    assert backend.post("/auth/register", json=registration).status_code == 409


def test_password_is_stored_hashed(somebody: Somebody, migrated_database: DatabaseHandle) -> None:
    """What the database holds is no password."""
    with migrated_database.connect() as connection:
        row = connection.execute("SELECT password_hash FROM users WHERE email = %s", [somebody.email]).fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$")
