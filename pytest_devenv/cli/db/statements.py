"""`PYTEST_DEVENV_DEBUG=sql`: every statement that a command sends, without the values that go with it.

libpq traces itself into a file (https://www.postgresql.org/docs/current/libpq-control.html), from after the login on,
so that this sees what any part of us sends, however it sends it.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

VARIABLE = "PYTEST_DEVENV_DEBUG"
_PAUSE_S = 0.05
_HEAD = re.compile(rb'^F\t(\d+)\t(?:Query\t "|Parse\t "([^"\n]*)" ")', re.MULTILINE)


@contextmanager
def shown(tell: Callable[[str], None]) -> Iterator[None]:
    """Tell every statement while this lasts, where the variable asks for it."""
    if "sql" not in os.environ.get(VARIABLE, "").split(","):
        yield
        return
    import psycopg

    original, traces, over = psycopg.connect, list[_Trace](), threading.Event()

    def connect(*words: Any, **options: Any) -> psycopg.Connection[Any]:  # noqa: ANN401  # as psycopg's own
        connection = original(*words, **options)
        traces.append(_Trace(connection))
        return connection

    def follow() -> None:
        while True:
            last = over.wait(_PAUSE_S)
            for trace in tuple(traces):
                for statement in trace.read():
                    tell(f"sql: {statement}")
            if last:
                return

    psycopg.connect = connect
    follower = threading.Thread(target=follow, name="statements")
    follower.start()
    try:
        yield
    finally:
        psycopg.connect = original
        for trace in traces:
            trace.end()
        over.set()
        follower.join()
        for trace in traces:
            trace.close()


class _Trace:
    """What one connection sends. A file takes it, since libpq writes while no other thread of ours can run."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        from psycopg.pq import Trace

        self._connection = connection
        import tempfile

        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # libpq writes to it as long as the connection lasts
        self._read = 0
        self._rest = b""
        self._written = os.dup(self._file.fileno())
        connection.pgconn.trace(self._written)
        connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)

    def end(self) -> None:
        """Write no more."""
        if not self._connection.closed:
            self._connection.pgconn.untrace()

    def close(self) -> None:
        """Let go of the file, which libpq does not do."""
        os.close(self._written)
        self._file.close()

    def read(self) -> Iterator[str]:
        """Yield the statements that are there whole by now."""
        size = os.fstat(self._file.fileno()).st_size - self._read
        found = os.pread(self._file.fileno(), size, self._read)
        self._read += len(found)
        data = self._rest + found
        place = 0
        while (head := _HEAD.search(data, place)) is not None:
            length = _length(data, head)
            if length is None:
                break
            yield data[head.end() : head.end() + length].decode(errors="replace")
            place = head.end() + length
        self._rest = data[place:] if head is not None else data[data.rfind(b"\n", place) + 1 :]


def _length(data: bytes, head: re.Match[bytes]) -> int | None:
    """Return how many bytes long the statement is; None while not all of it is there.

    The message's length counts itself (4 bytes) and the statement's last zero. That of Parse also counts the name of
    the prepared statement, the number of parameters (2 bytes) and each one's type (4 bytes), and prints the number.
    """
    length = int(head[1]) - 4 - 1
    if head[2] is None:
        return length if len(data) > head.end() + length else None
    length -= len(head[2]) + 1 + 2
    if b"\n" not in data[head.end() + length :]:
        return None
    for parameters in range(length // 4 + 1):
        end = head.end() + length - 4 * parameters
        if data[end : end + 16].startswith(b'" %d ' % parameters):
            return length - 4 * parameters
    return length
