"""A user registers and logs in; whoever should be refused is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.people import an_email

if TYPE_CHECKING:
    from checks.people import Crowd, Person
    from pytest_devenv.fixtures.handles import DatabaseHandle

pytestmark = pytest.mark.e2e


def test_somebody_who_registered_logs_in(somebody: Person) -> None:
    """The account that was opened gives a token, and the token opens what is for users only."""
    assert somebody.get("/blocks").json() == []


@pytest.mark.parametrize("password", ["Wrong-Horse-7-Battery", "correct-horse-7-battery", "C"])
def test_wrong_password_is_refused(people: Crowd, somebody: Person, password: str) -> None:
    """Whoever does not know the password does not get in, and is not told whether the account exists."""
    mine = people.log_in(somebody.email, password)
    nobodys = people.log_in(an_email(), password)
    assert mine.status_code == nobodys.status_code == 401
    assert mine.json() == nobodys.json()


def test_email_is_registered_once(people: Crowd, somebody: Person) -> None:
    """A second account for one e-mail address is refused, in any spelling."""
    assert people.register(somebody.email).status_code == 409
    assert people.register(somebody.email.upper()).status_code == 409


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Short-7", "At least 12 characters"),
        ("correct-horse-7-battery", "An upper-case letter"),
        ("CORRECT-HORSE-7-BATTERY", "A lower-case letter"),
        ("Correct-Horse-Battery", "A digit"),
        ("CorrectHorse7Battery", "A symbol, such as ! or #"),
    ],
)
def test_weak_password_is_refused(people: Crowd, password: str, reason: str) -> None:
    """A password that breaks one rule opens no account, and the answer names the rule."""
    answer = people.register(an_email(), password)
    assert answer.status_code == 422
    assert answer.json()["reasons"] == [reason]


def test_password_is_stored_hashed(somebody: Person, migrated_database: DatabaseHandle) -> None:
    """What the database holds is no password."""
    with migrated_database.connect() as connection:
        row = connection.execute("SELECT password_hash FROM users WHERE id = %s", [somebody.id]).fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$")
    assert somebody.password not in row[0]
