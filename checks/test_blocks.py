"""A user blocks an artist: the user sees it, nobody else does, and the audit log has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from checks.people import Crowd, Person
    from pytest_devenv.fixtures.handles import DatabaseHandle

pytestmark = pytest.mark.e2e


@pytest.fixture
def artist(people: Crowd, somebody: Person) -> str:
    """Give the id of an artist."""
    return somebody.adds_artist(people)


def blocked(person: Person) -> list[str]:
    """Return the ids of the artists that a person has blocked."""
    return [each["artist_id"] for each in person.get("/blocks").json()]


def logged(database: DatabaseHandle, person: Person) -> list[tuple[Any, ...]]:
    """Return what a person did, as the audit log has it."""
    query = """
        SELECT action, subject_id::text, before ->> 'artist_id', after ->> 'artist_id'
        FROM audit_log WHERE actor_id = %s ORDER BY id
    """
    with database.connect() as connection:
        return connection.execute(query, [person.id]).fetchall()


def test_block_is_seen(somebody: Person, artist: str) -> None:
    """An artist that was blocked stands among the user's blocks, and is not played."""
    somebody.blocks(artist)
    assert blocked(somebody) == [artist]
    assert [each["artist_id"] for each in somebody.get("/effective-blocks").json()] == [artist]


def test_block_is_taken_back(somebody: Person, artist: str) -> None:
    """An artist that is no longer blocked is played again; taking back twice is refused."""
    somebody.blocks(artist)
    assert somebody.delete(f"/blocks/{artist}").status_code == 204
    assert blocked(somebody) == []
    assert somebody.delete(f"/blocks/{artist}").status_code == 404


def test_block_is_nobody_elses(people: Crowd, somebody: Person, artist: str) -> None:
    """Another user neither sees a block nor takes it back."""
    another = people.person()
    somebody.blocks(artist)
    assert blocked(another) == []
    assert another.get("/effective-blocks").json() == []
    assert another.delete(f"/blocks/{artist}").status_code == 404
    assert blocked(somebody) == [artist]


def test_block_is_in_the_audit_log(somebody: Person, artist: str, migrated_database: DatabaseHandle) -> None:
    """The log has who blocked whom."""
    somebody.blocks(artist)
    assert logged(migrated_database, somebody)[:1] == [("block.created", artist, None, artist)]


def test_taking_back_is_in_the_audit_log(somebody: Person, artist: str, migrated_database: DatabaseHandle) -> None:
    """The log has who took a block back, and what it was."""
    somebody.blocks(artist)
    somebody.delete(f"/blocks/{artist}").raise_for_status()
    assert logged(migrated_database, somebody)[-1] == ("block.deleted", artist, artist, None)


def test_audit_log_refuses_changes(somebody: Person, artist: str, migrated_database: DatabaseHandle) -> None:
    """What was logged stays as it was, whoever asks."""
    import psycopg

    somebody.blocks(artist)
    with migrated_database.connect() as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute("DELETE FROM audit_log WHERE actor_id = %s", [somebody.id])
