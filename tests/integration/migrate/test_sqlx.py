"""sqlx itself, on the same database: its command-line tool and a service that migrates itself."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.marker import adopt, write_marker
from pytest_devenv.clients.postgres import connect
from pytest_devenv.errors import LockedError
from pytest_devenv.guard import Origin
from pytest_devenv.migrate import RunError
from pytest_devenv.settings import Tier
from tests.integration.migrate import sqlx_tools
from tests.integration.migrate.sandbox import DEADLINE_S, dump, fill, query, start_migrator, tables, wait_for, waits

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Engine

pytestmark = pytest.mark.sqlx

FILES = {
    "20250301090000_add_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);\r\nINSERT INTO users VALUES (1);\n",
    "20250301090000_add_users.down.sql": "DROP TABLE users;",
    "20250301090100_in_dex__twice.up.sql": "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON users (id)",
    "20250301090100_in_dex__twice.down.sql": "-- no-transaction\nDROP INDEX CONCURRENTLY i",
    "20250301090200_ünïcode.up.sql": "CREATE TABLE ü (ü text DEFAULT 'ü')",
    "20250301090200_ünïcode.down.sql": 'DROP TABLE "ü"',
    "20250301090300_empty.up.sql": "",
    "20250301090300_empty.down.sql": "",
}
VERSIONS = [20250301090000, 20250301090100, 20250301090200, 20250301090300]
GATE = 7100


def _need(tool: Path | None) -> Path:
    if tool is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"sqlx's own tools are not there: {sqlx_tools.HOW}")
        pytest.skip(f"sqlx's own tools are not there: {sqlx_tools.HOW}")
    return tool


def _run(tool: Path, address: DatabaseAddress, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(tool), *arguments],
        env={**os.environ, "DATABASE_URL": address.url().reveal()},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.fixture
def cli() -> Path:
    """Give sqlx-cli."""
    return _need(sqlx_tools.cli())


@pytest.fixture
def program() -> Path:
    """Give a service that migrates itself with the sqlx crate."""
    return _need(sqlx_tools.program())


def test_what_we_apply_sqlx_calls_installed(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, cli: Path
) -> None:
    """`sqlx migrate info` lists all as installed, and `sqlx migrate run` leaves all alone."""
    fill(folder, FILES)
    sqlx.apply(empty_database, tier=Tier.TEST)
    info = _run(cli, empty_database, "migrate", "info", "--source", str(folder))
    assert [line.split()[0].partition("/")[2] for line in info.stdout.splitlines()] == ["installed"] * 4, info
    before = query(empty_database, "SELECT * FROM _sqlx_migrations ORDER BY version")
    run = _run(cli, empty_database, "migrate", "run", "--source", str(folder))
    assert (run.returncode, run.stdout) == (0, ""), run
    assert query(empty_database, "SELECT * FROM _sqlx_migrations ORDER BY version") == before


def test_what_sqlx_applies_we_call_applied(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, cli: Path
) -> None:
    """A history that sqlx wrote is clean to us, with sqlx's descriptions and times."""
    fill(folder, FILES)
    run = _run(cli, empty_database, "migrate", "run", "--source", str(folder))
    assert run.returncode == 0, run
    status = sqlx.status(empty_database)
    assert status.clean
    assert status.renamed == ()
    assert [row.description for row in status.applied] == ["add users", "in dex  twice", "ünïcode", "empty"]
    assert all(row.took_ns is not None for row in status.applied)
    assert sqlx.apply(empty_database, tier=Tier.TEST).migrations == ()


def test_both_build_the_same_history_and_schema(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, cli: Path
) -> None:
    """Version, description and checksum agree byte for byte, and so do the tables."""
    fill(folder, FILES)
    rows = "SELECT version, description, success, checksum FROM _sqlx_migrations ORDER BY version"
    sqlx.apply(empty_database, tier=Tier.TEST)
    ours, our_schema = query(empty_database, rows), dump(empty_database)
    sqlx.roll_back(empty_database, tier=Tier.TEST, to="base")
    query(empty_database, "DROP TABLE _sqlx_migrations")
    assert _run(cli, empty_database, "migrate", "run", "--source", str(folder)).returncode == 0
    assert query(empty_database, rows) == ours
    assert [row[0] for row in ours] == VERSIONS
    assert dump(empty_database) == our_schema


