# noqa: INP001  # the page is no package
"""A page that shows a file, read for each request, and its own code; with `--reload` it starts again on an edit."""

from __future__ import annotations

import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CODE = "code"
HERE = Path(__file__)


class Handler(BaseHTTPRequestHandler):
    """Answers every path."""

    protocol_version = "HTTP/1.0" if "--closes" in sys.argv else "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Give the file and the code."""
        body = f"{HERE.with_name('text.txt').read_text()} {CODE}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: it is asked very often."""


def reload() -> None:
    """Start this program again as soon as its file is newer."""
    known = HERE.stat().st_mtime_ns
    while HERE.stat().st_mtime_ns <= known:
        time.sleep(0.02)
    os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606  # no shell


if "--reload" in sys.argv:
    threading.Thread(target=reload, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
