"""Access tokens."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from app.backend.tokens import TokenError, Tokens

SECRET = "a-development-secret-and-nothing-more"


def _claims() -> dict[str, object]:
    now = datetime.now(UTC)
    ids = {claim: str(uuid4()) for claim in ("sub", "jti", "tenant")}
    return {"iss": "kiro", **ids, "iat": now, "exp": now + timedelta(hours=1)}


def test_a_token_names_its_user_and_session() -> None:
    """Reading a token gives the session for which it was issued."""
    tokens = Tokens(SECRET)
    session, token = tokens.issue(uuid4())
    assert tokens.read(token) == session


def test_every_login_is_a_session_of_its_own() -> None:
    """Two tokens of one user can be revoked apart."""
    tokens, user_id = Tokens(SECRET), uuid4()
    assert tokens.issue(user_id)[0].id != tokens.issue(user_id)[0].id


def test_an_expired_token_is_refused() -> None:
    """A token is good for its lifetime and no longer."""
    tokens = Tokens(SECRET, lifetime=timedelta(seconds=-1))
    with pytest.raises(TokenError):
        tokens.read(tokens.issue(uuid4())[1])


def test_a_token_under_another_secret_is_refused() -> None:
    """Only who knows the secret can issue tokens."""
    _, token = Tokens("another-secret-that-is-also-long-enough").issue(uuid4())
    with pytest.raises(TokenError):
        Tokens(SECRET).read(token)


def test_a_token_names_the_tenant() -> None:
    """Who belongs to an organization works for it, everybody else for themselves."""
    tokens, user_id, organization_id = Tokens(SECRET), uuid4(), uuid4()
    assert tokens.read(tokens.issue(user_id)[1]).tenant_id == user_id
    assert tokens.read(tokens.issue(user_id, organization_id)[1]).tenant_id == organization_id


@pytest.mark.parametrize("missing", ["iss", "sub", "jti", "tenant", "iat", "exp"])
def test_a_token_without_one_of_its_claims_is_refused(missing: str) -> None:
    """A token that never expires, or names nobody, is none of ours even under our secret."""
    claims = _claims()
    del claims[missing]
    with pytest.raises(TokenError):
        Tokens(SECRET).read(jwt.encode(claims, SECRET, "HS256"))


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_what_is_no_token_is_refused(token: str) -> None:
    """Garbage is refused like any other bad token."""
    with pytest.raises(TokenError):
        Tokens(SECRET).read(token)


def test_an_unsigned_token_is_refused() -> None:
    """A token cannot choose to go without a signature."""
    claims = _claims()
    with pytest.raises(TokenError):
        Tokens(SECRET).read(jwt.encode(claims, "", "none"))
