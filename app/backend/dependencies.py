"""What endpoints ask for: the application's resources and the caller's session."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.backend.cipher import Cipher
from app.backend.database import JOBS_TABLES, REQUIRED_TABLES, Database
from app.backend.errors import RefusedError
from app.backend.sessions import Sessions
from app.backend.settings import Settings
from app.backend.tokens import Session, TokenError, Tokens


@dataclass(frozen=True)
class Resources:
    """Everything that lives as long as the application."""

    database: Database
    jobs: Database
    sessions: Sessions
    tokens: Tokens
    cipher: Cipher

    @classmethod
    def from_settings(cls, settings: Settings) -> "Resources":
        """Make the resources, not yet connected."""
        return cls(
            database=Database("database", settings.database_url, REQUIRED_TABLES),
            jobs=Database("jobs database", settings.jobs_database_url, JOBS_TABLES),
            sessions=Sessions(settings.redis_url),
            tokens=Tokens(settings.jwt_secret),
            cipher=Cipher(settings.token_encryption_key),
        )

    def open(self) -> None:
        """Begin to connect, in the background."""
        self.database.open()
        self.jobs.open()
        self.sessions.open()

    def close(self) -> None:
        """Close what is connected."""
        self.database.close()
        self.jobs.close()
        self.sessions.close()


async def _resources(request: Request) -> Resources:
    return cast("Resources", request.app.state.resources)


UsesResources = Annotated[Resources, Depends(_resources)]

_bearer = HTTPBearer(bearerFormat="JWT", auto_error=False)


def _session(
    resources: UsesResources, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Session:
    if credentials is None:
        raise _unauthenticated("Log in, and send the token as Authorization: Bearer.")
    try:
        session = resources.tokens.read(credentials.credentials)
    except TokenError as error:
        raise _unauthenticated("The token is not valid, or has expired.") from error
    if not resources.sessions.is_open(session):
        raise _unauthenticated("The session has ended; log in again.")
    return session


def _unauthenticated(detail: str) -> RefusedError:
    return RefusedError(401, detail, headers={"WWW-Authenticate": "Bearer"})


CurrentSession = Annotated[Session, Depends(_session)]
