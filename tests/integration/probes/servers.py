"""Servers that misbehave in one way each, on a port of their own."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Handler = Callable[[socket.socket, threading.Event], None]


@contextmanager
def serving(handle: Handler) -> Iterator[int]:
    """Serve every connection with `handle` in a thread, and give the port; its event is set when all is over."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            handle(connection, over)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=serve, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (acceptor, *threads):
                thread.join(timeout=5)


@contextmanager
def closed_port() -> Iterator[int]:
    """Give a port at which nothing listens, and that nobody else gets meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def silent(_: socket.socket, over: threading.Event) -> None:
    """Take the connection and say nothing."""
    over.wait(timeout=30)


def hanging_up(connection: socket.socket, _: threading.Event) -> None:
    """Listen to the first words, and hang up, as a dead port forward does."""
    connection.recv(4096)


def resetting(connection: socket.socket, _: threading.Event) -> None:
    """Listen to the first words, and reset the connection."""
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answering(answer: bytes, *, after_s: float = 0.0) -> Handler:
    """Make a handler that says the same to whatever it hears, some time later."""

    def handle(connection: socket.socket, over: threading.Event) -> None:
        while connection.recv(4096):
            over.wait(timeout=after_s)
            connection.sendall(answer)

    return handle


def http(
    body: bytes, *, status: str = "200 OK", kind: str = "application/json", headers: str = "", after_s: float = 0.0
) -> Handler:
    """Make a handler that gives one HTTP answer to every request."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return answering(head.encode() + body, after_s=after_s)


def cut_off(answer: bytes) -> Handler:
    """Make a handler that says something and hangs up."""

    def handle(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    return handle


def postgres_refusing(sqlstate: str, message: str) -> Handler:
    """Make a handler that speaks PostgreSQL's protocol as far as an error at the start of the session."""

    def handle(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(8)
        connection.sendall(b"N")
        connection.recv(4096)
        fields = b"".join(
            code + text.encode() + b"\0"
            for code, text in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", sqlstate), (b"M", message))
        )
        connection.sendall(b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0")

    return handle


def redis_refusing(error: str) -> Handler:
    """Make a handler that speaks Redis's protocol: it lets everybody in, and answers every command with an error."""

    def handle(connection: socket.socket, _: threading.Event) -> None:
        while said := connection.recv(4096):
            for command in said.split(b"*")[1:]:
                known = b"CLIENT" in command or b"SELECT" in command
                connection.sendall(b"+OK\r\n" if known else f"-{error}\r\n".encode())

    return handle
