"""The audit, and the statements that PYTEST_DEVENV_DEBUG=sql shows."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING

from pytest_devenv.clients.postgres import connect
from pytest_devenv.migrate.lock import held
from pytest_devenv.migrate.sqlx import lock_key
from tests.integration.cli.shop import COMMAND

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop


def test_every_run_is_noted_with_its_end(migrated: Shop) -> None:
    """Who, when, what, how it ended and how long it took; a look and a dry run are none."""
    for words in (["status"], ["migrate", "--dry-run"], ["migrate", "--database", migrated.name], ["history"]):
        assert migrated.run(*words).exit_code == 0
    migrated.write("migrations/2_wrong.sql", "SELECT 1/0;\n")
    assert migrated.run("migrate").exit_code == 1
    with (
        connect(migrated.database) as other,
        held(other, lock_key(migrated.name), timeout_s=1, where=""),
    ):
        assert migrated.run("migrate", "--lock-timeout", "0.05").exit_code == 5
    assert migrated.audit() == [
        ("db migrate", "done"),
        (f"db migrate --database {migrated.name}", "done"),
        ("db migrate", "failed"),
        ("db migrate --lock-timeout 0.05", "locked"),
    ]
    rows = migrated.query(
        "SELECT who LIKE '%@%', role, environment, said, took_ms > 0, now() - began_at < '1 minute'"
        " FROM pytest_devenv.audit WHERE result = 'failed'"
    )
    said = "migration 2 (wrong) could not be applied: division by zero"
    assert rows == [(True, migrated.name, "development", said, True, True)]


def test_a_database_without_a_marker_is_not_written_to(shop: Shop) -> None:
    """What is refused leaves no trace in a database that is not ours."""
    shop.query("CREATE TABLE theirs (id int)")
    assert shop.run("migrate").exit_code == 4
    assert shop.query("SELECT to_regnamespace('pytest_devenv')") == [(None,)]


def test_a_run_that_cannot_be_noted_is_told(migrated: Shop) -> None:
    """Where the audit cannot be written, the run stands, and a warning says so."""
    migrated.query("DROP TABLE pytest_devenv.audit; CREATE VIEW pytest_devenv.audit AS SELECT 1 AS id")
    result = migrated.run("migrate")
    assert result.exit_code == 0
    assert f"warning: this run is not in the audit of {migrated.name}" in result.stderr


def test_statements_are_shown_as_they_are_sent(shop: Shop) -> None:
    """PYTEST_DEVENV_DEBUG=sql shows every statement on stderr, whole, and none of the values."""
    shop.write("migrations/2_long.sql", f"SELECT '{'ä' * 100_000}',\n'end of it';\n")
    shown = shop.run("migrate", PYTEST_DEVENV_DEBUG="sql")
    assert shown.exit_code == 0
    assert "sql: BEGIN;CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL);" in shown.stderr
    assert f"{'ä' * 1000}',\n'end of it';" in shown.stderr
    assert "WHERE n.nspname = 'pytest_devenv'" in shown.stderr
    assert "sql: " not in shown.stdout
    assert "sql: " not in shop.run("status").stderr
    assert shop.json("status", PYTEST_DEVENV_DEBUG="sql")["result"] == "done"


def test_the_history_is_read_once_for_a_run(migrated: Shop) -> None:
    """However many migrations are pending, and however many there were."""
    for number in range(2, 6):
        migrated.write(f"migrations/{number}_more.sql", "SELECT 1;\n")
    shown = migrated.run("migrate", PYTEST_DEVENV_DEBUG="sql")
    assert shown.exit_code == 0
    assert shown.stderr.count('FROM "public"."_sqlx_migrations"') == 1


def test_a_run_that_is_interrupted_is_noted(migrated: Shop) -> None:
    """Ctrl-C ends a migration, nothing of it is kept, and the audit says that it was interrupted."""
    migrated.write("migrations/2_slow.sql", "CREATE TABLE slow (); SELECT pg_sleep(30);\n")
    running = subprocess.Popen(
        [*COMMAND, "migrate"], cwd=migrated.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 20
        sleeping = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        while not migrated.query(sleeping) and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        output = running.communicate(timeout=60)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 1
    assert "Traceback" not in "".join(output)
    assert migrated.audit()[-1] == ("db migrate", "interrupted")
    assert migrated.of(migrated.json("status"))["migrations"]["pending"] == ["2"]
    assert "slow" not in migrated.tables()
