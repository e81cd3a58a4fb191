"""Processes that are killed, that come at once, and locks that are held."""

from __future__ import annotations

import json
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import connect
from pytest_devenv.errors import LockedError
from pytest_devenv.migrate import LostRaceError, RunError, StateError
from pytest_devenv.migrate.sqlx import SQLX
from pytest_devenv.settings import Tier
from tests.integration.migrate.sandbox import (
    DEADLINE_S,
    dump,
    engine,
    fill,
    query,
    start_migrator,
    tables,
    wait_for,
    waits,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Engine
    from tests.conftest import Postgres

STATEMENTS = (
    "CREATE TABLE a (id int PRIMARY KEY, name text)",
    "INSERT INTO a SELECT n, 'row ' || n FROM generate_series(1, 100) n",
    "CREATE INDEX a_name ON a (name)",
    "ALTER TABLE a ADD COLUMN born date NOT NULL DEFAULT '2025-01-01'",
    "CREATE VIEW v AS SELECT name FROM a",
)
GATE = 7000


def _gated() -> dict[str, str]:
    """Return migrations whose statements can each be stopped before and after, by holding a lock of the test's own."""
    gates = [f"SELECT pg_advisory_xact_lock_shared({GATE + number})" for number in range(len(STATEMENTS) + 1)]
    lines = [line for pair in zip(gates, STATEMENTS, strict=False) for line in pair] + [gates[-1]]
    return {
        "1_before.sql": "CREATE TABLE before ()",
        "2_many.sql": ";\n".join(lines),
        "3_after.sql": "CREATE TABLE z ()",
    }


@pytest.fixture(scope="module")
def undisturbed(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the dump of a database that was migrated in peace."""
    folder = tmp_path_factory.mktemp("undisturbed")
    fill(folder, _gated())
    address = postgres_server.create_database()
    engine(folder).apply(address, tier=Tier.TEST)
    return dump(address)


@pytest.mark.parametrize("boundary", range(len(STATEMENTS) + 1))
def test_killed_between_statements_and_run_again(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, undisturbed: str, boundary: int
) -> None:
    """SIGKILL at any boundary leaves the migration absent, and a second run ends where an undisturbed one does."""
    fill(folder, _gated())
    with connect(empty_database) as gatekeeper:
        gatekeeper.execute("SELECT pg_advisory_lock(%s)", [GATE + boundary])
        migrator = start_migrator(empty_database, folder)
        wait_for(lambda: waits(empty_database, GATE + boundary), f"gate {boundary}")
        migrator.send_signal(signal.SIGKILL)
        migrator.communicate(timeout=DEADLINE_S)
        wait_for(lambda: not waits(empty_database, GATE + boundary), "the server to notice")
        assert [row.version for row in sqlx.status(empty_database).applied] == ["1"]
        assert not tables(empty_database) & {"public.a", "public.z"}
    result = sqlx.apply(empty_database, tier=Tier.TEST)
    assert [migration.version for migration in result.migrations] == ["2", "3"]
    assert dump(empty_database) == undisturbed
    assert query(empty_database, "SELECT count(*) FROM a") == [(100,)]


def test_killed_and_run_again_at_once(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, undisturbed: str
) -> None:
    """Where the server ends the work of a migrator that it does not know dead yet, a second run waits and agrees."""
    fill(folder, _gated())
    with connect(empty_database) as gatekeeper:
        gatekeeper.execute("SELECT pg_advisory_lock(%s)", [GATE + 2])
        migrator = start_migrator(empty_database, folder)
        wait_for(lambda: waits(empty_database, GATE + 2), "the gate")
        migrator.kill()
        migrator.communicate(timeout=DEADLINE_S)
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert dump(empty_database) == undisturbed
    assert query(empty_database, "SELECT count(*) FROM a") == [(100,)]


def test_interrupted_it_ends_at_once_and_keeps_nothing(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """Ctrl-C in the middle cancels the statement, frees the lock, and is not hidden by another error."""
    fill(folder, {"1_a.sql": f"CREATE TABLE a (); SELECT pg_advisory_xact_lock_shared({GATE})"})
    with connect(empty_database) as gatekeeper:
        gatekeeper.execute("SELECT pg_advisory_lock(%s)", [GATE])
        migrator = start_migrator(empty_database, folder)
        wait_for(lambda: waits(empty_database, GATE), "the gate")
        migrator.send_signal(signal.SIGINT)
        _, error = migrator.communicate(timeout=DEADLINE_S)
        assert error.splitlines()[-1] == "KeyboardInterrupt"
        assert "public.a" not in tables(empty_database)
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert sqlx.status(empty_database).clean


def test_killed_outside_a_transaction_it_is_dirty(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """What cannot be undone by itself is marked before it begins, so that a kill cannot hide it."""
    fill(folder, {"1_a.sql": f"-- no-transaction\nSELECT pg_advisory_lock({GATE})"})
    with connect(empty_database) as gatekeeper:
        gatekeeper.execute("SELECT pg_advisory_lock(%s)", [GATE])
        migrator = start_migrator(empty_database, folder)
        wait_for(lambda: waits(empty_database, GATE), "the gate")
        migrator.kill()
        migrator.communicate(timeout=DEADLINE_S)
    with pytest.raises(StateError, match="is dirty"):
        sqlx.apply(empty_database, tier=Tier.TEST)


def test_sixteen_at_once_apply_each_migration_once(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """All succeed, and between them each migration was applied by one of them, on a database that was empty."""
    fill(folder, {f"{n}_m.sql": f"CREATE TABLE t{n} (); SELECT pg_sleep(0.01)" for n in range(1, 9)})
    migrators = [start_migrator(empty_database, folder) for _ in range(16)]
    applied: list[str] = []
    for migrator in migrators:
        out, err = migrator.communicate(timeout=180)
        assert migrator.returncode == 0, err
        applied += json.loads(out)
    assert sorted(applied) == [str(n) for n in range(1, 9)]
    assert sqlx.status(empty_database).clean


def test_when_the_holder_is_killed_the_next_proceeds(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """The lock dies with its holder at once, even in the middle of a statement that would take a minute."""
    fill(folder, {"1_slow.sql": f"SELECT pg_advisory_xact_lock_shared({GATE}), pg_sleep(60)"})
    with connect(empty_database) as gatekeeper:
        gatekeeper.execute("SELECT pg_advisory_lock(%s)", [GATE])
        migrator = start_migrator(empty_database, folder)
        wait_for(lambda: waits(empty_database, GATE), "the migrator")
    migrator.kill()
    migrator.communicate(timeout=DEADLINE_S)
    fill(folder, {"1_slow.sql": "CREATE TABLE quick ()"})
    began = time.monotonic()
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert time.monotonic() - began < 10
    assert "public.quick" in tables(empty_database)


def test_a_held_lock_names_its_holder(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """After a bounded wait the error says who holds it: pid, application, address and since when."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ()"})
    with connect(empty_database, application_name="a rusty service") as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [SQLX.lock_key(empty_database.database)])
        began = time.monotonic()
        with pytest.raises(LockedError) as caught:
            sqlx.apply(empty_database, tier=Tier.TEST, lock_timeout_s=0.3)
        assert 0.3 <= time.monotonic() - began < 5
        told = f"pid {holder.info.backend_pid}, application a rusty service, user postgres, from 127.0.0.1"
    assert told in str(caught.value)
    assert "connected since 2" in str(caught.value)
    assert "public.a" not in tables(empty_database)


