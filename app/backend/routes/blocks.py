"""The current user's blocks: what is not to be played."""

from uuid import UUID

from fastapi import APIRouter

from app.backend import audit
from app.backend.dependencies import CurrentSession, UsesResources
from app.backend.errors import RefusedError
from app.backend.models import Block, EffectiveBlock, NewBlock
from app.backend.problems import documented

router = APIRouter(tags=["blocks"])


@router.get("/blocks", responses=documented(401, 503))
def list_blocks(session: CurrentSession, resources: UsesResources) -> list[Block]:
    """List the artists that the user has blocked, latest first."""
    with resources.database.transaction() as transaction:
        return transaction.all(
            Block,
            """
            SELECT artist_id, artists.name AS artist_name, reason, user_artist_blocks.created_at
            FROM user_artist_blocks
            JOIN artists ON artists.id = artist_id
            WHERE user_id = %(user_id)s
            ORDER BY user_artist_blocks.created_at DESC, artist_id
            """,
            user_id=session.user_id,
        )


@router.get("/effective-blocks", responses=documented(401, 503))
def list_effective_blocks(session: CurrentSession, resources: UsesResources) -> list[EffectiveBlock]:
    """List everything that is not played to the user, with the lists that they follow."""
    with resources.database.transaction() as transaction:
        return transaction.all(
            EffectiveBlock,
            """
            SELECT artist_id, artists.name AS artist_name, list_id, reason
            FROM effective_blocks
            JOIN artists ON artists.id = artist_id
            WHERE user_id = %(user_id)s
            ORDER BY lower(artists.name), artist_id, list_id NULLS FIRST
            """,
            user_id=session.user_id,
        )


@router.post("/blocks", status_code=201, responses=documented(400, 401, 404, 409, 422, 503))
def create_block(session: CurrentSession, block: NewBlock, resources: UsesResources) -> Block:
    """Block an artist for the user."""
    with resources.database.transaction() as transaction:
        if not transaction.execute("SELECT FROM artists WHERE id = %(id)s", id=block.artist_id):
            raise RefusedError(404, "There is no such artist.")
        created = transaction.one(
            Block,
            """
            WITH created AS (
                INSERT INTO user_artist_blocks (user_id, artist_id, reason)
                VALUES (%(user_id)s, %(artist_id)s, %(reason)s)
                ON CONFLICT DO NOTHING
                RETURNING artist_id, reason, created_at
            )
            SELECT artist_id, artists.name AS artist_name, reason, created.created_at
            FROM created
            JOIN artists ON artists.id = artist_id
            """,
            user_id=session.user_id,
            artist_id=block.artist_id,
            reason=block.reason,
        )
        if created is None:
            raise RefusedError(409, "The artist is blocked already.")
        audit.record(transaction, session.user_id, "block.created", created.artist_id, after=created)
    return created


@router.delete("/blocks/{artist_id}", status_code=204, responses=documented(401, 404, 422, 503))
def delete_block(session: CurrentSession, artist_id: UUID, resources: UsesResources) -> None:
    """Let an artist be played to the user again."""
    with resources.database.transaction() as transaction:
        deleted = transaction.one(
            Block,
            """
            DELETE FROM user_artist_blocks
            USING artists
            WHERE user_id = %(user_id)s AND artist_id = %(artist_id)s AND artists.id = artist_id
            RETURNING artist_id, artists.name AS artist_name, reason, user_artist_blocks.created_at
            """,
            user_id=session.user_id,
            artist_id=artist_id,
        )
        if deleted is None:
            raise RefusedError(404, "The artist is not blocked.")
        audit.record(transaction, session.user_id, "block.deleted", deleted.artist_id, before=deleted)
