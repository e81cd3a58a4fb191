"""Whether the queries that verify a database answer: read-only, each within the deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.probes import commands
from pytest_devenv.probes.asking import asked
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from pytest_devenv.probes.asking import Connection
    from pytest_devenv.settings import Database
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


def answers(database: Database, environment: Environment) -> Verdict:
    """Put every query of `verify`, in a transaction that cannot write; numbers that come back are shown."""
    import psycopg

    address = environment.address(database.name)

    def question(connection: Connection) -> Verdict:
        connection.read_only = True
        shown = []
        for query in database.verify:
            try:
                with connection.transaction():
                    shown.append(_answer(connection, query))
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.QueryCanceled):
                raise
            except psycopg.Error as error:
                if error.sqlstate is None:
                    raise
                said = error.diag.message_primary or type(error).__name__
                writes = isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
                setting = f"databases.{database.name}.verify in {environment.settings.file.name}"
                return failed(
                    f"a query that verifies {database.name} {'writes' if writes else 'fails'}: {said}",
                    expected=f"an answer to: {query}",
                    found=f"{said} ({error.sqlstate})",
                    where=str(address),
                    remedy=f"only read in {setting}" if writes else commands.psql(address, query),
                )
        return passed(f"{database.name}: {', '.join(shown)}", queries=len(shown))

    return asked(environment, address, question)


def _answer(connection: Connection, query: str) -> str:
    """Return what a query said in few words: the numbers of a single row, else how many rows there are."""
    cursor = connection.execute(query.encode())
    if cursor.description is None:
        return cursor.statusmessage or "done"
    names = [column.name for column in cursor.description]
    rows = cursor.fetchmany(1000)
    if len(rows) == 1:
        counts = [f"{name} {value}" for name, value in zip(names, rows[0], strict=True) if isinstance(value, int)]
        if counts:
            return ", ".join(counts)
    return f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
