"""Accounts over HTTP: register, log in, log out."""

import time
from datetime import timedelta
from statistics import median
from uuid import UUID

import psycopg
import pytest

from app.backend.tests.conftest import GOOD_PASSWORD, SECRETS, Client
from app.backend.tokens import Tokens

pytestmark = pytest.mark.integration


def test_an_account_is_opened_with_a_hashed_password(anybody: Client, database: psycopg.Connection) -> None:
    """Registration answers with the account, without its password, and keeps only a hash."""
    answer = anybody.register()
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "email", "display_name", "created_at"}
    row = database.execute("SELECT password_hash FROM users WHERE email = %s", [anybody.email]).fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$")


def test_an_e_mail_address_has_one_account_however_it_is_capitalised(ada: Client) -> None:
    """A second registration is a conflict."""
    answer = ada.register(email=ada.email.upper())
    assert answer.status_code == 409
    assert answer.json() == {"detail": "There is an account with this e-mail address.", "reasons": []}


def test_a_weak_password_is_refused_with_every_reason(anybody: Client) -> None:
    """The answer lists the rules to mend, in the words of the form."""
    answer = anybody.register(password="weak")
    assert answer.status_code == 422
    assert answer.json() == {
        "detail": "The password is too weak.",
        "reasons": ["At least 12 characters", "An upper-case letter", "A digit", "A symbol, such as ! or #"],
    }


@pytest.mark.parametrize("changes", [{"email": "nobody"}, {"display_name": "a\0b"}, {"display_name": ""}, {"x": "y"}])
def test_an_invalid_registration_is_refused_without_its_password(anybody: Client, changes: dict[str, str]) -> None:
    """The answer names the place and never repeats the input."""
    answer = anybody.register(**changes)
    assert answer.status_code == 422
    assert answer.json()["reasons"][0].startswith(f"body.{next(iter(changes))}: ")
    assert GOOD_PASSWORD not in answer.text


def test_text_that_is_no_unicode_is_refused(anybody: Client) -> None:
    """Half a surrogate pair is invalid input, not a failure of ours."""
    answer = anybody.post(
        "/auth/register",
        data=rb'{"email": "a@example.com", "password": "\ud800", "display_name": "\ud800"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


def test_logging_in_gives_a_token_that_expires(ada: Client) -> None:
    """The answer says how long the token is good; capitals in the address do not matter."""
    answer = ada.log_in(email=ada.email.upper())
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 3600


def test_a_wrong_password_and_an_unknown_account_look_the_same(ada: Client) -> None:
    """Neither the answer nor its time says whether there is an account."""
    wrong: list[float] = []
    unknown: list[float] = []
    for _ in range(5):
        for times, changes in ((wrong, {"password": "Wrong-Horse-8"}), (unknown, {"email": "nobody@example.com"})):
            started = time.perf_counter()
            answer = ada.log_in(**changes)
            times.append(time.perf_counter() - started)
            assert answer.status_code == 401
            assert answer.json()["detail"] == "Wrong e-mail address or password."
    assert 0.5 < median(wrong) / median(unknown) < 2


def test_a_logged_out_token_is_refused(ada: Client) -> None:
    """Logging out revokes the token, long before it expires."""
    assert ada.get("/blocks").status_code == 200
    assert ada.post("/auth/logout").status_code == 204
    answer = ada.get("/blocks")
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The session has ended; log in again."


@pytest.mark.parametrize(
    ("secret", "lifetime"),
    [
        (SECRETS["JWT_SECRET"], timedelta(seconds=-1)),
        (SECRETS["JWT_SECRET"][::-1], timedelta(hours=1)),
        (SECRETS["JWT_SECRET"], timedelta(hours=1)),
    ],
    ids=["expired", "forged", "without-session"],
)
def test_a_token_that_is_not_good_is_refused(anybody: Client, secret: str, lifetime: timedelta) -> None:
    """Expired, forged, or issued without a session: all are refused with a challenge."""
    _, token = Tokens(secret, lifetime).issue(UUID(int=1))
    answer = anybody.get("/blocks", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_account_that_is_gone_can_change_nothing(ada: Client, database: psycopg.Connection) -> None:
    """An open session of a deleted account gets a conflict, not a failure of ours."""
    artist_id = ada.new_artist()
    database.execute("DELETE FROM users WHERE email = %s", [ada.email])
    assert ada.post("/blocks", json={"artist_id": artist_id}).status_code == 409
