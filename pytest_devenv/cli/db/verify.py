"""What is looked at after a production database was migrated: its history, its schema, and how many rows it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pytest_devenv.clients.postgres import connect
from pytest_devenv.migrate import engine_for
from pytest_devenv.probes import schema
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.settings import Database
    from pytest_devenv.targets.environment import Environment

Rows: TypeAlias = dict[str, int]

_COUNTED_TO = 1_000_000
_DRIFT = "schema.matches_migrations"
_TABLES = """
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), n.nspname, c.relname, c.reltuples::bigint
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\\_%'
    AND n.nspname NOT IN ('information_schema', 'pytest_devenv') ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found.

    `rows` tells each table's rows before and after, `lost` where there are fewer; without `faults` all is well.
    """

    rows: dict[str, dict[str, int | None]]
    lost: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether history and schema are as the settings and the folder say."""
        return not self.faults

    @property
    def lines(self) -> Iterator[str]:
        """The same for people."""
        yield "looked at afterwards: " + ("history and schema are whole" if self.whole else "; ".join(self.faults))
        for table, count in self.rows.items():
            if count["before"] != count["after"]:
                before, after = ("-" if value is None else f"{value:,}" for value in count.values())
                yield f"rows of {table}: {before} → {after}"


def count_rows(address: DatabaseAddress, *, deadline_s: float) -> Rows:
    """Count the rows of every table; of one that the server takes for larger than a million, take its estimate."""
    from psycopg import sql

    found: Rows = {}
    with connect(address, deadline_s=deadline_s) as connection:
        for shown, namespace, name, estimate in connection.execute(_TABLES).fetchall():
            found[shown] = estimate
            if estimate <= _COUNTED_TO:
                query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(namespace, name))
                row = connection.execute(query).fetchone()
                found[shown] = 0 if row is None else row[0]
    return found


def verify(environment: Environment, database: Database, before: Rows, versions: set[str]) -> Verified:
    """Look whether these versions are applied and everything that the settings require is there."""
    settings = environment.settings
    address = environment.address(database.name)
    status = engine_for(database, settings.root).status(address, deadline_s=settings.deadline_s)
    applied = {row.version for row in status.applied if not row.dirty}
    faults = [f"migration {version} is not applied" for version in sorted(versions - applied)]
    for probe in schema.probes(settings):
        if probe.subject == database.name and probe.name != _DRIFT:
            verdict = probe.look(environment)
            if verdict.state in {State.FAIL, State.UNKNOWN}:
                faults.append(verdict.summary + ("" if verdict.found is None else f": {verdict.found}"))
    after = count_rows(address, deadline_s=settings.deadline_s)
    tables = sorted({*before, *after})
    rows = {table: {"before": before.get(table), "after": after.get(table)} for table in tables}
    lost = tuple(
        f"{table} had {count:,} rows and has {after.get(table, 0):,}"
        for table, count in before.items()
        if after.get(table, 0) < count
    )
    return Verified(rows=rows, lost=lost, faults=tuple(faults))
