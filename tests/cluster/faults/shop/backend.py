# noqa: INP001  # the shop is no package
"""The shop's backend in the cluster: ready while its database and its redis answer. With `wait`, its init container."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import psycopg

DATABASE_URL = os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1)
CONNECT_S = 2


def lacks_table() -> str | None:
    """Return what keeps the database from being used."""
    try:
        with psycopg.connect(DATABASE_URL, connect_timeout=CONNECT_S) as connection:
            found = connection.execute("select to_regclass('public.orders')").fetchone()
    except psycopg.Error as error:
        return f"no database: {error}"
    return None if found and found[0] else "no table orders"


def lacks_redis() -> str | None:
    """Return what keeps redis from being used."""
    parts = urlsplit(os.environ["REDIS_URL"])
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=CONNECT_S) as wire:
            wire.sendall(b"PING\r\n")
            return None if wire.recv(16).startswith(b"+PONG") else "no PONG of redis"
    except OSError as error:
        return f"no redis: {error}"


class Handler(BaseHTTPRequestHandler):
    """Says that it is alive, and whether it is ready."""

    def do_GET(self) -> None:
        """Answer `/ready` by what it needs, and every other path with 200."""
        lack = (lacks_table() or lacks_redis()) if self.path == "/ready" else None
        if lack is not None:
            sys.stdout.write(f"not ready: {lack}\n")
            sys.stdout.flush()
        body = json.dumps({"status": "ok" if lack is None else lack}).encode()
        self.send_response(200 if lack is None else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Leave the log to what matters."""


if sys.argv[1:] == ["wait"]:
    while (lack := lacks_table()) is not None:
        sys.stdout.write(f"waiting for the migration: {lack}\n")
        sys.stdout.flush()
        time.sleep(0.5)
elif "HOARD_BYTES" in os.environ:
    hoard = bytearray(int(os.environ["HOARD_BYTES"]))
    time.sleep(60)
else:
    ThreadingHTTPServer(("0.0.0.0", 3000), Handler).serve_forever()  # noqa: S104  # a pod's own address
