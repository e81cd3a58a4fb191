"""Plain SQL migrations on a real server: applied, told apart, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import ConfigError, GuardError, MigrationError
from pytest_devenv.guard import Consent
from pytest_devenv.migrate import Direction, FolderError, RunError, StateError, engine_for
from pytest_devenv.settings import Database, Tier
from tests.integration.migrate.sandbox import create_role, engine, fill, query, tables

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Engine, Progress

THREE = {
    "1_a.up.sql": "CREATE TABLE a (id int PRIMARY KEY);",
    "1_a.down.sql": "DROP TABLE a;",
    "2_b.up.sql": "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1), (2)",
    "2_b.down.sql": "DROP TABLE b;",
    "3_c.up.sql": "CREATE TABLE c (id int)\n-- a comment at the end",
    "3_c.down.sql": "DROP TABLE c;",
}


def test_looking_creates_nothing(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """Status and plan of a database where nothing exists leave it as it is."""
    fill(folder, THREE)
    status = sqlx.status(empty_database)
    plan = sqlx.plan(empty_database, to="2")
    assert [migration.version for migration in status.pending] == ["1", "2", "3"]
    assert [step.sql for step in plan.steps] == [THREE["1_a.up.sql"], THREE["2_b.up.sql"]]
    assert tables(empty_database) == set()
    assert query(empty_database, "SELECT 1 FROM pg_namespace WHERE nspname = 'pytest_devenv'") == []


def test_what_is_pending_is_applied_once_and_in_order(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """A first run applies all and marks the database, a second one does nothing."""
    fill(folder, THREE)
    seen: list[Progress] = []
    result = sqlx.apply(empty_database, tier=Tier.DEVELOPMENT, on_progress=seen.append)
    assert [migration.version for migration in result.migrations] == ["1", "2", "3"]
    assert [(one.index, one.total, one.direction) for one in seen] == [(n, 3, Direction.UP) for n in (1, 2, 3)]
    assert sqlx.status(empty_database).clean
    assert sqlx.apply(empty_database, tier=Tier.DEVELOPMENT).migrations == ()
    assert query(empty_database, "SELECT environment, origin FROM pytest_devenv.marker") == [("development", "filled")]
    assert query(empty_database, "SELECT count(*) FROM b") == [(2,)]


def test_the_history_is_as_sqlx_writes_it(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """Columns, types and values are those of sqlx, with the time in nanoseconds."""
    fill(folder, {"20250301090000_add_users.sql": "SELECT pg_sleep(0.05)"})
    sqlx.apply(empty_database, tier=Tier.TEST)
    columns = query(
        empty_database,
        "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_name = '_sqlx_migrations' ORDER BY ordinal_position",
    )
    assert columns == [
        ("version", "bigint", "NO", None),
        ("description", "text", "NO", None),
        ("installed_on", "timestamp with time zone", "NO", "now()"),
        ("success", "boolean", "NO", None),
        ("checksum", "bytea", "NO", None),
        ("execution_time", "bigint", "NO", None),
    ]
    ((version, description, success, length, took_ns),) = query(
        empty_database,
        "SELECT version, description, success, length(checksum), execution_time FROM _sqlx_migrations",
    )
    assert (version, description, success, length) == (20250301090000, "add users", True, 48)
    assert 50e6 <= took_ns < 5e9


def test_a_target_bounds_a_run(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """`to` applies no further, and a target that is not there is an error."""
    fill(folder, THREE)
    sqlx.apply(empty_database, tier=Tier.TEST, to="2")
    assert sqlx.status(empty_database).current == "2"
    with pytest.raises(MigrationError, match="there is no migration 4"):
        sqlx.apply(empty_database, tier=Tier.TEST, to="4")


@pytest.mark.parametrize(
    ("arguments", "left"),
    [({}, {"a", "b"}), ({"count": 2}, {"a"}), ({"to": "1"}, {"a"}), ({"to": "base"}, set())],
)
def test_migrations_are_taken_back(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, arguments: dict[str, object], left: set[str]
) -> None:
    """The last one, the last few, all after a version, or all, and the plan says the same before."""
    fill(folder, THREE)
    sqlx.apply(empty_database, tier=Tier.TEST)
    plan = sqlx.plan_roll_back(empty_database, **arguments)  # type: ignore[arg-type]
    result = sqlx.roll_back(empty_database, tier=Tier.TEST, **arguments)  # type: ignore[arg-type]
    assert [step.migration for step in plan.steps] == list(result.migrations)
    assert tables(empty_database) & {"public.a", "public.b", "public.c"} == {f"public.{name}" for name in left}
    assert len(sqlx.status(empty_database).applied) == len(left)


def test_without_a_way_back_nothing_is_taken_back(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A missing down file is told before the first one runs."""
    fill(folder, {**THREE, "4_d.sql": "CREATE TABLE d ()"})
    (folder / "2_b.down.sql").unlink()
    sqlx.apply(empty_database, tier=Tier.TEST)
    with pytest.raises(FolderError, match=r"migration 4 \(d\) has no way back"):
        sqlx.roll_back(empty_database, tier=Tier.TEST)
    with pytest.raises(FolderError, match="has no way back"):
        sqlx.roll_back(empty_database, tier=Tier.TEST, to="1")
    assert len(sqlx.status(empty_database).applied) == 4


