"""Alembic's engine on a real server, with folders as people have them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.marker import write_marker
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.errors import GuardError, LockedError, MigrationError
from pytest_devenv.guard import Consent, Origin
from pytest_devenv.migrate import (
    AlembicEngine,
    Direction,
    FolderError,
    MissingExtensionError,
    Progress,
    RunError,
    StateError,
)
from pytest_devenv.migrate.alembic_env import open_environment
from pytest_devenv.migrate.lint import lint
from pytest_devenv.migrate.sqlx import lock_key
from pytest_devenv.settings import MigrationEngine, Tier
from tests.integration.migrate.revisions import JOBS, write_revision
from tests.integration.migrate.sandbox import create_role, engine, query, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Postgres


@pytest.fixture
def line(project: Path) -> AlembicEngine:
    """Give the engine for three revisions in a line."""
    write_revision(project, "a1", None, "CREATE TABLE a ()", "DROP TABLE a")
    write_revision(project, "b2", "a1", "CREATE TABLE b ()", "DROP TABLE b")
    write_revision(project, "c3", "b2", "CREATE TABLE c ()", "DROP TABLE c")
    return _engine(project)


@pytest.fixture
def jobs_database(empty_database: DatabaseAddress, postgres_server: Postgres) -> Iterator[DatabaseAddress]:
    """Give an empty database on a server that has the roles of the reference environment."""
    roles = ("authenticated", "service_role")
    for role in roles:
        query(empty_database, f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    yield empty_database
    postgres_server.drop_database(empty_database.database)


def _engine(folder: Path) -> AlembicEngine:
    made = engine(folder, MigrationEngine.ALEMBIC)
    assert isinstance(made, AlembicEngine)
    return made


def test_looking_creates_nothing(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """Status, plan and history leave an empty database empty."""
    status = line.status(empty_database)
    assert [one.version for one in status.pending] == ["a1", "b2", "c3"]
    assert [one.parents for one in status.pending] == [(), ("a1",), ("b2",)]
    assert (status.heads, line.current(empty_database)) == (("c3",), ())
    assert len(line.plan(empty_database).steps) == 3
    assert line.history()[0] == "b2 -> c3 (head), do c3"
    assert "Revision ID: c3" in line.history(verbose=True)[0] or "Rev: c3 (head)" in line.history(verbose=True)[0]
    assert tables(empty_database) == set()


def test_revisions_are_applied_and_taken_back(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """Upgrade to a revision and to the head; downgrade by count, to a revision and to base."""
    seen: list[Progress] = []
    line.apply(empty_database, tier=Tier.TEST, to="b2", on_progress=seen.append)
    assert [(one.migration.version, one.index, one.total) for one in seen] == [("a1", 1, 2), ("b2", 2, 2)]
    assert line.current(empty_database) == ("b2",)
    assert [one.version for one in line.apply(empty_database, tier=Tier.TEST).migrations] == ["c3"]
    assert line.status(empty_database).clean
    assert line.apply(empty_database, tier=Tier.TEST).migrations == ()
    result = line.roll_back(empty_database, tier=Tier.TEST)
    assert (result.direction, [one.version for one in result.migrations]) == (Direction.DOWN, ["c3"])
    assert [one.version for one in line.roll_back(empty_database, tier=Tier.TEST, to="a1").migrations] == ["b2"]
    line.roll_back(empty_database, tier=Tier.TEST, count=5)
    assert line.current(empty_database) == ()
    assert not tables(empty_database) & {"public.a", "public.b", "public.c"}


def test_a_plan_holds_the_sql_of_each_revision(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """Offline SQL, from where the database is, up and down."""
    first, *_, last = line.plan(empty_database).steps
    assert "CREATE TABLE alembic_version" in first.sql
    assert "CREATE TABLE a ()" in first.sql
    assert last.sql.rstrip().endswith("COMMIT;")
    line.apply(empty_database, tier=Tier.TEST, to="b2")
    (step,) = line.plan(empty_database).steps
    assert (step.migration.version, "CREATE TABLE c ()" in step.sql) == ("c3", True)
    (step,) = line.plan_roll_back(empty_database).steps
    assert (step.migration.version, step.direction, "DROP TABLE b" in step.sql) == ("b2", Direction.DOWN, True)
    assert line.current(empty_database) == ("b2",)


def test_stamping_runs_nothing(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """A stamp writes the version and no table, behind the same guard."""
    with pytest.raises(GuardError):
        line.stamp(empty_database, "b2", tier=Tier.TEST)
    with connect(empty_database) as connection:
        write_marker(connection, Tier.TEST, Origin.CREATED)
    line.stamp(empty_database, "b2", tier=Tier.TEST)
    assert line.current(empty_database) == ("b2",)
    assert "public.a" not in tables(empty_database)


def test_several_heads_are_named(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """Branches are refused without a target, with the heads named, and applied with one."""
    write_revision(line.folder, "d4", "b2", "CREATE TABLE d ()", "DROP TABLE d", label="side")
    status = line.status(empty_database)
    assert status.heads == ("c3", "d4")
    assert status.notes == ("there are 2 heads: c3, d4",)
    with pytest.raises(StateError, match=r"found: 2 heads: c3, d4[\s\S]*alembic merge heads"):
        line.apply(empty_database, tier=Tier.TEST)
    line.apply(empty_database, tier=Tier.TEST, to="side@head")
    assert line.current(empty_database) == ("d4",)
    assert {one.label for one in line.discover()} >= {"side"}
    line.apply(empty_database, tier=Tier.TEST, to="heads")
    assert line.current(empty_database) == ("c3", "d4")
    assert line.status(empty_database).clean


def test_a_count_is_refused_where_it_could_mean_several_branches(
    empty_database: DatabaseAddress, line: AlembicEngine
) -> None:
    """The heads are named, and the revision that the message names is below all of them."""
    write_revision(line.folder, "d4", "b2", "CREATE TABLE d ()", "DROP TABLE d", label="side")
    line.apply(empty_database, tier=Tier.TEST, to="heads")
    for roll_back in (line.plan_roll_back, partial(line.roll_back, tier=Tier.TEST)):
        with pytest.raises(StateError, match=r"found: 2 heads: c3, d4[\s\S]*pytest-devenv db rollback --to b2$"):
            roll_back(empty_database)
    assert line.current(empty_database) == ("c3", "d4")
    line.roll_back(empty_database, tier=Tier.TEST, to="b2")
    assert line.current(empty_database) == ("b2",)


@pytest.mark.parametrize("to", ["zz", "+9", "nobody@head"])
def test_a_revision_that_is_not_there_is_told(empty_database: DatabaseAddress, line: AlembicEngine, to: str) -> None:
    """What Alembic says is passed on, with where and what to do, and no table is made."""
    with pytest.raises(FolderError, match=r"Alembic cannot go on[\s\S]*alembic history shows what there is"):
        line.apply(empty_database, tier=Tier.TEST, to=to)
    assert "public.alembic_version" not in tables(empty_database)


def test_a_database_of_another_branch_is_told(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """A version that no file here has is missing, and nothing is run."""
    line.apply(empty_database, tier=Tier.TEST)
    query(empty_database, "UPDATE alembic_version SET version_num = 'gone'")
    assert [row.version for row in line.status(empty_database).missing] == ["gone"]
    with pytest.raises(StateError, match="the database is at revision gone, which is not here"):
        line.apply(empty_database, tier=Tier.TEST)


def test_a_failing_revision_leaves_nothing(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """The statement, the reason and the file are named, and the whole run is taken back."""
    write_revision(line.folder, "d4", "c3", "CREATE TABLE a ()")
    with pytest.raises(RunError) as caught:
        line.apply(empty_database, tier=Tier.TEST)
    assert caught.value.failed.version == "d4"
    assert caught.value.sqlstate == "42P07"
    assert 'found: relation "a" already exists (42P07)\n  statement: CREATE TABLE a ()' in str(caught.value)
    assert f"where: {line.folder}/versions/d4_x.py" in str(caught.value)
    assert "public.a" not in tables(empty_database)


def test_a_missing_extension_is_told_by_name(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """An extension that the server lacks is an error of its own."""
    write_revision(line.folder, "d4", "c3", "CREATE EXTENSION postgis")
    with pytest.raises(MissingExtensionError) as caught:
        line.apply(empty_database, tier=Tier.TEST)
    assert caught.value.extension == "postgis"


def test_revisions_are_linted(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """Squawk looks at the SQL that Alembic makes of the pending revisions."""
    line.apply(empty_database, tier=Tier.TEST)
    write_revision(line.folder, "d4", "c3", "ALTER TABLE a ADD COLUMN n integer NOT NULL")
    found = {(finding.migration.version, finding.rule) for finding in lint(line, empty_database)}
    assert ("d4", "adding-required-field") in found


def test_the_guard_comes_first(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """A database that holds data is refused, and production is migrated by its name only."""
    query(empty_database, "CREATE TABLE theirs ()")
    with pytest.raises(GuardError, match="no marker"):
        line.apply(empty_database, tier=Tier.DEVELOPMENT)
    with pytest.raises(GuardError, match="nobody confirmed it"):
        line.apply(empty_database, tier=Tier.PRODUCTION)
    assert tables(empty_database) == {"public.theirs"}
    line.apply(empty_database, tier=Tier.PRODUCTION, consent=Consent(empty_database.database))
    assert line.status(empty_database).clean


def test_an_env_that_connects_elsewhere_changes_nothing(
    empty_database: DatabaseAddress, line: AlembicEngine, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An env.py that takes DATABASE_URL and not our connection is caught before it creates even its version table."""
    other = postgres_server.create_database()
    monkeypatch.setenv("DATABASE_URL", other.url().reveal())
    env = line.folder / "env.py"
    env.write_text(env.read_text().replace('config.attributes.get("connection")', "None"))
    with pytest.raises(GuardError, match=r"env.py connects to another database[\s\S]*config.attributes"):
        line.apply(empty_database, tier=Tier.TEST)
    assert tables(other) == set()
    monkeypatch.setenv("DATABASE_URL", empty_database.url().reveal())
    line.apply(empty_database, tier=Tier.TEST)
    assert line.status(empty_database).clean
    postgres_server.drop_database(other.database)


