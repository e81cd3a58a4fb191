"""A message of several statements sent as one, and which of its statements failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


# psycopg.pq.ExecStatus: to look one up takes longer than the rest of a result, and a migration has several.
_TUPLES_OK = 2  # EMPTY_QUERY and COMMAND_OK are below it
_COPIES = (3, 4, 8)
_FATAL_ERROR = 7


class ServerError(NamedTuple):
    """What the server said of the statement that failed.

    `completed` statements of the message had ended before; `position` counts characters of the message from 1.
    """

    sqlstate: str
    primary: str
    detail: str | None
    hint: str | None
    position: int | None
    context: str | None
    completed: int


def send(connection: Connection, message: bytes, *, meanwhile: Callable[[], bool] | None = None) -> ServerError | None:
    """Send `message`, text in UTF-8, by the simple protocol, as every migration tool does; return what failed, or None.

    One round trip, however many statements: the server runs them in order and stops at the first that fails.
    `meanwhile` is called once the message is on its way, and again while it says so and nothing has come back.
    Raises psycopg.OperationalError when the connection is lost.
    """
    from psycopg.generators import execute

    pgconn = connection.pgconn
    pgconn.send_query(message)
    if meanwhile is not None:
        pgconn.flush()
        while meanwhile() and pgconn.is_busy():
            pgconn.consume_input()
    for completed, result in enumerate(connection.wait(execute(pgconn))):
        status = result.status
        if status <= _TUPLES_OK:
            continue
        if status == _FATAL_ERROR:
            return _error(result, completed)
        if status in _COPIES:
            connection.close()
            return ServerError(
                sqlstate="0A000",
                primary="COPY from or to the client has no place in a migration",
                detail=None,
                hint="Write the rows as INSERT, or COPY from a file of the server.",
                position=None,
                context=None,
                completed=completed,
            )
    return None


def _error(result: Any, completed: int) -> ServerError:  # noqa: ANN401  # psycopg.pq has two kinds of PGresult
    from psycopg.pq import DiagnosticField as Field

    def field(which: Field) -> str | None:
        value: bytes | None = result.error_field(which)
        return None if value is None else value.decode("utf-8", "replace")

    position = field(Field.STATEMENT_POSITION)
    return ServerError(
        sqlstate=field(Field.SQLSTATE) or "",
        primary=field(Field.MESSAGE_PRIMARY) or "no message",
        detail=field(Field.MESSAGE_DETAIL),
        hint=field(Field.MESSAGE_HINT),
        position=None if position is None else int(position),
        context=field(Field.CONTEXT),
        completed=completed,
    )
