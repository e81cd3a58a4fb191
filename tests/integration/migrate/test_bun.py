"""Bun's dialect on a real server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import connect
from pytest_devenv.errors import LockedError
from pytest_devenv.migrate import Action, FolderError, PlainEngine, RunError, StateError, apply_repair
from pytest_devenv.settings import MigrationEngine, Tier
from tests.integration.migrate.sandbox import engine, fill, query, tables

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress


@pytest.fixture
def bun(folder: Path) -> PlainEngine:
    """Give the engine for Bun's layout."""
    made = engine(folder, MigrationEngine.BUN)
    assert isinstance(made, PlainEngine)
    return made


def test_a_run_is_a_group(empty_database: DatabaseAddress, folder: Path, bun: PlainEngine) -> None:
    """What one run applies shares a group, counted from 1, in a table as Bun makes it."""
    fill(folder, {"1_a.tx.up.sql": "CREATE TABLE a ()", "2_b.up.sql": "CREATE TABLE b ()"})
    bun.apply(empty_database, tier=Tier.TEST)
    fill(folder, {"3_c.tx.up.sql": "CREATE TABLE c ()", "3_c.tx.down.sql": "DROP TABLE c"})
    bun.apply(empty_database, tier=Tier.TEST)
    rows = query(empty_database, "SELECT id, name, group_id FROM bun_migrations ORDER BY id")
    assert rows == [(1, "1", 1), (2, "2", 1), (3, "3", 2)]
    assert bun.status(empty_database).clean
    bun.roll_back(empty_database, tier=Tier.TEST)
    assert bun.status(empty_database).current == "2"
    assert query(empty_database, "SELECT count(*) FROM bun_migration_locks") == [(0,)]


@pytest.mark.parametrize(("name", "kept"), [("1_a.tx.up.sql", False), ("1_a.up.sql", True)])
def test_the_name_decides_what_is_kept(
    empty_database: DatabaseAddress, folder: Path, bun: PlainEngine, name: str, *, kept: bool
) -> None:
    """`.tx.up.sql` is there whole or not at all; of `.up.sql` the messages before the failing one stay."""
    fill(folder, {name: "CREATE TABLE a ();\n\n--bun:split\n\nCREATE TABLE b ();\nCREATE TABLE b ();"})
    with pytest.raises(RunError) as caught:
        bun.apply(empty_database, tier=Tier.TEST)
    assert (caught.value.line, caught.value.column) == (6, 1)
    assert ("public.a" in tables(empty_database)) is kept
    assert "public.b" not in tables(empty_database)
    assert len(bun.status(empty_database).dirty) == kept


def test_split_lets_statements_run_that_need_to_be_alone(
    empty_database: DatabaseAddress, folder: Path, bun: PlainEngine
) -> None:
    """Two concurrent indexes in one file work, each a message of its own."""
    lines = ["CREATE TABLE a (id int);", *(f"CREATE INDEX CONCURRENTLY i{n} ON a (id);" for n in (1, 2))]
    fill(folder, {"1_a.up.sql": "\n--bun:split\n".join(lines)})
    bun.apply(empty_database, tier=Tier.TEST)
    assert query(empty_database, "SELECT count(*) FROM pg_indexes WHERE tablename = 'a'") == [(2,)]


def test_dirty_is_repaired(empty_database: DatabaseAddress, folder: Path, bun: PlainEngine) -> None:
    """A migration that failed half way stops the next run until somebody says what is there."""
    fill(folder, {"1_a.up.sql": "CREATE TABLE a ();\n--bun:split\nSELECT 1/0"})
    with pytest.raises(RunError, match="it is marked dirty"):
        bun.apply(empty_database, tier=Tier.TEST)
    with pytest.raises(StateError, match="is dirty"):
        bun.apply(empty_database, tier=Tier.TEST)
    apply_repair(bun, empty_database, "1", Action.APPLIED, tier=Tier.TEST)
    assert bun.status(empty_database).clean
    assert query(empty_database, "SELECT group_id FROM bun_migrations") == [(1,)]


def test_an_unknown_directive_is_refused(empty_database: DatabaseAddress, folder: Path, bun: PlainEngine) -> None:
    """A misspelt directive is not taken for a comment."""
    fill(folder, {"1_a.up.sql": "SELECT 1;\n--bun:spilt\nSELECT 2"})
    with pytest.raises(FolderError, match="--bun:split in line 2, and not --bun:spilt"):
        bun.apply(empty_database, tier=Tier.TEST)


def test_a_lock_that_bun_left_is_told(empty_database: DatabaseAddress, folder: Path, bun: PlainEngine) -> None:
    """Bun's lock is a row that outlives its holder: after a bounded wait the error says how to remove it."""
    fill(folder, {"1_a.up.sql": "CREATE TABLE a ()"})
    bun.apply(empty_database, tier=Tier.TEST)
    query(empty_database, "INSERT INTO bun_migration_locks (table_name) VALUES ('bun_migrations')")
    fill(folder, {"2_b.up.sql": "CREATE TABLE b ()"})
    began = time.monotonic()
    with pytest.raises(LockedError, match="delete the row"):
        bun.apply(empty_database, tier=Tier.TEST, lock_timeout_s=0.3)
    assert time.monotonic() - began < 5
    assert "public.b" not in tables(empty_database)


def test_while_we_work_bun_cannot_lock(empty_database: DatabaseAddress, folder: Path, bun: PlainEngine) -> None:
    """Bun's own insert waits while a migration of ours runs, and nothing of ours is left to stop it afterwards."""
    fill(folder, {"1_a.up.sql": "CREATE TABLE a ()"})
    bun.apply(empty_database, tier=Tier.TEST)
    probe = (
        "CREATE EXTENSION IF NOT EXISTS dblink;\n--bun:split\n"
        "DO $$ BEGIN PERFORM dblink_exec(format('host=%s port=%s dbname=%s user=%s password=%s', inet_server_addr(),"
        " inet_server_port(), current_database(), current_user, '{password}'),"
        " 'SET lock_timeout = 200; INSERT INTO bun_migration_locks (table_name) VALUES (''bun_migrations'')');"
        " RAISE 'bun could lock'; EXCEPTION WHEN lock_not_available THEN NULL; END $$"
    )
    password = empty_database.endpoint.password
    assert password is not None
    fill(folder, {"2_b.up.sql": probe.replace("{password}", password.reveal())})
    bun.apply(empty_database, tier=Tier.TEST)
    with connect(empty_database) as connection:
        connection.execute("INSERT INTO bun_migration_locks (table_name) VALUES ('bun_migrations')")
