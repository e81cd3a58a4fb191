"""The checks pass on the reference environment as it is, and leave it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from redis import Redis

if TYPE_CHECKING:
    from pathlib import Path

    from tests.checks.kiro import Kiro

pytestmark = [pytest.mark.timeout(600), pytest.mark.chromium, pytest.mark.usefixtures("chromium")]


def counted(kiro: Kiro) -> dict[str, int]:
    """Return how many rows each table of each database has, and how many keys redis has."""
    environment = kiro.environment
    found: dict[str, int] = {}
    for database in environment.settings.databases:
        with psycopg.connect(environment.address(database).url().reveal()) as connection:
            query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            for (table,) in connection.execute(query).fetchall():
                count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
                row = connection.execute(count).fetchone()
                found[f"{database}.{table}"] = row[0] if row else 0
    with Redis.from_url(environment.endpoints["redis"].url().reveal()) as client:
        found["redis"] = int(client.dbsize())
    return found


def test_end_to_end_checks_pass_and_leave_no_trace(kiro: Kiro, tmp_path: Path) -> None:
    """Every check passes, none is skipped, and every table has as many rows as before."""
    before = counted(kiro)
    checked = kiro.check(kiro.addresses, tmp_path / "junit.xml", "checks", "-m", "e2e")
    assert not checked.failed, checked.output
    assert not checked.skipped, checked.output
    assert "kiro.users" in before
    assert counted(kiro) == before
