"""Access tokens: JSON Web Tokens that name a user, a session and the tenant for whom it works."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

LIFETIME = timedelta(hours=1)

_ALGORITHM = "HS256"
_ISSUER = "kiro"
_CLAIMS = ("iss", "sub", "jti", "tenant", "iat", "exp")


class TokenError(Exception):
    """The token is forged, expired or not one of ours."""


@dataclass(frozen=True)
class Session:
    """One login of one user, who works for a tenant: their organization, or nobody but themselves."""

    user_id: UUID
    id: UUID
    tenant_id: UUID


class Tokens:
    """Issues and reads tokens under one secret."""

    def __init__(self, secret: str, lifetime: timedelta = LIFETIME) -> None:
        self._secret = secret
        self.lifetime = lifetime

    def issue(self, user_id: UUID, organization_id: UUID | None = None) -> tuple[Session, str]:
        """Give a new session and the token that proves it."""
        import jwt  # not needed to start

        session = Session(user_id, uuid4(), organization_id or user_id)
        now = datetime.now(UTC)
        claims = {
            "iss": _ISSUER,
            "sub": str(session.user_id),
            "jti": str(session.id),
            "tenant": str(session.tenant_id),
            "iat": now,
            "exp": now + self.lifetime,
        }
        return session, jwt.encode(claims, self._secret, _ALGORITHM)

    def read(self, token: str) -> Session:
        """Give the session that a token proves; raise TokenError for any other token."""
        import jwt  # not needed to start

        try:
            claims = jwt.decode(token, self._secret, [_ALGORITHM], issuer=_ISSUER, options={"require": list(_CLAIMS)})
            return Session(UUID(claims["sub"]), UUID(claims["jti"]), UUID(claims["tenant"]))
        except (jwt.InvalidTokenError, ValueError) as error:
            raise TokenError("expected a valid token that has not expired") from error
