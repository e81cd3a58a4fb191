"""Artists, and the ids by which music services know them."""

import json
from typing import Annotated

from fastapi import APIRouter, Query

from app.backend.dependencies import CurrentSession, UsesResources
from app.backend.errors import RefusedError
from app.backend.models import Artist, Name, NewArtist
from app.backend.problems import documented

router = APIRouter(prefix="/artists", tags=["artists"])


@router.get("", responses=documented(401, 422, 503))
def list_artists(
    _: CurrentSession,
    resources: UsesResources,
    name: Annotated[Name | None, Query(description="The beginning of a name, in any case.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> list[Artist]:
    """List artists by name."""
    with resources.database.transaction() as transaction:
        return transaction.all(
            Artist,
            """
            SELECT id, name, external_ids, created_at
            FROM artists
            WHERE starts_with(lower(name), lower(%(name)s))
            ORDER BY lower(name), id
            LIMIT %(limit)s OFFSET %(offset)s
            """,
            name=name or "",
            limit=limit,
            offset=offset,
        )


@router.post("", status_code=201, responses=documented(400, 401, 409, 422, 503))
def create_artist(_: CurrentSession, artist: NewArtist, resources: UsesResources) -> Artist:
    """Add an artist; an id of a music service belongs to one artist only."""
    with resources.database.transaction() as transaction:
        created = transaction.one(
            Artist,
            """
            INSERT INTO artists (name, external_ids)
            VALUES (%(name)s, %(external_ids)s::jsonb)
            ON CONFLICT DO NOTHING
            RETURNING id, name, external_ids, created_at
            """,
            name=artist.name,
            external_ids=json.dumps(artist.external_ids),
        )
    if created is None:
        raise RefusedError(409, "Another artist has one of these external ids.")
    return created
