"""Artists, blocks, community lists and connections over HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.backend.cipher import Cipher
from app.backend.settings import Settings
from app.backend.tests.conftest import Client
from app.backend.tests.test_settings import COMPLETE

pytestmark = pytest.mark.integration
SOMETHING = "0b9c1f6e-5f57-4d3c-9c0e-8f0a4d2b7c11"  # an id of nothing, the same in every process: ids of tests hold it


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/artists"),
        ("POST", "/artists"),
        ("GET", "/blocks"),
        ("GET", "/effective-blocks"),
        ("POST", "/blocks"),
        ("DELETE", f"/blocks/{SOMETHING}"),
        ("GET", "/community-lists"),
        ("POST", "/community-lists"),
        ("PUT", f"/community-lists/{SOMETHING}/subscription"),
        ("DELETE", f"/community-lists/{SOMETHING}/subscription"),
        ("GET", "/connections"),
        ("POST", "/connections"),
        ("POST", "/jobs"),
        ("GET", "/jobs/status"),
        ("GET", "/jobs/result"),
        ("POST", "/auth/logout"),
    ],
)
def test_without_a_token_nothing_is_shown_or_changed(anybody: Client, method: str, path: str) -> None:
    """Everything but accounts and status needs a session."""
    assert anybody.request(method, path, json={}).status_code == 401


def test_artists_are_found_by_the_beginning_of_their_name(ada: Client) -> None:
    """The search ignores case, and takes no character for a wildcard."""
    prefix = uuid4().hex
    ada.post("/artists", json={"name": f"{prefix} One", "external_ids": {"spotify": prefix}}).raise_for_status()
    ada.post("/artists", json={"name": f"{prefix} two"}).raise_for_status()
    found = ada.get("/artists", params={"name": prefix.upper()}).json()
    assert [artist["name"] for artist in found] == [f"{prefix} One", f"{prefix} two"]
    assert found[0]["external_ids"] == {"spotify": prefix}
    assert ada.get("/artists", params={"name": "%"}).json() == []


def test_an_external_id_belongs_to_one_artist(ada: Client) -> None:
    """A second artist with the same id at a music service is a conflict."""
    artist = {"name": "Artist", "external_ids": {"apple_music": uuid4().hex}}
    assert ada.post("/artists", json=artist).status_code == 201
    assert ada.post("/artists", json=artist).status_code == 409


def test_a_block_is_seen_by_its_user_alone(someone: Callable[[], Client]) -> None:
    """What one person blocks does not show for another."""
    ada, bob = someone(), someone()
    artist_id = ada.new_artist()
    answer = ada.post("/blocks", json={"artist_id": artist_id, "reason": "No more."})
    assert answer.status_code == 201
    assert ada.get("/blocks").json() == [answer.json()]
    assert bob.get("/blocks").json() == []
    assert bob.delete(f"/blocks/{artist_id}").status_code == 404


def test_an_artist_is_blocked_once(ada: Client) -> None:
    """A second block is a conflict, and a block of nobody is not found."""
    artist_id = ada.new_artist()
    assert ada.post("/blocks", json={"artist_id": artist_id}).status_code == 201
    assert ada.post("/blocks", json={"artist_id": artist_id}).status_code == 409
    assert ada.post("/blocks", json={"artist_id": str(uuid4())}).status_code == 404


def _audit(database: psycopg.Connection, artist_id: str) -> list[tuple[Any, ...]]:
    return database.execute(
        """
        SELECT users.email, action, before ->> 'reason', after ->> 'reason'
        FROM audit_log JOIN users ON users.id = actor_id
        WHERE subject_id = %s ORDER BY audit_log.id
        """,
        [artist_id],
    ).fetchall()


def test_every_change_of_a_block_is_in_the_audit_log(ada: Client, database: psycopg.Connection) -> None:
    """Who, what, before and after are there for making and lifting a block, and for nothing that was refused."""
    artist_id = ada.new_artist()
    ada.post("/blocks", json={"artist_id": artist_id, "reason": "No more."})
    ada.post("/blocks", json={"artist_id": artist_id, "reason": "Twice."})
    assert ada.delete(f"/blocks/{artist_id}").status_code == 204
    assert ada.delete(f"/blocks/{artist_id}").status_code == 404
    assert _audit(database, artist_id) == [
        (ada.email, "block.created", None, "No more."),
        (ada.email, "block.deleted", "No more.", None),
    ]


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET action = 'a.b'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
def test_the_audit_log_only_grows(database: psycopg.Connection, statement: str) -> None:
    """What is in the log can be neither changed nor removed."""
    with pytest.raises(psycopg.errors.RestrictViolation, match="audit_log is append-only"):
        database.execute(statement.encode())


def test_following_a_list_blocks_its_artists(someone: Callable[[], Client]) -> None:
    """The artists of a list are not played to who follows it, until they no longer do."""
    ada, bob = someone(), someone()
    artist_id = ada.new_artist()
    created = ada.post("/community-lists", json={"name": "Quiet", "artist_ids": [artist_id, artist_id]}).json()
    subscription = f"/community-lists/{created['id']}/subscription"
    assert bob.put(subscription).status_code == 204
    assert bob.put(subscription).status_code == 204
    listed = next(entry for entry in bob.get("/community-lists").json() if entry["id"] == created["id"])
    assert listed == {**created, "artist_count": 1, "subscriber_count": 1}
    effective = bob.get("/effective-blocks").json()
    assert [(block["artist_id"], block["list_id"]) for block in effective] == [(artist_id, created["id"])]
    assert bob.delete(subscription).status_code == 204
    assert bob.delete(subscription).status_code == 204
    assert bob.get("/effective-blocks").json() == []


def test_a_list_that_cannot_be_kept_is_refused_whole(ada: Client) -> None:
    """A name taken is a conflict, an unknown artist or list is not found, and nothing is left of either."""
    assert ada.post("/community-lists", json={"name": "Mine"}).status_code == 201
    assert ada.post("/community-lists", json={"name": "mine"}).status_code == 409
    assert ada.post("/community-lists", json={"name": "Other", "artist_ids": [str(uuid4())]}).status_code == 404
    assert ada.post("/community-lists", json={"name": "Other"}).status_code == 201
    assert ada.put(f"/community-lists/{uuid4()}/subscription").status_code == 404
    assert ada.delete(f"/community-lists/{uuid4()}/subscription").status_code == 404


def test_the_tokens_of_a_connection_are_encrypted_and_never_shown(ada: Client, database: psycopg.Connection) -> None:
    """Neither answers nor rows hold the token, and the encryption key gives it back."""
    connection = {"provider": "spotify", "access_token": "open-sesame", "expires_in": 3600}
    answer = ada.post("/connections", json=connection)
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "provider", "expires_at", "created_at"}
    assert ada.get("/connections").json() == [answer.json()]
    row = database.execute(
        "SELECT access_token, refresh_token, user_id FROM connections WHERE id = %s", [answer.json()["id"]]
    ).fetchone()
    assert row is not None
    access_token, refresh_token, user_id = row
    assert refresh_token is None
    assert b"sesame" not in access_token
    key = Settings.from_environment(COMPLETE).token_encryption_key
    assert Cipher(key).decrypt(access_token, f"{user_id}:spotify") == "open-sesame"


def test_a_service_is_connected_once(ada: Client) -> None:
    """A second connection to one service is a conflict; an unknown service is invalid."""
    assert ada.post("/connections", json={"provider": "spotify", "access_token": "a"}).status_code == 201
    assert ada.post("/connections", json={"provider": "spotify", "access_token": "b"}).status_code == 409
    assert ada.post("/connections", json={"provider": "gramophone", "access_token": "a"}).status_code == 422
