"""What the tests of migrations share: folders of files, a migrator in a process of its own, dumps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.migrate import engine_for
from pytest_devenv.secret import Secret
from pytest_devenv.settings import Database, MigrationEngine, Migrations, ServiceKind, Tier
from pytest_devenv.targets.embedded.account import server_account
from pytest_devenv.targets.embedded.binaries import postgres_bin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_devenv.migrate import Engine

DEADLINE_S = 30.0
_VARIABLE = "TEST_ADDRESS"


def engine(folder: Path, kind: MigrationEngine = MigrationEngine.SQLX, **options: Any) -> Engine:  # noqa: ANN401
    """Return the engine for `folder`, as the settings make it."""
    migrations = Migrations(engine=kind, path=str(folder), **options)
    return engine_for(Database(name="db", service="postgres", migrations=migrations), Path("/"))


def fill(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files by name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def query(address: DatabaseAddress, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connect(address) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description is not None else []


def tables(address: DatabaseAddress) -> set[str]:
    """Return the names of all tables outside PostgreSQL's own schemas."""
    rows = query(
        address,
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    return {row[0] for row in rows}


def dump(address: DatabaseAddress) -> str:
    """Return the schema as pg_dump writes it."""
    endpoint = address.endpoint
    password = "" if endpoint.password is None else endpoint.password.reveal()
    command = [str(postgres_bin(server_account()) / "pg_dump"), "--schema-only", "--restrict-key=test"]
    command += ["-h", endpoint.host, "-p", str(endpoint.port), "-U", endpoint.user or "", address.database]
    result = subprocess.run(
        command, env={**os.environ, "PGPASSWORD": password}, check=True, capture_output=True, text=True
    )
    return result.stdout


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            message = f"waited {DEADLINE_S:g} s in vain for {what}"
            raise TimeoutError(message)
        time.sleep(0.01)


def waits(address: DatabaseAddress, key: int) -> bool:
    """Whether a session waits for the advisory lock `key`, a gate of the test's own."""
    return bool(
        query(
            address,
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())",
            key,
        )
    )


def create_role(address: DatabaseAddress, role: str, password: str) -> DatabaseAddress:
    """Create a role that may log in, and return the address as which it connects."""
    with connect(address) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
        )
    endpoint = address.endpoint
    own = Endpoint(
        service=endpoint.service,
        kind=ServiceKind.POSTGRES,
        host=endpoint.host,
        port=endpoint.port,
        user=role,
        password=Secret(password),
    )
    return DatabaseAddress(own, address.database)


def start_migrator(address: DatabaseAddress, folder: Path) -> subprocess.Popen[str]:
    """Start a process that applies what is pending in `folder`."""
    endpoint = address.endpoint
    told = {
        "host": endpoint.host,
        "port": endpoint.port,
        "user": endpoint.user,
        "password": None if endpoint.password is None else endpoint.password.reveal(),
        "database": address.database,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.migrate.sandbox", str(folder)],
        env={**os.environ, _VARIABLE: json.dumps(told)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _main() -> None:
    told = json.loads(os.environ[_VARIABLE])
    endpoint = Endpoint(
        service="postgres",
        kind=ServiceKind.POSTGRES,
        host=told["host"],
        port=told["port"],
        user=told["user"],
        password=None if told["password"] is None else Secret(told["password"]),
    )
    address = DatabaseAddress(endpoint, told["database"])
    result = engine(Path(sys.argv[1])).apply(address, tier=Tier.TEST)
    json.dump([migration.version for migration in result.migrations], sys.stdout)


if __name__ == "__main__":
    _main()
