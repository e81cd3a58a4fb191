"""How fast the reference environment is seeded, beside a bare loop that inserts the same rows.

All in one process, after import, each time into a new database of one embedded server.
"""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from benchmarks.measure import RUNS, Row
from pytest_devenv.clients.marker import write_marker
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.guard import Origin
from pytest_devenv.migrate import engine_for
from pytest_devenv.seed import Selection, apply, load, roll_back, status
from pytest_devenv.settings import Database, MigrationEngine, Migrations, Settings, Tier
from pytest_devenv.targets.embedded import instance as instances
from pytest_devenv.targets.embedded.account import server_account
from pytest_devenv.targets.embedded.postgres import PostgresServer, start_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
BOUND_MS = 150
# In the order in which the tables refer to each other; one transaction for each, as one for each seed.
_TABLES = (
    "states", "permissions", "roles", "role_permissions", "organizations", "users", "user_roles", "artists",
    "user_artist_blocks", "community_lists", "list_entries", "list_subscriptions", "connections",
)  # fmt: skip


@dataclass(slots=True)
class _Times:
    """Wall times in milliseconds, by what was done."""

    found: dict[str, list[float]] = field(default_factory=dict)

    def take(self, what: str, work: Callable[[], object]) -> None:
        """Do it and note how long it took."""
        began = time.perf_counter()
        work()
        self.found.setdefault(what, []).append((time.perf_counter() - began) * 1000)

    def row(self, what: str, bound: float | None = None) -> Row:
        """Return the median."""
        return Row(what, statistics.median(self.found[what]), "ms", bound)


def rows() -> list[Row]:
    """Return the figures for the reference environment on this machine."""
    times = _Times()
    with _server() as server:
        template = _template(server)
        _round(server, template, _Times())  # imports, and the caches of the machine
        for _ in range(RUNS):
            _round(server, template, times)
    return [
        times.row("seed development (10 seeds): load, guard, apply, track, note", BOUND_MS),
        times.row("the same rows by a bare psycopg loop, hashes given, nothing tracked"),
        times.row("seed test (12 seeds)", BOUND_MS),
        times.row("nothing to do"),
        times.row("status"),
        times.row("apply all again (--force)"),
        times.row("take one seed back"),
    ]


def _round(server: PostgresServer, template: str, times: _Times) -> None:
    one, bare, test = (_clone(server, template, name) for name in ("one", "bare", "test"))
    folder = ROOT / "seeds"

    def seed(address: DatabaseAddress, tier: Tier, **more: Any) -> None:  # noqa: ANN401  # passed on
        apply(load(folder), address, tier=tier, environ={}, **more)

    times.take("seed development (10 seeds): load, guard, apply, track, note", lambda: seed(one, Tier.DEVELOPMENT))
    given = _read(one)
    times.take("the same rows by a bare psycopg loop, hashes given, nothing tracked", lambda: _insert(bare, given))
    times.take("seed test (12 seeds)", lambda: seed(test, Tier.TEST))
    times.take("nothing to do", lambda: seed(one, Tier.DEVELOPMENT))
    times.take("status", lambda: status(load(folder), one, tier=Tier.DEVELOPMENT))
    times.take("apply all again (--force)", lambda: seed(one, Tier.DEVELOPMENT, selection=Selection(force=True)))
    times.take("take one seed back", lambda: roll_back(load(folder), one, "blocks", tier=Tier.DEVELOPMENT))
    for address in (one, bare, test):
        _execute(server, "DROP DATABASE {} WITH (FORCE)", address.database)


def _read(address: DatabaseAddress) -> dict[str, list[tuple[Any, ...]]]:
    with connect(address) as connection:
        return {
            table: connection.execute(sql.SQL("TABLE {}").format(sql.Identifier(table))).fetchall() for table in _TABLES
        }


def _insert(address: DatabaseAddress, given: dict[str, list[tuple[Any, ...]]]) -> None:
    from psycopg.types.json import Jsonb

    with connect(address) as connection:
        for table, found in given.items():
            query = sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE VALUES ({})").format(
                sql.Identifier(table), sql.SQL(", ").join([sql.SQL("%s")] * len(found[0]))
            )
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(
                    query, [[Jsonb(value) if isinstance(value, dict) else value for value in row] for row in found]
                )


@contextmanager
def _server() -> Iterator[PostgresServer]:
    settings = Settings(root=ROOT, file=ROOT / "pyproject.toml", name="benchmark")
    made = instances.create(settings)
    try:
        yield start_postgres("postgres", made.folder, server_account(), start_s=30)
    finally:
        made.destroy()


def _template(server: PostgresServer) -> str:
    _execute(server, "CREATE DATABASE {}", "template")
    migrations = Migrations(engine=MigrationEngine.SQLX, path="migrations/kiro")
    engine = engine_for(Database(name="template", service="postgres", migrations=migrations), ROOT)
    engine.apply(DatabaseAddress(server.superuser, "template"), tier=Tier.TEST)
    return "template"


def _clone(server: PostgresServer, template: str, name: str) -> DatabaseAddress:
    _execute(server, "CREATE DATABASE {} TEMPLATE {}", name, template)
    address = DatabaseAddress(server.superuser, name)
    with connect(address) as connection:
        write_marker(connection, Tier.TEST, Origin.CLONED)
    return address


def _execute(server: PostgresServer, statement: str, *names: str) -> None:
    with connect(server.administer()) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
