"""Connections to music services, with tokens that are written but never shown."""

from fastapi import APIRouter
from pydantic import SecretStr

from app.backend.dependencies import CurrentSession, UsesResources
from app.backend.errors import RefusedError
from app.backend.models import Connection, NewConnection
from app.backend.problems import documented

router = APIRouter(prefix="/connections", tags=["connections"])


@router.get("", responses=documented(401, 503))
def list_connections(session: CurrentSession, resources: UsesResources) -> list[Connection]:
    """List the music services that the user has connected."""
    with resources.database.transaction() as transaction:
        return transaction.all(
            Connection,
            """
            SELECT id, provider, expires_at, created_at
            FROM connections
            WHERE user_id = %(user_id)s
            ORDER BY provider
            """,
            user_id=session.user_id,
        )


@router.post("", status_code=201, responses=documented(400, 401, 409, 422, 503))
def create_connection(session: CurrentSession, connection: NewConnection, resources: UsesResources) -> Connection:
    """Connect a music service; its tokens are encrypted before they are written."""
    context = f"{session.user_id}:{connection.provider}"

    def encrypted(token: SecretStr | None) -> bytes | None:
        return None if token is None else resources.cipher.encrypt(token.get_secret_value(), context)

    with resources.database.transaction() as transaction:
        created = transaction.one(
            Connection,
            """
            INSERT INTO connections (user_id, provider, access_token, refresh_token, expires_at)
            VALUES (
                %(user_id)s, %(provider)s, %(access_token)s, %(refresh_token)s,
                now() + make_interval(secs => %(expires_in)s)
            )
            ON CONFLICT DO NOTHING
            RETURNING id, provider, expires_at, created_at
            """,
            user_id=session.user_id,
            provider=connection.provider,
            access_token=encrypted(connection.access_token),
            refresh_token=encrypted(connection.refresh_token),
            expires_in=connection.expires_in,
        )
    if created is None:
        raise RefusedError(409, "This service is connected already.")
    return created