def test_a_waiter_does_not_stand_in_the_way_of_a_concurrent_index(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """One of us that waits holds no snapshot, so CREATE INDEX CONCURRENTLY of the one at work ends."""
    files = {"1_a.sql": "CREATE TABLE a (id int)", "2_w.sql": "SELECT pg_sleep(0.5)"}
    fill(folder, {**files, "3_i.sql": "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id)"})
    migrators = [start_migrator(empty_database, folder) for _ in range(3)]
    for migrator in migrators:
        _, err = migrator.communicate(timeout=180)
        assert migrator.returncode == 0, err
    assert sqlx.status(empty_database).clean


def test_a_lost_race_is_told_as_another_migrator(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """Who takes no lock may apply the same migration at the same time: the loser says so, and keeps nothing."""
    fill(folder, {"1_a.sql": f"SELECT pg_advisory_xact_lock_shared({GATE}); CREATE TABLE a ()"})
    caught: list[BaseException] = []

    def migrate() -> None:
        try:
            sqlx.apply(empty_database, tier=Tier.TEST)
        except LostRaceError as error:
            caught.append(error)

    with connect(empty_database) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [GATE])
        thread = threading.Thread(target=migrate)
        thread.start()
        wait_for(lambda: waits(empty_database, GATE), "the migrator")
        other.execute(
            "CREATE TABLE a (); INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)"
            " VALUES (1, 'a', true, '', -1); SELECT pg_advisory_unlock_all()"
        )
        thread.join(DEADLINE_S)
    assert "another migrator applied migration 1 (a) at the same time" in str(caught[0])


@pytest.mark.parametrize("transactional", [True, False])
def test_a_connection_that_is_lost_is_told(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, *, transactional: bool
) -> None:
    """The message says whether something of the migration may be there."""
    head = "" if transactional else "-- no-transaction\n"
    fill(folder, {"1_a.sql": f"{head}SELECT pg_terminate_backend(pg_backend_pid())"})
    with pytest.raises(RunError, match="the connection was lost while migration 1") as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    left = "it is there whole or not at all" if transactional else "a part of it may be there"
    assert left in str(caught.value)
    assert len(sqlx.status(empty_database).dirty) == (0 if transactional else 1)
