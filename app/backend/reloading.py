"""Serving by a child that is replaced when the code changes: `python -m app.backend --reload`."""

import asyncio
import contextlib
import multiprocessing
import signal
import socket
import sys
import threading
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

import uvicorn

LOOK_S = 0.05
_ENDS_WITHIN_S = 5.0
_HEARS_S = 0.2
# What is imported late, by the first who needs it: a child has it from this process, as all else but our own modules.
_LATE = (
    "argon2",
    "cryptography.hazmat.primitives.ciphers.aead",
    "jwt",
    "psycopg_pool",
    "redis",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
)
_FORK = multiprocessing.get_context("fork")


def serve_anew_on_edits(config: uvicorn.Config, folder: Path) -> None:
    """Serve by a child until a signal ends this process, on a socket that it keeps; by a new one after each edit.

    The child before serves on until the new one answers, so that no request waits for imports; or until the new one has
    ended, so that nobody takes for the code on disk what is no longer there.

    asyncio turns Nagle's algorithm off on sockets that it makes itself. On this one an answer's body would wait 40 ms
    for the client to acknowledge its headers; accepted connections have the option from the socket that listens.
    """
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    listening = config.bind_socket()
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _import_packages()
    seen = _times(folder)
    before: _Child | None = None
    child = _Child(config, listening)
    while not ended.is_set():
        if before is None:
            ended.wait(LOOK_S)
        elif child.has_begun_or_ended(LOOK_S):
            before.end()
            before = None
        now = _times(folder)
        if now != seen:
            seen = now
            if before is None:
                before = child
            else:
                child.end()
            child = _Child(config, listening)
    for each in (before, child):
        if each is not None:
            each.end()
    listening.close()


def _import_packages() -> None:
    """Import every package that the application has, which no edit of ours changes, and keep none of our own modules.

    Nor does it leave compiled ones: Python would take them for those of the next edit, of the same second and length.
    Of an application that does not run it has the packages as far as that comes; each child tells what is wrong.
    """
    for module in _LATE:
        import_module(module)
    sys.dont_write_bytecode = True
    with contextlib.suppress(Exception):
        import_module(f"{__package__}.application")
    for name in [each for each in sys.modules if each == __package__ or each.startswith(f"{__package__}.")]:
        del sys.modules[name]


def _times(folder: Path) -> dict[Path, int]:
    """Return when each module was changed; one that goes meanwhile is none.

    A copy may have the time of its original in whole seconds, and two edits of one second would then look alike: so it
    is the change of the inode that counts.
    """
    found = {}
    for path in folder.rglob("*.py"):
        try:
            found[path] = path.stat().st_ctime_ns
        except FileNotFoundError:
            continue
    return found


class _Child:
    """A process that serves with the code as it was when it began."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        self._told, tells = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=_serve, args=(config, listening, tells))
        self._process.start()
        tells.close()

    def has_begun_or_ended(self, within_s: float) -> bool:
        """Tell whether it has begun to answer, or will not: either closes its end of the pipe."""
        return self._told.poll(within_s)

    def end(self) -> None:
        """End it; one that does not end of itself while it starts or shuts down is killed."""
        self._process.terminate()
        self._process.join(_ENDS_WITHIN_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._told.close()


class _Server(uvicorn.Server):
    """A server that closes its end of a pipe when it has begun to answer, and loses nobody when it ends."""

    def __init__(self, config: uvicorn.Config, tells: Connection) -> None:
        super().__init__(config)
        self._tells = tells

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and tell."""
        await super().startup(sockets)
        self._tells.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End once who is connected has been heard, and told with its answer to connect anew.

        A connection without a request is closed unanswered; and who asks over a port forward learns of that late.
        """
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await asyncio.sleep(_HEARS_S)
        await super().shutdown(sockets)


def _serve(config: uvicorn.Config, listening: socket.socket, tells: Connection) -> None:
    """Serve in a child, which ends on the signals as if it were alone, and imports each of our modules itself."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    _Server(config, tells).run(sockets=[listening])