def test_each_takes_back_what_the_other_applied(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, cli: Path
) -> None:
    """Down files of ours run after sqlx's up files, and the other way round."""
    fill(folder, FILES)
    _run(cli, empty_database, "migrate", "run", "--source", str(folder))
    sqlx.status(empty_database)
    with connect(empty_database) as connection:
        adopt(connection, Tier.TEST, confirm=empty_database.database)
    sqlx.roll_back(empty_database, tier=Tier.TEST, to="20250301090000")
    assert len(sqlx.status(empty_database).applied) == 1
    sqlx.apply(empty_database, tier=Tier.TEST)
    revert = _run(cli, empty_database, "migrate", "revert", "--target-version", "0", "--source", str(folder))
    assert revert.returncode == 0, revert
    assert len(sqlx.status(empty_database).pending) == 4
    assert not tables(empty_database) & {"public.users", 'public."ü"'}


def test_sqlx_refuses_what_we_mark_dirty(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, cli: Path
) -> None:
    """A half-applied migration of ours stops sqlx, too."""
    fill(folder, {"1_a.sql": "-- no-transaction\nSELECT 1/0"})
    with pytest.raises(RunError, match="marked dirty"):
        sqlx.apply(empty_database, tier=Tier.TEST)
    run = _run(cli, empty_database, "migrate", "run", "--source", str(folder))
    assert run.returncode != 0
    assert "partially applied" in run.stdout + run.stderr


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_service_that_migrates_itself_may_start_at_once(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, program: Path, first: str
) -> None:
    """Whoever comes second waits for the first, finds all applied, and ends well."""
    fill(folder, {"1_a.sql": "CREATE TABLE a (); SELECT pg_sleep(0.5)", "2_b.sql": "CREATE TABLE b ()"})
    environment = {**os.environ, "DATABASE_URL": empty_database.url().reveal()}

    def service() -> subprocess.Popen[str]:
        return subprocess.Popen([str(program), str(folder)], env=environment, stderr=subprocess.PIPE, text=True)

    starts = [lambda: start_migrator(empty_database, folder), service, service]
    processes = [start() for start in (starts if first == "ours" else reversed(starts))]
    for process in processes:
        _, error = process.communicate(timeout=180)
        assert process.returncode == 0, error
    assert sqlx.status(empty_database).clean
    assert query(empty_database, "SELECT count(*) FROM _sqlx_migrations") == [(2,)]


def test_the_lock_of_sqlx_is_the_one_we_wait_for(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, program: Path
) -> None:
    """While the service migrates, we wait and name it; when it is killed, we proceed."""
    fill(folder, {"1_a.sql": f"SELECT pg_advisory_xact_lock_shared({GATE}); CREATE TABLE a ()"})
    url = f"{empty_database.url().reveal()}?application_name=blocklist"
    with connect(empty_database) as gatekeeper:
        write_marker(gatekeeper, Tier.TEST, Origin.CREATED)
        gatekeeper.execute("SELECT pg_advisory_lock(%s)", [GATE])
        with subprocess.Popen([str(program), str(folder)], env={**os.environ, "DATABASE_URL": url}) as service:
            wait_for(lambda: waits(empty_database, GATE), "the service")
            with pytest.raises(LockedError, match="application blocklist, user postgres"):
                sqlx.apply(empty_database, tier=Tier.TEST, lock_timeout_s=0.2)
            service.send_signal(signal.SIGKILL)
            service.wait(DEADLINE_S)
    result = sqlx.apply(empty_database, tier=Tier.TEST)
    assert len(result.migrations) in {0, 1}
    assert sqlx.status(empty_database).clean
