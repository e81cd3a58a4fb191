"""What is looked at after a production database was migrated: its history, its schema, and how many rows it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.cli.db.rows import count_rows
from pytest_devenv.clients.postgres import connect
from pytest_devenv.migrate import engine_for
from pytest_devenv.probes import schema
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.cli.db.rows import Rows
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.settings import Database
    from pytest_devenv.targets.environment import Environment

_NOT_THERE = ("schema.matches_migrations", "schema.pending_is_safe")  # a scratch database, and what is not applied


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


def rows_of(address: DatabaseAddress, *, deadline_s: float) -> Rows:
    """Count the rows of a database, to compare them afterwards."""
    with connect(address, deadline_s=deadline_s) as connection:
        return count_rows(connection)


def verify(environment: Environment, database: Database, before: Rows, versions: set[str]) -> Verified:
    """Look whether these versions are applied and everything that the settings require is there."""
    settings = environment.settings
    address = environment.address(database.name)
    status = engine_for(database, settings.root).status(address, deadline_s=settings.deadline_s)
    applied = {row.version for row in status.applied if not row.dirty}
    faults = [f"migration {version} is not applied" for version in sorted(versions - applied)]
    for probe in schema.probes(settings):
        if probe.subject == database.name and probe.name not in _NOT_THERE:
            verdict = probe.look(environment)
            if verdict.state in {State.FAIL, State.UNKNOWN}:
                faults.append(verdict.summary + ("" if verdict.found is None else f": {verdict.found}"))
    after = rows_of(address, deadline_s=settings.deadline_s)
    tables = sorted({*before, *after})
    rows = {table: {"before": before.get(table), "after": after.get(table)} for table in tables}
    lost = tuple(
        f"{table} had {count:,} rows and has {after.get(table, 0):,}"
        for table, count in before.items()
        if after.get(table, 0) < count
    )
    return Verified(rows=rows, lost=lost, faults=tuple(faults))
