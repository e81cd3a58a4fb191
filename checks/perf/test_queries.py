"""No query of the application takes long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from pytest_devenv.fixtures.budgets import Measure
    from pytest_devenv.fixtures.handles import DatabaseHandle
    from pytest_devenv.run import Devenv

pytestmark = pytest.mark.perf

STATEMENTS = """
    SELECT max(mean_exec_time) / 1000 FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND query ~* '^\\s*(select|insert|update|delete|with)'
"""


def test_slowest_query_is_quick(
    keeps_budget: Callable[[str, Measure], None], devenv: Devenv, migrated_database: DatabaseHandle
) -> None:
    """The slowest query keeps its budget: of all that ran, as pg_stat_statements knows, else of the configured ones."""
    configured = devenv.settings.databases[migrated_database.name].verify
    with migrated_database.connect() as connection:
        if connection.execute("SELECT FROM pg_extension WHERE extname = 'pg_stat_statements'").rowcount:
            keeps_budget("slowest-query", lambda: float(value(connection, STATEMENTS.encode())))
        else:
            keeps_budget("slowest-query", lambda: max(explained_s(connection, query) for query in configured))


def explained_s(connection: Connection[Any], query: str) -> float:
    """Return how long PostgreSQL takes to plan and run a query, by its own clock."""
    (plan,) = value(connection, b"EXPLAIN (ANALYZE, FORMAT JSON) " + query.encode())
    return float(plan["Planning Time"] + plan["Execution Time"]) / 1000


def value(connection: Connection[Any], query: bytes) -> Any:  # noqa: ANN401  # whatever the query gives
    """Return the one value that a query gives."""
    row = connection.execute(query).fetchone()
    return row[0] if row is not None else None
