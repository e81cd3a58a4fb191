"""Free ports for servers that cannot bind port 0 themselves."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"


@contextlib.contextmanager
def reserved_port() -> Iterator[int]:
    """Hold a free port of the loopback interface while a server starts on it.

    The socket is bound and never listens, with SO_REUSEADDR: on Linux the kernel then gives the port to nobody who asks
    for any port, while a server that asks for this one by number (with SO_REUSEADDR, as servers do) gets it. Elsewhere
    the reservation is let go at once. A stranger may still take it by number, so the caller looks whether its own
    child listens there, and else tries another.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with contextlib.closing(holder):
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        port: int = holder.getsockname()[1]
        if not _child_may_bind(port):
            holder.close()
        yield port


def _child_may_bind(port: int) -> bool:
    """Tell whether this system lets a second socket bind a port that is bound but not listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def accepts(port: int, *, within_s: float = 0.5) -> bool:
    """Tell whether something listens on this port of the loopback interface."""
    try:
        with socket.create_connection((HOST, port), timeout=within_s):
            return True
    except OSError:
        return False
