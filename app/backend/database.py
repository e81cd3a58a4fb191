"""Transactions on PostgreSQL, through a pool that connects in the background."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from app.backend.errors import RefusedError, UnavailableError
from app.backend.links import Link

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg_pool import ConnectionPool

Row = TypeVar("Row")

REQUIRED_TABLES = (
    "users",
    "artists",
    "user_artist_blocks",
    "connections",
    "community_lists",
    "list_entries",
    "list_subscriptions",
    "action_batches",
    "audit_log",
)
JOBS_TABLES = ("job", "result", "artifact")

_TENANT_ROLE = "authenticated"
_POOL_SIZE = 10
_TIMEOUT_S = 2.0


class Transaction:
    """One transaction: queries with named parameters in, typed rows out."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def all(self, row: type[Row], query: LiteralString, **values: object) -> list[Row]:
        """Give every row of a query, its columns named as the fields of `row`."""
        from psycopg.rows import class_row  # the link has imported it by now

        with self._connection.cursor(row_factory=class_row(row)) as cursor:
            return cursor.execute(query, values).fetchall()

    def one(self, row: type[Row], query: LiteralString, **values: object) -> Row | None:
        """Give the first row of a query, or None."""
        return next(iter(self.all(row, query, **values)), None)

    def execute(self, query: LiteralString, **values: object) -> int:
        """Run a statement and give the number of rows that it touched."""
        return self._connection.execute(query, values).rowcount


@dataclass(frozen=True)
class _Table:
    name: str


class Database:
    """A database of the environment: what messages call it, its URL, and the tables that it must have."""

    def __init__(self, name: str, url: str, required_tables: Sequence[str]) -> None:
        self.name = name
        self._url = url
        self._required_tables = required_tables
        self._link: Link[ConnectionPool] = Link(name, self._connect)

    def open(self) -> None:
        """Begin to connect, in the background."""
        self._link.open()

    def close(self) -> None:
        """Close what is connected and end what is being tried."""
        pool = self._link.close()
        if pool is not None:
            pool.close(timeout=0.5)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commit at the end of the block, roll back when it raises.

        Raises UnavailableError when the database does not answer, and RefusedError when a row that the block refers to
        has gone (409), such as the account of a session that is still open, or when PostgreSQL cannot keep a value that
        is valid elsewhere (422), such as a NUL in JSON.
        """
        pool = self._link.client()
        from psycopg import DataError, OperationalError  # the link has imported it by now
        from psycopg.errors import ForeignKeyViolation

        try:
            with pool.connection() as connection:
                yield Transaction(connection)
        except OperationalError as error:
            raise UnavailableError(self.name, self._explain(error)) from error
        except ForeignKeyViolation as error:
            raise RefusedError(409, "Something that this refers to no longer exists.") from error
        except DataError as error:
            raise RefusedError(422, "The request holds a value that cannot be kept.") from error

    @contextmanager
    def transaction_of(self, tenant_id: UUID) -> Iterator[Transaction]:
        """Do as `transaction`, with the rights of a tenant: row-level security shows it nothing of another's."""
        with self.transaction() as transaction:
            transaction.execute(
                "SELECT set_config('role', %(role)s, true), set_config('app.tenant_id', %(tenant_id)s, true)",
                role=_TENANT_ROLE,
                tenant_id=str(tenant_id),
            )
            yield transaction

    def missing_tables(self) -> list[str]:
        """Name the required tables that the database lacks."""
        with self.transaction() as transaction:
            missing = transaction.all(
                _Table,
                "SELECT name FROM unnest(%(names)s::text[]) AS name WHERE to_regclass(name) IS NULL",
                names=list(self._required_tables),
            )
        return [table.name for table in missing]

    def _connect(self) -> "ConnectionPool":
        import psycopg  # imported while the process already answers
        from psycopg_pool import ConnectionPool

        try:
            psycopg.connect(self._url, connect_timeout=int(_TIMEOUT_S)).close()
        except psycopg.Error as error:
            raise UnavailableError(self.name, self._explain(error)) from None
        return ConnectionPool(
            self._url,
            kwargs={"connect_timeout": int(_TIMEOUT_S), "application_name": "kiro-backend"},
            min_size=1,
            max_size=_POOL_SIZE,
            timeout=_TIMEOUT_S,
            check=ConnectionPool.check_connection,
            open=True,
        )

    def _explain(self, error: Exception) -> str:
        """Give the error's first line, without the password that libpq quotes from a URL it cannot read."""
        return str(error).partition("\n")[0].replace(urlsplit(self._url).password or "\n", "***")
