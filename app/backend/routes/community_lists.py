"""Community lists: what one person keeps and others follow."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.backend.database import Transaction
from app.backend.dependencies import CurrentSession, UsesResources
from app.backend.errors import RefusedError
from app.backend.models import CommunityList, NewCommunityList
from app.backend.problems import documented

router = APIRouter(prefix="/community-lists", tags=["community lists"])


@router.get("", responses=documented(401, 422, 503))
def list_community_lists(
    _: CurrentSession,
    resources: UsesResources,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> list[CommunityList]:
    """List everyone's lists, latest first."""
    with resources.database.transaction() as transaction:
        return transaction.all(
            CommunityList,
            """
            SELECT
                id, owner_id, name, description, created_at,
                (SELECT count(*) FROM list_entries WHERE list_id = id) AS artist_count,
                (SELECT count(*) FROM list_subscriptions WHERE list_id = id) AS subscriber_count
            FROM community_lists
            ORDER BY created_at DESC, id
            LIMIT %(limit)s OFFSET %(offset)s
            """,
            limit=limit,
            offset=offset,
        )


@router.post("", status_code=201, responses=documented(400, 401, 404, 409, 422, 503))
def create_community_list(
    session: CurrentSession, community_list: NewCommunityList, resources: UsesResources
) -> CommunityList:
    """Keep a new list; its name is the user's only list of that name."""
    artist_ids = sorted(set(community_list.artist_ids))
    with resources.database.transaction() as transaction:
        created = transaction.one(
            CommunityList,
            """
            INSERT INTO community_lists (owner_id, name, description)
            VALUES (%(owner_id)s, %(name)s, %(description)s)
            ON CONFLICT DO NOTHING
            RETURNING
                id, owner_id, name, description, created_at,
                %(artist_count)s AS artist_count, 0 AS subscriber_count
            """,
            owner_id=session.user_id,
            name=community_list.name,
            description=community_list.description or "",
            artist_count=len(artist_ids),
        )
        if created is None:
            raise RefusedError(409, "You keep a list with this name.")
        added = transaction.execute(
            """
            INSERT INTO list_entries (list_id, artist_id)
            SELECT %(list_id)s, id FROM artists WHERE id = ANY(%(artist_ids)s)
            """,
            list_id=created.id,
            artist_ids=artist_ids,
        )
        if added < len(artist_ids):
            raise RefusedError(404, "Some of these artists do not exist.")
    return created


@router.put("/{list_id}/subscription", status_code=204, responses=documented(401, 404, 422, 503))
def subscribe(session: CurrentSession, list_id: UUID, resources: UsesResources) -> None:
    """Follow a list: its artists are not played to the user either."""
    with resources.database.transaction() as transaction:
        _require_list(transaction, list_id)
        transaction.execute(
            """
            INSERT INTO list_subscriptions (list_id, user_id)
            VALUES (%(list_id)s, %(user_id)s)
            ON CONFLICT DO NOTHING
            """,
            list_id=list_id,
            user_id=session.user_id,
        )


@router.delete("/{list_id}/subscription", status_code=204, responses=documented(401, 404, 422, 503))
def unsubscribe(session: CurrentSession, list_id: UUID, resources: UsesResources) -> None:
    """Follow a list no longer."""
    with resources.database.transaction() as transaction:
        _require_list(transaction, list_id)
        transaction.execute(
            "DELETE FROM list_subscriptions WHERE list_id = %(list_id)s AND user_id = %(user_id)s",
            list_id=list_id,
            user_id=session.user_id,
        )


def _require_list(transaction: Transaction, list_id: UUID) -> None:
    if not transaction.execute("SELECT FROM community_lists WHERE id = %(id)s", id=list_id):
        raise RefusedError(404, "There is no such list.")
