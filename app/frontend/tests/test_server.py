"""The server of the embedded target."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[3]
API_URL = "http://localhost:3210"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run the server on a free port and give its host and port."""
    environment = {"PATH": os.environ["PATH"], "VITE_API_URL": API_URL, "VITE_ENVIRONMENT": "test"}
    command = [sys.executable, "-m", "app.frontend", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        yield urlsplit(process.stderr.readline().removeprefix("running on ").strip()).netloc
        process.terminate()


@pytest.fixture
def connection(address: str) -> Iterator[http.client.HTTPConnection]:
    """Open one connection to the server."""
    opened = http.client.HTTPConnection(address, timeout=5)
    yield opened
    opened.close()


def _get(connection: http.client.HTTPConnection, path: str, method: str = "GET") -> tuple[int, str, str]:
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.headers["Content-Type"], answer.read().decode()


def test_one_connection_gets_every_file_of_the_page(connection: http.client.HTTPConnection) -> None:
    """The connection stays open between requests, and each file has its type."""
    status, content_type, body = _get(connection, "/")
    opened = connection.sock
    assert (status, content_type) == (200, "text/html; charset=utf-8")
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', body):
        status, content_type, _ = _get(connection, path)
        assert status == 200
        assert content_type.startswith("text/css" if path.endswith(".css") else "text/javascript")
    assert connection.sock is opened


def test_the_page_is_told_where_the_api_is(connection: http.client.HTTPConnection) -> None:
    """The configuration comes from the environment, and the browser may talk to that address and no other."""
    _, _, body = _get(connection, "/config.js")
    configuration = json.loads(body.removeprefix("export const config = ").rstrip(";\n"))
    assert configuration == {"apiUrl": API_URL, "environment": "test"}
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    assert answer.headers["Content-Security-Policy"].endswith(f"connect-src {API_URL}")


@pytest.mark.parametrize("path", ["/nowhere", "/__main__.py", "/../backend/version.txt", "/tests/test_page.py"])
def test_only_the_page_is_served(connection: http.client.HTTPConnection, path: str) -> None:
    """No other file can be read."""
    assert _get(connection, path)[0] == 404


def test_a_head_request_has_no_body(connection: http.client.HTTPConnection) -> None:
    """A look at the headers costs no more than that, and leaves the connection usable."""
    assert _get(connection, "/", "HEAD") == (200, "text/html; charset=utf-8", "")
    assert _get(connection, "/")[0] == 200