def test_a_database_that_holds_data_is_refused(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """Without a marker nothing is applied, taken back or noted."""
    query(empty_database, "CREATE TABLE theirs ()")
    fill(folder, THREE)
    with pytest.raises(GuardError, match="no marker, in a database that holds data"):
        sqlx.apply(empty_database, tier=Tier.DEVELOPMENT)
    assert tables(empty_database) == {"public.theirs"}


def test_where_nothing_is_pending_nothing_is_asked(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A service that migrates itself may have been first: then there is nothing to change, and nothing to refuse."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ()"})
    sqlx.apply(empty_database, tier=Tier.TEST)
    query(empty_database, "DROP SCHEMA pytest_devenv CASCADE")
    assert sqlx.apply(empty_database, tier=Tier.TEST).migrations == ()


@pytest.mark.parametrize("tier", [Tier.PRODUCTION, Tier.STAGING])
def test_production_is_migrated_by_its_name_and_not_marked(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, tier: Tier
) -> None:
    """Only consent to this very database opens production, which never carries a marker."""
    fill(folder, THREE)
    for consent in (None, Consent("other")):
        with pytest.raises(GuardError, match="nobody confirmed it"):
            sqlx.apply(empty_database, tier=tier, consent=consent)
    sqlx.apply(empty_database, tier=tier, consent=Consent(empty_database.database))
    assert sqlx.status(empty_database).clean
    assert "pytest_devenv.marker" not in tables(empty_database)


