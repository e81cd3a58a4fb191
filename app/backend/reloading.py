"""Serving by a child that is replaced when the code changes: `python -m app.backend --reload`."""

import multiprocessing
import signal
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path
from types import FrameType

import uvicorn

LOOK_S = 0.05
_ENDS_WITHIN_S = 5.0
# What takes longest to import, and no edit of ours changes: each child has it from this process.
_KEPT = ("fastapi", "fastapi.middleware.cors", "uvicorn.lifespan.on", "uvicorn.protocols.http.auto")
_FORK = multiprocessing.get_context("fork")


def serve_anew_on_edits(server: uvicorn.Server, folder: Path) -> None:
    """Serve by a child until a signal ends this process, on a socket that it keeps; a new one for each edit.

    asyncio turns Nagle's algorithm off on sockets that it makes itself. On this one an answer's body would wait 40 ms
    for the client to acknowledge its headers; accepted connections have the option from the socket that listens.
    """
    listening = server.config.bind_socket()
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for module in _KEPT:
        import_module(module)
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    seen = _times(folder)
    child = _started(server, listening)
    while not ended.wait(LOOK_S):
        now = _times(folder)
        if now != seen:
            seen = now
            _end(child)
            child = _started(server, listening)
    _end(child)
    listening.close()


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


def _started(server: uvicorn.Server, listening: socket.socket) -> "multiprocessing.context.ForkProcess":
    child = _FORK.Process(target=_serve, args=(server, listening))
    child.start()
    return child


def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serve in a child, which ends on the signals as if it were alone, and imports each of our modules itself.

    It leaves no compiled module behind: Python would take it for that of the next edit, of the same second and length.
    """
    sys.dont_write_bytecode = True
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    for name in [each for each in sys.modules if each.startswith(f"{__package__}.")]:
        del sys.modules[name]
    server.run(sockets=[listening])


def _end(child: "multiprocessing.context.ForkProcess") -> None:
    """End a child; one that does not end of itself while it starts or shuts down is killed."""
    child.terminate()
    child.join(_ENDS_WITHIN_S)
    if child.is_alive():
        child.kill()
        child.join()
