"""squawk over what is not applied yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import MigrationError
from pytest_devenv.migrate.lint import judge, lint
from pytest_devenv.settings import Database, MigrationEngine, Migrations, Tier
from pytest_devenv.verdict import State
from tests.integration.migrate.sandbox import engine, fill
from tests.integration.probes.samples import at_database, look

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Engine

RISKY = "SET lock_timeout = '1s';\nSET statement_timeout = '5s';\n  CREATE INDEX i ON a (id);\n"
SAFE = "CREATE TABLE a (id bigint PRIMARY KEY);\n"


def test_only_what_is_pending_is_looked_at(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """An applied migration is history; a pending one is told with its place, why, and the safe way."""
    fill(folder, {"1_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    assert [finding.rule for finding in lint(sqlx, empty_database)] == ["prefer-bigint-over-int"]
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert lint(sqlx, empty_database) == ()
    fill(folder, {"2_i.sql": RISKY})
    (finding,) = lint(sqlx, empty_database)
    assert (finding.migration.version, finding.line, finding.column) == ("2", 3, 3)
    assert finding.rule == "require-concurrent-index-creation"
    assert finding.statement == "CREATE INDEX i ON a (id);"
    assert finding.safe_way == "Use `concurrently` to avoid blocking writes."
    assert finding.url == "https://squawkhq.com/docs/require-concurrent-index-creation"


def test_the_transaction_is_taken_into_account(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A concurrent index is safe outside a transaction, and impossible inside one."""
    concurrently = RISKY.replace("INDEX", "INDEX CONCURRENTLY IF NOT EXISTS")
    fill(folder, {"1_a.sql": SAFE, "2_i.sql": f"-- no-transaction\n{concurrently}"})
    assert [finding.rule for finding in lint(sqlx, empty_database)] == []
    fill(folder, {"2_i.sql": concurrently})
    assert [finding.rule for finding in lint(sqlx, empty_database)] == ["ban-concurrent-index-creation-in-transaction"]


def test_the_projects_own_rules_apply(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A .squawk.toml beside the migrations is read."""
    fill(folder, {"1_i.sql": RISKY, ".squawk.toml": 'excluded_rules = ["require-concurrent-index-creation"]\n'})
    assert lint(sqlx, empty_database) == ()


def test_the_verdict_carries_each_finding(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """Findings fail the verdict, with the first one's safe way as the remedy."""
    fill(folder, {"1_a.sql": SAFE})
    assert judge(sqlx, empty_database).state is State.PASS
    fill(folder, {"2_i.sql": RISKY})
    verdict = judge(sqlx, empty_database)
    assert verdict.state is State.FAIL
    assert verdict.remedy == (
        "Use `concurrently` to avoid blocking writes. (https://squawkhq.com/docs/require-concurrent-index-creation)"
    )
    assert verdict.evidence[0].title == "2_i.sql:3 require-concurrent-index-creation"
    assert "safe way: Use `concurrently`" in verdict.evidence[0].text


def test_it_is_a_check_of_the_schema(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """Every database with migrations has the probe: it passes while nothing is pending, and fails with the finding."""
    migrations = Migrations(engine=MigrationEngine.SQLX, path=str(folder))
    service = empty_database.endpoint.service
    database = Database(name=empty_database.database, service=service, migrations=migrations)
    here = at_database(empty_database, database)
    probe = f"schema.pending_is_safe[{database.name}]"
    fill(folder, {"1_a.sql": "CREATE TABLE a (id int PRIMARY KEY);"})
    verdict = look(here, probe)
    assert verdict.state is State.FAIL
    assert str(verdict.found).startswith("prefer-bigint-over-int in 1_a.sql, line 1: ")
    sqlx.apply(empty_database, tier=Tier.TEST)
    assert look(here, probe).state is State.PASS


@pytest.mark.parametrize("name", ["1_*.sql", "1_-exclude.sql", "1_sp ace's.sql", "1_ü.sql"])
def test_odd_names_are_linted(empty_database: DatabaseAddress, folder: Path, sqlx: Engine, name: str) -> None:
    """Patterns, dashes, quotes and letters of others are but names."""
    fill(folder, {name: RISKY})
    assert [finding.migration.path.name for finding in lint(sqlx, empty_database)] == [name]


def test_what_squawk_cannot_read_is_a_finding(empty_database: DatabaseAddress, folder: Path, sqlx: Engine) -> None:
    """A syntax error is found before it is run."""
    fill(folder, {"1_a.sql": "CREATE TABEL a ();"})
    assert "syntax-error" in {finding.rule for finding in lint(sqlx, empty_database)}


def test_bun_files_are_linted(empty_database: DatabaseAddress, folder: Path) -> None:
    """The dialect makes no difference but in what runs in a transaction."""
    fill(folder, {"1_i.tx.up.sql": RISKY})
    assert len(lint(engine(folder, MigrationEngine.BUN), empty_database)) == 1


def test_without_squawk_it_is_off(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be looked at is said with the extra that brings it, and is no pass."""
    monkeypatch.setattr("pytest_devenv.migrate.lint.squawk_program", lambda: None)
    fill(folder, {"1_i.sql": RISKY})
    assert judge(sqlx, empty_database).state is State.OFF
    with pytest.raises(MigrationError, match=r"pip install 'pytest-devenv\[lint\]'"):
        lint(sqlx, empty_database)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo not json", "not json"),
        ("echo '[]'; echo boom >&2; exit 101", "exit code 101: boom"),
        ("exec sleep 60", "no answer within 0.5 s"),
    ],
)
def test_a_squawk_that_fails_is_unknown(
    empty_database: DatabaseAddress,
    folder: Path,
    sqlx: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    found: str,
) -> None:
    """Neither nonsense, nor a crash, nor silence is taken for a pass."""
    fake = tmp_path / "squawk"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setattr("pytest_devenv.migrate.lint.squawk_program", lambda: str(fake))
    fill(folder, {"1_i.sql": RISKY})
    verdict = judge(sqlx, empty_database, timeout_s=0.5)
    assert verdict.state is State.UNKNOWN
    assert found in verdict.evidence[0].text