def test_the_lock_is_waited_for(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """One migrator at a time, whichever engine, and the holder is named."""
    with connect(empty_database, application_name="elder") as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [lock_key(empty_database.database)])
        with pytest.raises(LockedError, match="application elder"):
            line.apply(empty_database, tier=Tier.TEST, lock_timeout_s=0.2)


def test_a_role_that_may_not_is_told(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """A role that cannot create tables is named, and its password is not."""
    other = create_role(empty_database, "weak_role", "s3cr3t")
    try:
        with pytest.raises(GuardError, match="as role weak_role") as caught:
            line.apply(other, tier=Tier.TEST)
        with pytest.raises(MigrationError, match="permission denied") as again:
            line.apply(other, tier=Tier.PRODUCTION, consent=Consent(other.database))
    finally:
        query(empty_database, "DROP OWNED BY weak_role; DROP ROLE weak_role")
    assert "s3cr3t" not in str(caught.value) + str(again.value)
    assert "connect as a role that may do this" in str(again.value)


def test_a_server_that_is_not_there_is_told(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """Whether it is looked at or changed, the message says where, and how to see what is wrong."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nowhere = replace(empty_database, endpoint=replace(empty_database.endpoint, port=port))
    for look in (lambda: line.status(nowhere), lambda: line.apply(nowhere, tier=Tier.TEST)):
        with pytest.raises(MigrationError, match=rf"cannot connect to {nowhere.database}[\s\S]*psql -h 127.0.0.1"):
            look()


def test_alembic_that_is_not_installed_is_told(
    empty_database: DatabaseAddress, line: AlembicEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra that brings it is named."""
    monkeypatch.setattr("pytest_devenv.migrate.alembic.importlib.util.find_spec", lambda _: None)
    with pytest.raises(MigrationError, match=r"pip install 'pytest-devenv\[alembic\]'"):
        line.apply(empty_database, tier=Tier.TEST)


def test_looking_at_a_plain_line_needs_no_alembic(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """Status is told without importing Alembic, at every revision, and is what Alembic says."""
    line.apply(empty_database, tier=Tier.TEST, to="b2")
    expected = line._status(open_environment(line.folder), ("b2",))  # noqa: SLF001  # the way by the library
    assert line.status(empty_database) == expected
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pytest_devenv.clients.postgres import DatabaseAddress\n"
        "from pytest_devenv.endpoint import Endpoint\n"
        "from pytest_devenv.migrate import AlembicEngine\n"
        "from pytest_devenv.settings import ServiceKind\n"
        "folder, host, port, user, database = sys.argv[1:]\n"
        "endpoint = Endpoint(service='postgres', kind=ServiceKind.POSTGRES, host=host, port=int(port), user=user)\n"
        "status = AlembicEngine(folder=Path(folder)).status(DatabaseAddress(endpoint, database))\n"
        "print([one.version for one in status.applied], [one.version for one in status.pending])\n"
        "print([name for name in ('alembic', 'sqlalchemy') if name in sys.modules])\n"
    )
    endpoint = empty_database.endpoint
    words = [str(line.folder), endpoint.host, str(endpoint.port), str(endpoint.user), empty_database.database]
    password = "" if endpoint.password is None else endpoint.password.reveal()
    ran = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines() == ["['a1', 'b2'] ['c3']", "[]"]


def test_a_new_revision_follows_the_head(line: AlembicEngine) -> None:
    """The folder's own template is used, and what cannot be asked for is told."""
    (path,) = line.create("add users")
    assert path.parent == line.folder / "versions"
    assert line.discover()[-1].parents == ("c3",)
    with pytest.raises(MigrationError, match="autocommit_block"):
        line.create("x", transaction=False)


def test_a_folder_beside_its_ini_is_found(empty_database: DatabaseAddress, line: AlembicEngine, tmp_path: Path) -> None:
    """The layout that `alembic init` makes, with alembic.ini above the folder, works, too."""
    (line.folder / "alembic.ini").rename(tmp_path / "alembic.ini")
    line.apply(empty_database, tier=Tier.TEST)
    assert line.status(empty_database).clean


def test_the_logging_of_this_process_is_left_alone(empty_database: DatabaseAddress, line: AlembicEngine) -> None:
    """env.py configures logging for its own command line, and not for whoever runs it here."""
    import logging

    before = (logging.getLogger().level, list(logging.getLogger().handlers), logging.getLogger("alembic").level)
    line.apply(empty_database, tier=Tier.TEST)
    after = (logging.getLogger().level, list(logging.getLogger().handlers), logging.getLogger("alembic").level)
    assert after == before


def _alembic(address: DatabaseAddress, *arguments: str) -> str:
    url = address.url().reveal().replace("postgresql://", "postgres://")
    result = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=JOBS,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


def test_plain_alembic_agrees(jobs_database: DatabaseAddress) -> None:
    """`alembic current` answers `001 (head)` given only DATABASE_URL, and what it takes back we call pending."""
    jobs = _engine(JOBS)
    jobs.apply(jobs_database, tier=Tier.TEST)
    assert _alembic(jobs_database, "current") == "001 (head)"
    _alembic(jobs_database, "downgrade", "base")
    assert [one.version for one in jobs.status(jobs_database).pending] == ["001"]
    _alembic(jobs_database, "upgrade", "head")
    assert jobs.status(jobs_database).clean


def test_a_downgrade_of_the_jobs_leaves_nothing(jobs_database: DatabaseAddress) -> None:
    """After `downgrade base` no table, view, type, function, index or policy is left."""
    jobs = _engine(JOBS)
    jobs.apply(jobs_database, tier=Tier.TEST)
    jobs.roll_back(jobs_database, tier=Tier.TEST, to="base")
    left = query(jobs_database, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert {row[0] for row in left} == {"alembic_version", "alembic_version_pkc"}
    assert query(jobs_database, "SELECT 1 FROM pg_policy") == []


def test_the_jobs_have_their_indexes(jobs_database: DatabaseAddress) -> None:
    """Every index of the reference environment is there."""
    _engine(JOBS).apply(jobs_database, tier=Tier.TEST)
    found = {row[0] for row in query(jobs_database, "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
    assert found >= {
        "job_status_idx",
        "job_inputs_hash_idx",
        "job_tenant_idx",
        "job_app_def_ver_idx",
        "result_job_id_idx",
        "artifact_job_id_idx",
        "artifact_expires_idx",
    }


@pytest.fixture
def two_tenants(jobs_database: DatabaseAddress) -> DatabaseAddress:
    """Give the jobs of two tenants, each with a result and an artifact."""
    _engine(JOBS).apply(jobs_database, tier=Tier.TEST)
    query(
        jobs_database,
        "WITH made AS (INSERT INTO job (tenant_id, app_id, definition, version, inputs_hash)"
        " SELECT tenant, 'app', 'definition', '1', repeat('0', 64) FROM unnest(ARRAY['ann', 'bob']) tenant"
        " RETURNING id), results AS (INSERT INTO result (job_id, score) SELECT id, 1 FROM made)"
        " INSERT INTO artifact (job_id, kind, url) SELECT id, 'log', 'https://example.com' FROM made",
    )
    return jobs_database


@pytest.mark.parametrize(("tenant", "rows"), [("ann", 1), ("bob", 1), ("eve", 0), (None, 0), ("", 0)])
@pytest.mark.parametrize("table", ["job", "result", "artifact", "job_with_result"])
def test_a_tenant_sees_its_own_rows_only(
    two_tenants: DatabaseAddress, table: str, tenant: str | None, rows: int
) -> None:
    """Through the tables and through the view, a tenant reads its own jobs, and nobody's without a name."""
    with connect(two_tenants) as connection:
        connection.execute("SET ROLE authenticated")
        if tenant is not None:
            connection.execute("SELECT set_config('app.tenant_id', %s, false)", [tenant])
        found = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608  # names of this test
    assert len(found) == rows
    if table in {"job", "job_with_result"}:
        assert all(tenant in row for row in found)


@pytest.mark.parametrize(
    "statement",
    [
        (
            "INSERT INTO job (tenant_id, app_id, definition, version, inputs_hash)"
            " VALUES ('bob', 'a', 'd', '2', repeat('1', 64))"
        ),
        "UPDATE job SET status = 'failed'",
        "DELETE FROM job",
        "DELETE FROM result",
        "INSERT INTO artifact (job_id, kind, url) SELECT id, 'x', 'x' FROM job",
    ],
)
def test_a_tenant_changes_nothing_of_others(two_tenants: DatabaseAddress, statement: str) -> None:
    """Writing for another tenant, or past the service, is refused."""
    import psycopg

    with connect(two_tenants) as connection:
        connection.execute("SET ROLE authenticated")
        connection.execute("SELECT set_config('app.tenant_id', 'ann', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_tenant_may_queue_a_job_of_its_own(two_tenants: DatabaseAddress) -> None:
    """What the policy allows, the grants allow, too."""
    with connect(two_tenants) as connection:
        connection.execute("SET ROLE authenticated")
        connection.execute("SELECT set_config('app.tenant_id', 'ann', false)")
        connection.execute(
            "INSERT INTO job (tenant_id, app_id, definition, version, inputs_hash)"
            " VALUES ('ann', 'app', 'definition', '2', repeat('1', 64))"
        )
        assert connection.execute("SELECT count(*) FROM job").fetchone() == (2,)


def test_the_service_sees_and_changes_all(two_tenants: DatabaseAddress) -> None:
    """The service role reads and writes every tenant's rows."""
    with connect(two_tenants) as connection:
        connection.execute("SET ROLE service_role")
        assert connection.execute("UPDATE job SET status = 'running'").rowcount == 2
        assert connection.execute("SELECT count(*) FROM job_with_result").fetchone() == (2,)
        assert connection.execute("DELETE FROM job").rowcount == 2


def test_the_same_inputs_are_the_same_job(two_tenants: DatabaseAddress) -> None:
    """A second job of one tenant with the same definition, version and inputs is not stored; another tenant's is."""
    import psycopg

    insert = (
        "INSERT INTO job (tenant_id, app_id, definition, version, inputs_hash)"
        " VALUES (%s, 'app', 'definition', '1', repeat('0', 64))"
    )
    with pytest.raises(psycopg.errors.UniqueViolation, match="job_inputs_hash_idx"):
        query(two_tenants, insert, "ann")
    query(two_tenants, insert, "carl")
