"""A token is good for its owner, for a time, until logging out; no other token is."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from checks.people import bearer
from checks.tokens import claims, signed, unsigned
from pytest_devenv.secret import Secret

if TYPE_CHECKING:
    from checks.people import Crowd, Person
    from pytest_devenv.fixtures.handles import HttpService
    from pytest_devenv.run import Devenv

pytestmark = pytest.mark.e2e

LONGEST_S = 24 * 3600


@pytest.fixture
def signing_key(devenv: Devenv) -> Secret:
    """Give the key with which the backend signs: the one that this run gave it, else JWT_SECRET of the environment."""
    key = devenv.environment.variables.get("backend", os.environ).get("JWT_SECRET")
    if key is None:
        pytest.skip(f"the target {devenv.target} keeps the backend's key to itself: export JWT_SECRET=…")
    return Secret(key)


def status(backend: HttpService, token: str) -> int:
    """Return how the backend answers to a token."""
    return backend.get("/blocks", headers=bearer(token)).status_code


def test_token_says_when_it_expires(somebody: Person) -> None:
    """A token that were found tomorrow is of no use."""
    claimed = claims(somebody.token)
    assert 0 < claimed["exp"] - claimed["iat"] <= LONGEST_S


def test_expired_token_is_refused(backend: HttpService, somebody: Person, signing_key: Secret) -> None:
    """A token of a session that is still open is refused once its time is over."""
    claimed = claims(somebody.token)
    assert status(backend, signed(claimed, signing_key)) == 200
    assert status(backend, signed({**claimed, "exp": time.time() - 60}, signing_key)) == 401


def test_forged_token_is_refused(backend: HttpService, people: Crowd, somebody: Person) -> None:
    """What somebody else signed, or nobody, is no token, even when it names a session that is open."""
    head, claimed, signature = somebody.token.split(".")
    anothers = people.person().token.split(".")
    forged = [
        signed(claims(somebody.token), Secret("a key that somebody else has made up")),
        unsigned(claims(somebody.token)),
        f"{head}.{claimed}.{anothers[2]}",
        f"{head}.{anothers[1]}.{signature}",
        "no token at all",
    ]
    assert [status(backend, token) for token in forged] == [401] * len(forged)


def test_token_ends_with_its_session(backend: HttpService, somebody: Person) -> None:
    """Who logs out is logged out, wherever else the token is kept."""
    assert somebody.post("/auth/logout").status_code == 204
    assert status(backend, somebody.token) == 401
