"""A project of somebody's own, with one database on the session's server, and the command run in it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner
from psycopg import sql

from pytest_devenv.cli import main
from pytest_devenv.clients.postgres import DatabaseAddress, connect

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.conftest import Postgres

COMMAND = (sys.executable, "-c", "from pytest_devenv.cli import main; main()", "db")
ITEMS = "CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL);\n"
SEED = """-- name: {name}
-- version: 1
-- description: {name}
-- dependencies:
INSERT INTO items (id, name) VALUES ({number}, '{name}') ON CONFLICT (id) DO UPDATE SET name = excluded.name;
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """The project: its folder, its database as the role that owns it, and the server, where there is one."""

    path: Path
    database: DatabaseAddress
    running: Postgres | None

    @property
    def server(self) -> Postgres:
        """The server that is running."""
        assert self.running is not None
        return self.running

    @property
    def name(self) -> str:
        """The database's name."""
        return self.database.database

    @property
    def superuser(self) -> DatabaseAddress:
        """The same database, as the server's superuser."""
        return DatabaseAddress(self.server.endpoint, self.name)

    def configure(self, more: str = "", *, engine: str = "sqlx", top: str = "", url: str | None = None) -> None:
        """Write the settings; `top` are keys of the first table, `more` keys of the database's and further tables."""
        endpoint = self.database.endpoint
        (self.path / "pyproject.toml").write_text(
            f"""
[tool.pytest-devenv]
name = "shop"
target = "addresses"
{top}

[tool.pytest-devenv.services.db]
kind = "postgres"
url = "{endpoint.base_url if url is None else url}"
user = "{endpoint.user}"
password = {{ env = "SHOP_PASSWORD" }}

[tool.pytest-devenv.databases.{self.name}]
service = "db"
migrations = {{ engine = "{engine}", path = "migrations" }}
{more}
"""
        )

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def sow(self, name: str, *, layer: str = "base", number: int = 10) -> Path:
        """Write a seed that puts one row into `items`, with its prefix for an id."""
        return self.write(f"seeds/{layer}/{number}_{name}.sql", SEED.format(name=name, number=number))

    def run(self, *words: str, **variables: str) -> Result:
        """Run `pytest-devenv db` in this process, with nobody to ask."""
        return CliRunner(env=variables).invoke(main, ["db", *words])

    def json(self, *words: str, code: int = 0, **variables: str) -> dict[str, Any]:
        """Run it with --json, and return the object."""
        result = self.run(*words, "--json", **variables)
        assert result.exit_code == code, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        assert found["exit_code"] == code
        return found

    def of(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return what a JSON object says of the database."""
        facts: dict[str, Any] = found["databases"][self.name]
        return facts

    def process(self, *words: str, answer: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it as a process; with an answer, at a terminal where somebody types it."""
        typed, terminal = pty.openpty()
        try:
            if answer is not None:
                os.write(typed, f"{answer}\n".encode())
            return subprocess.run(
                [*COMMAND, *words],
                cwd=self.path,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL if answer is None else terminal,
                capture_output=True,
                text=True,
                check=False,
                timeout=180,
            )
        finally:
            os.close(typed)
            os.close(terminal)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, as the superuser."""
        with connect(self.superuser) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description is not None else []

    def tables(self) -> set[str]:
        """Return the names of the tables in the public schema."""
        return {row[0] for row in self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    def audit(self) -> list[tuple[str, str]]:
        """Return what was run and how it ended."""
        return [(row[0], row[1]) for row in self.query("SELECT command, result FROM pytest_devenv.audit ORDER BY id")]


def create_role(server: Postgres, name: str, password: str) -> None:
    """Create a role that may create databases, and nothing else."""
    with connect(server.server.administer()) as connection:
        words = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
        connection.execute(words.format(sql.Identifier(name), sql.Literal(password)))


def give_database(server: Postgres, name: str, owner: str) -> None:
    """Create a database of a role."""
    with connect(server.server.administer()) as connection:
        words = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(words.format(sql.Identifier(name), sql.Identifier(owner)))
