"""Servers that misbehave in one way each, in a thread of the test."""

from __future__ import annotations

import contextlib
import enum
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW_S = 0.6
HANGING_S = 30.0


class Manner(enum.Enum):
    """How a server answers."""

    JSON = "as it should, in JSON"
    HTML = "a page"
    BROKEN = "status 500"
    HANGING = "never"
    CLOSING = "by closing the connection"
    SLOW = "as it should, in JSON, and late"


@contextlib.contextmanager
def serving(manner: Manner) -> Iterator[str]:
    """Serve in this manner on a free port of the loopback interface, and give the URL."""
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if manner is Manner.HANGING:
                released.wait(HANGING_S)
            elif manner is Manner.SLOW:
                time.sleep(SLOW_S)
            if manner in {Manner.CLOSING, Manner.HANGING}:
                self.close_connection = True
                return
            page = manner is Manner.HTML
            body = b"<!doctype html><title>shop</title>" if page else b'{"status": "ok"}'
            self.send_response(500 if manner is Manner.BROKEN else 200)
            self.send_header("Content-Type", "text/html" if page else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            released.set()


@contextlib.contextmanager
def stranger() -> Iterator[int]:
    """Serve a protocol that no service of the shop speaks, and give the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while self.request.recv(4096):
                self.request.sendall(b"220 mail.shop.test ready\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _running(Server(("127.0.0.1", 0), Handler)) as port:
        yield port


@contextlib.contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
