"""Accounts: register, log in, log out."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter

from app.backend.dependencies import CurrentSession, UsesResources
from app.backend.errors import RefusedError
from app.backend.models import Login, Registration, Token, User
from app.backend.passwords import hash_password, unmet_rules, verify_password
from app.backend.problems import documented

router = APIRouter(prefix="/auth", tags=["accounts"])


@dataclass(frozen=True)
class _Credentials:
    id: UUID
    organization_id: UUID | None
    password_hash: str


@router.post("/register", status_code=201, responses=documented(400, 409, 422, 503))
def register(registration: Registration, resources: UsesResources) -> User:
    """Open an account."""
    password = registration.password.get_secret_value()
    unmet = unmet_rules(password)
    if unmet:
        raise RefusedError(422, "The password is too weak.", [rule.text for rule in unmet])
    password_hash = hash_password(password)
    with resources.database.transaction() as transaction:
        user = transaction.one(
            User,
            """
            INSERT INTO users (email, password_hash, display_name)
            VALUES (%(email)s, %(password_hash)s, %(display_name)s)
            ON CONFLICT (lower(email)) DO NOTHING
            RETURNING id, email, display_name, created_at
            """,
            email=registration.email,
            password_hash=password_hash,
            display_name=registration.display_name,
        )
    if user is None:
        raise RefusedError(409, "There is an account with this e-mail address.")
    return user


@router.post("/login", responses=documented(400, 401, 422, 503))
def login(login: Login, resources: UsesResources) -> Token:
    """Begin a session; as slow for an unknown e-mail address as for a wrong password."""
    with resources.database.transaction() as transaction:
        account = transaction.one(
            _Credentials,
            "SELECT id, organization_id, password_hash FROM users WHERE lower(email) = lower(%(email)s)",
            email=login.email,
        )
    is_right = verify_password(login.password.get_secret_value(), account.password_hash if account else None)
    if account is None or not is_right:
        raise RefusedError(401, "Wrong e-mail address or password.", headers={"WWW-Authenticate": "Bearer"})
    session, token = resources.tokens.issue(account.id, account.organization_id)
    resources.sessions.begin(session, resources.tokens.lifetime)
    return Token(access_token=token, expires_in=int(resources.tokens.lifetime.total_seconds()))


@router.post("/logout", status_code=204, responses=documented(401, 503))
def logout(session: CurrentSession, resources: UsesResources) -> None:
    """End the session: its token is refused from now on."""
    resources.sessions.end(session)
