"""HTTP requests on one kept connection, each with a deadline; it follows no redirect and uses no proxy."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from http.client import HTTPConnection, HTTPResponse

    from pytest_devenv.endpoint import Endpoint

MOST_BODY_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: its body as far as `MOST_BODY_BYTES`, and the time from the request to its end."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    took_s: float

    @property
    def content_type(self) -> str:
        """The media type, in lower case and without parameters; empty where the answer names none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", errors="replace")


class Session:
    """A connection to one HTTP service, kept from one request to the next."""

    def __init__(self, connection: HTTPConnection, base_path: str, deadline_s: float) -> None:
        self._connection = connection
        self._base_path = base_path.rstrip("/")
        self._deadline_s = deadline_s

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now: none before the first request, or after an answer that closed it."""
        return self._connection.sock is not None

    def get(self, path: str) -> Answer:
        """Request a path within the deadline.

        Raises what `http.client` and the socket raise: `OSError`, `TimeoutError`, `http.client.HTTPException`.
        """
        began = time.monotonic()
        self._expect_by(began)
        target = self._base_path + (path if path.startswith("/") else f"/{path}")
        headers = {"Accept": "*/*", "User-Agent": "pytest-devenv"}
        self._connection.request("GET", target, headers=headers)
        self._expect_by(began)
        response = self._connection.getresponse()
        body = self._body(response, began)
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, response.reason, named, body, time.monotonic() - began)

    def _body(self, response: HTTPResponse, began: float) -> bytes:
        from http.client import IncompleteRead

        body = b""
        while len(body) < MOST_BODY_BYTES and (chunk := response.read1(MOST_BODY_BYTES - len(body))):
            body += chunk
            self._expect_by(began)
        if len(body) >= MOST_BODY_BYTES:
            self._connection.close()
        elif response.length:  # the connection was closed, and read1 does not say so
            raise IncompleteRead(body, response.length)
        else:
            response.close()
        return body

    def _expect_by(self, began: float) -> None:
        """Let the next wait on the socket end when the whole request has to."""
        left_s = self._deadline_s - (time.monotonic() - began)
        if left_s <= 0:
            msg = f"no whole answer within {self._deadline_s:g} s"
            raise TimeoutError(msg)
        self._connection.timeout = left_s
        if self._connection.sock is not None:
            self._connection.sock.settimeout(left_s)


@contextmanager
def session(endpoint: Endpoint, *, deadline_s: float = 5.0) -> Iterator[Session]:
    """Open a session; the connection is made by the first request."""
    from http.client import HTTPConnection, HTTPSConnection

    make = HTTPSConnection if endpoint.tls else HTTPConnection
    connection = make(endpoint.host, endpoint.port, timeout=deadline_s)
    try:
        yield Session(connection, endpoint.path, deadline_s)
    finally:
        connection.close()
