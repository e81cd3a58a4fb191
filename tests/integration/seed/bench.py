"""What the tests of seeds share: a folder, a database, and short words for what is done with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from pytest_devenv.clients.postgres import connect
from pytest_devenv.seed import Limits, Selection, apply, roll_back, status
from pytest_devenv.settings import Tier

if TYPE_CHECKING:
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.seed import Result, RolledBack, State
    from tests.unit.seed.workshop import Workshop

TABLES = """
    CREATE TABLE people (id serial PRIMARY KEY, name text UNIQUE NOT NULL, age int, extra jsonb);
    CREATE TABLE pets (id serial PRIMARY KEY, owner int NOT NULL REFERENCES people ON DELETE CASCADE, name text);
    CREATE TABLE notes (id serial PRIMARY KEY, author int REFERENCES people ON DELETE SET NULL, text text);
    CREATE TABLE bills (id serial PRIMARY KEY, payer int NOT NULL REFERENCES people, amount numeric);
    CREATE TABLE loose (text text, number int);
"""
QUICK = Limits(lock_timeout_s=10, statement_timeout_s=10)
DATA = ("people", "pets", "notes", "bills", "loose")


@dataclass(frozen=True)
class Bench:
    """A folder of seeds, and a database."""

    seeds: Workshop
    address: DatabaseAddress

    def apply(
        self,
        *only: str,
        force: bool = False,
        changed: bool = False,
        jobs: int = 1,
        limits: Limits = QUICK,
        environ: dict[str, str] | None = None,
    ) -> Result:
        """Apply the folder's seeds."""
        selection = Selection(only=only, force=force, changed=changed, jobs=jobs)
        return apply(
            self.seeds.load(), self.address, tier=Tier.TEST, selection=selection, limits=limits, environ=environ or {}
        )

    def roll_back(self, name: str) -> RolledBack:
        """Take one seed back."""
        return roll_back(self.seeds.load(), self.address, name, tier=Tier.TEST, limits=QUICK, environ={})

    def states(self) -> dict[str, State]:
        """Return the state of each seed."""
        found = status(self.seeds.load(), self.address, tier=Tier.TEST)
        return {one.seed.name: one.state for one in found.seeds}

    def query(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with connect(self.address) as connection:
            cursor = connection.execute(text, values or None)
            return [] if cursor.description is None else cursor.fetchall()

    def history(self) -> list[tuple[Any, ...]]:
        """Return name, version, status, notes and error of every row of the history."""
        return self.query("SELECT name, version, status::text, notes, error FROM seed_history ORDER BY id")

    def snapshot(self, *tables: str) -> str:
        """Return a fingerprint of all rows of tables, of those of this file unless named."""
        return snapshot(self.address, tables or DATA)


def snapshot(address: DatabaseAddress, tables: tuple[str, ...]) -> str:
    """Return a fingerprint of all rows of tables."""
    digest = hashlib.sha256()
    with connect(address) as connection:
        for table in tables:
            rows = connection.execute(
                sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(table))
            ).fetchall()
            digest.update(repr((table, rows)).encode())
    return digest.hexdigest()
