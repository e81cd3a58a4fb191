"""Serve the page: `python -m app.frontend --port 5000`; in a cluster nginx does."""

import argparse
import json
import os
import sys
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer

_HERE = Path(__file__).parent
_PAGE = {
    "/": ("index.html", "text/html"),
    "/style.css": ("style.css", "text/css"),
    "/app.js": ("app.js", "text/javascript"),
    "/rules.js": ("rules.js", "text/javascript"),
}


class Handler(BaseHTTPRequestHandler):
    """Answers with the page's files, read anew for each request so that an edit shows at once."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """Send one of the page's files."""
        path = self.path.partition("?")[0]
        if path == "/config.js":
            self._send(HTTPStatus.OK, "text/javascript", _configuration())
        elif path in _PAGE:
            name, content_type = _PAGE[path]
            self._send(HTTPStatus.OK, content_type, (_HERE / name).read_bytes())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such page.\n")

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", f"default-src 'self'; img-src data:; connect-src {_api_url()}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Serves each connection in a thread of its own."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind without looking up a name for the address, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


def _api_url() -> str:
    return os.environ.get("VITE_API_URL", "http://localhost:3000")


def _configuration() -> bytes:
    """Make the module that tells the page where the API is, as nginx.conf.template does."""
    configuration = {"apiUrl": _api_url(), "environment": os.environ.get("VITE_ENVIRONMENT", "development")}
    return f"export const config = {json.dumps(configuration)};\n".encode()


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m app.frontend", description=__doc__)
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"), help="address to bind (HOST)")
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "5000"), help="port to bind (PORT)")
    options = parser.parse_args()
    with Server((options.host, options.port), Handler) as server, suppress(KeyboardInterrupt):
        sys.stderr.write(f"running on http://{options.host}:{server.server_port}\n")
        server.serve_forever()


if __name__ == "__main__":
    main()