def test_settings_of_one_migration_do_not_reach_the_next(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """Search path, role and settings that a file leaves behind are undone, so that a run and two half runs agree."""
    fill(
        folder,
        {
            "1_a.sql": "CREATE SCHEMA deep; SET search_path = deep; SET statement_timeout = '1h'; CREATE TABLE x ();",
            "2_b.sql": "SELECT set_config('search_path', '', false);",
            "3_c.sql": "SET standard_conforming_strings = off; SET ROLE pg_monitor",
            "4_d.sql": "CREATE TABLE y AS SELECT current_setting('statement_timeout') AS t, current_user AS u",
        },
    )
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert query(empty_database, "SELECT t, u FROM public.y") == [("0", empty_database.endpoint.user)]
    assert "deep.x" in tables(empty_database)
    assert sqlx.status(empty_database).clean


def test_the_history_can_have_another_name(empty_database: DatabaseAddress, folder: Path) -> None:
    """`migrations.table` names the table, in a schema if it says so."""
    query(empty_database, "CREATE SCHEMA ops")
    fill(folder, {"1_a.sql": "CREATE TABLE a ()"})
    other = engine(folder, table='ops."Odd" name')
    other.apply(empty_database, tier=Tier.PRODUCTION, consent=Consent(empty_database.database))
    assert query(empty_database, 'SELECT version FROM ops."""Odd"" name"') == [(1,)]
    assert other.status(empty_database).clean


@pytest.mark.parametrize("ending", ["COMMIT;", "ROLLBACK", "/* why */ END"])
def test_a_file_that_ends_its_transaction_is_refused(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, ending: str
) -> None:
    """Nothing of such a file is sent, and what came before it stays applied."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ()", "2_b.sql": f"CREATE TABLE b ();\n{ending}"})
    with pytest.raises(FolderError, match=r"2_b.sql ends its own transaction[\s\S]*line 2"):
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert tables(empty_database) & {"public.a", "public.b"} == {"public.a"}


def test_without_the_parser_the_missing_check_is_said(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pglast is not installed, a file that may hold a COMMIT is applied with a warning."""
    monkeypatch.setattr("pytest_devenv.migrate.check.parser_installed", lambda: False)
    fill(folder, {"1_a.sql": "CREATE TABLE a ()", "2_b.sql": "DO $$ BEGIN NULL; END $$"})
    result = sqlx.apply(empty_database, tier=Tier.TEST)
    assert result.warnings == ("2_b.sql was not searched for COMMIT and ROLLBACK: pip install 'pytest-devenv[lint]'",)


def test_without_the_parser_a_commit_is_told_afterwards(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's own warning gives away a file that has ended its transaction, done or failed half way."""
    monkeypatch.setattr("pytest_devenv.migrate.check.parser_installed", lambda: False)
    fill(folder, {"1_a.sql": "CREATE TABLE a (); COMMIT; CREATE TABLE b ()"})
    warnings = sqlx.apply(empty_database, tier=Tier.TEST).warnings
    assert "1_a.sql has ended its own transaction" in warnings[1]
    fill(folder, {"2_c.sql": "CREATE TABLE c (); COMMIT; SELECT 1/0"})
    with pytest.raises(RunError, match="the file has ended its own transaction: undo what is there of it"):
        sqlx.apply(empty_database, tier=Tier.TEST)
    fill(folder, {"2_c.sql": "CREATE TABLE d (); SELEC 1; END"})
    with pytest.raises(RunError, match="nothing of it was kept"):
        sqlx.apply(empty_database, tier=Tier.TEST)


def test_what_cannot_run_in_a_transaction_runs_without(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """A file that begins with `-- no-transaction` is applied and noted."""
    fill(
        folder,
        {
            "1_a.sql": "CREATE TABLE a (id int)",
            "2_i.up.sql": "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id)",
            "2_i.down.sql": "-- no-transaction\nDROP INDEX CONCURRENTLY i",
        },
    )
    sqlx.apply(empty_database, tier=Tier.TEST)
    status = sqlx.status(empty_database)
    assert status.clean
    assert status.applied[1].took_ns is not None
    sqlx.roll_back(empty_database, tier=Tier.TEST)
    assert query(empty_database, "SELECT 1 FROM pg_class WHERE relname = 'i'") == []
    assert sqlx.status(empty_database).current == "1"


def test_a_half_applied_one_is_dirty_and_stops_the_next_run(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """What failed outside a transaction is marked, and the message says what to look at."""
    fill(
        folder,
        {
            "1_a.sql": "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1)",
            "2_i.sql": "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY i ON a (id)",
        },
    )
    with pytest.raises(RunError, match="it is marked dirty: a part of it may be there") as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert (caught.value.sqlstate, caught.value.failed.version) == ("23505", "2")
    assert [migration.version for migration in caught.value.done] == ["1"]
    assert [row.version for row in sqlx.status(empty_database).dirty] == ["2"]
    with pytest.raises(StateError, match=r"migration 2 \(i\) is dirty"):
        sqlx.apply(empty_database, tier=Tier.TEST)


def test_a_file_that_the_server_refuses_whole_leaves_nothing_dirty(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """A syntax error runs nothing, even outside a transaction, so it can be mended and run again."""
    fill(folder, {"1_i.sql": "-- no-transaction\nCREATE INDX x"})
    with pytest.raises(RunError, match="nothing of it was kept"):
        sqlx.apply(empty_database, tier=Tier.TEST)
    fill(folder, {"1_i.sql": "-- no-transaction\nVACUUM"})
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert sqlx.status(empty_database).clean


def test_strict_refuses_what_is_otherwise_warned_of(empty_database: DatabaseAddress, folder: Path) -> None:
    """A late and a renamed migration are applied with a warning, or refused under strict."""
    fill(folder, {"1_a.sql": "", "3_c.sql": ""})
    engine(folder).apply(empty_database, tier=Tier.TEST)
    fill(folder, {"2_b.sql": ""})
    (folder / "1_a.sql").rename(folder / "1_other.sql")
    with pytest.raises(StateError, match=r"(?s)applied as 'a' and is now called 'other'.*comes before 3"):
        engine(folder, strict=True).apply(empty_database, tier=Tier.TEST)
    assert len(engine(folder).apply(empty_database, tier=Tier.TEST).warnings) == 2


def test_an_unreachable_server_is_said_without_its_password(empty_database: DatabaseAddress, folder: Path) -> None:
    """A wrong password and a role that is not there name what was tried, and not the password."""
    other = create_role(empty_database, "someone", "s3cr3t-right")
    query(empty_database, "ALTER ROLE someone PASSWORD 'changed'")
    try:
        with pytest.raises(MigrationError, match="cannot connect to") as caught:
            engine(folder).status(other)
    finally:
        query(empty_database, "DROP ROLE someone")
    assert "password authentication failed" in str(caught.value)
    assert "s3cr3t-right" not in str(caught.value) + repr(caught.value.__cause__)


def test_a_role_that_may_not_create_is_told(empty_database: DatabaseAddress, folder: Path) -> None:
    """A role without rights is named, with what the server said, and its password is not."""
    other = create_role(empty_database, "feeble", "s3cr3t-feeble")
    fill(folder, THREE)
    try:
        with pytest.raises(GuardError, match="as role feeble"):
            engine(folder).apply(other, tier=Tier.TEST)
        with pytest.raises(MigrationError, match=r"permission denied for schema public \(42501\)") as caught:
            engine(folder).apply(other, tier=Tier.PRODUCTION, consent=Consent(other.database))
    finally:
        query(empty_database, "DROP ROLE feeble")
    assert "remedy: connect as a role that may do this" in str(caught.value)
    assert "s3cr3t-feeble" not in str(caught.value)


def test_a_database_without_migrations_has_no_engine(tmp_path: Path) -> None:
    """The error names the setting."""
    with pytest.raises(ConfigError, match=r"database db has no migrations\n  remedy: set migrations = \{ engine"):
        engine_for(Database(name="db", service="postgres"), tmp_path)


@pytest.mark.parametrize(
    "thrown", ["DEALLOCATE ALL", "-- no-transaction\nDISCARD ALL", "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"]
)
def test_a_migration_may_throw_away_what_was_prepared(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, thrown: str
) -> None:
    """What the session holds to note migrations is made again, and each is applied and noted once."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ()", "2_b.sql": thrown, "3_c.sql": "CREATE TABLE c ()"})
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert [row.version for row in sqlx.status(empty_database).applied] == ["1", "2", "3"]
    assert {"public.a", "public.c"} <= tables(empty_database)


def test_a_statement_that_a_migration_never_prepared_fails_as_its_own(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """EXECUTE of a name that is not there is told with its place, and nothing of the file is kept."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ();\nEXECUTE nothing_of_the_kind"})
    with pytest.raises(RunError, match="nothing_of_the_kind") as caught:
        sqlx.apply(empty_database, tier=Tier.TEST)
    assert (caught.value.sqlstate, caught.value.line) == ("26000", 2)
    assert "public.a" not in tables(empty_database)
