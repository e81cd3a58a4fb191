"""The catalogue's service: it says that it is alive."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Catalogue(BaseHTTPRequestHandler):
    """Answers every request alike."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say that the service is alive."""
        body = b'{"alive": true}'
        self.send_response(200 if self.path == "/alive" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Catalogue).serve_forever()
