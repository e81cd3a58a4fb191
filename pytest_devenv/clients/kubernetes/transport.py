"""Connections to one API server: made within a deadline, kept alive, shared by threads, closed together."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_devenv.clients.kubernetes import proxies, tls
from pytest_devenv.clients.kubernetes.errors import unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_devenv.clients.kubernetes.access import Access
    from pytest_devenv.clients.kubernetes.credentials import Credential, Credentials

_PORTS = {"http": 80, "https": 443}
_CHUNK_BYTES = 256 * 1024
_STALE = (ConnectionError, HTTPException, ssl.SSLEOFError)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """What begins every request to one server: its host, the path before every path, and who asks."""

    host: str
    base_path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)

    def request(self, method: str, target: str, headers: Mapping[str, str]) -> bytes:
        """Return a request without a body."""
        lines = [f"{method} {self.base_path}{target} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in (*self.headers, *headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Connection(HTTPConnection):
    """One connection, whose socket is made elsewhere."""

    def __init__(self, host: str, port: int, make: Callable[[], socket.socket], credential: Credential) -> None:
        super().__init__(host, port)
        self._make = make
        self.credential = credential
        self.wire: socket.socket | None = None  # http.client forgets its own when an answer is to be the last

    def connect(self) -> None:
        """Open the socket."""
        self.sock = self.wire = self._make()

    def expect_by(self, end: float) -> None:
        """Let the next wait end when all has to. Raises TimeoutError where that is past."""
        left_s = end - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        if self.wire is not None:
            self.wire.settimeout(left_s)


class Transport:
    """All connections to the server of one access; threads share it, and none holds a connection that another uses."""

    def __init__(self, access: Access, credentials: Credentials) -> None:
        self._access = access
        self._credentials = credentials
        parts = urlsplit(access.server)
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self._base_path = parts.path.rstrip("/")
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._closed = False
        self._contexts: dict[tuple[bytes, bytes] | None, ssl.SSLContext] = {}

    def exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], *, deadline_s: float
    ) -> Reply:
        """Send one request and return the whole answer. Raises UnreachableError, TargetError for no credentials.

        A kept connection that the server has closed meanwhile is replaced; a request that must not happen twice gets
        one of its own.
        """
        with self.translated(deadline_s):
            credential = self._credentials.current()  # a plugin has a deadline of its own
            end = time.monotonic() + deadline_s
            connection = None if method == "POST" else self._take(credential)
            if connection is not None:
                try:
                    return self._exchanged(connection, method, target, body, headers, end)
                except _STALE:
                    self._drop_idle()  # the others are as old
            return self._exchanged(self._new(credential, end), method, target, body, headers, end)

    @contextlib.contextmanager
    def streamed(self, target: str, headers: Mapping[str, str], *, deadline_s: float) -> Iterator[Stream]:
        """Send a GET whose answer has no end, and give it once it begins. Raises UnreachableError."""
        with self.translated(deadline_s):
            credential = self._credentials.current()
            end = time.monotonic() + deadline_s
            connection = self._new(credential, end)
            try:
                response = self._begun(connection, "GET", target, None, headers, end)
            except BaseException:
                connection.close()
                raise
        try:
            yield Stream(connection, response, lambda: self.translated(deadline_s))
        finally:
            response.close()
            connection.close()

    def opened(self, *, deadline_s: float) -> tuple[socket.socket, Head]:
        """Open a socket for what is no plain exchange, and give what begins a request on it.

        Raises UnreachableError, TargetError for no credentials.
        """
        with self.translated(deadline_s):
            credential = self._credentials.current()
            head = Head(f"{self._host}:{self._port}", self._base_path, self._headers(credential))
            return self._socket(credential, time.monotonic() + deadline_s), head

    def close(self) -> None:
        """Close every connection, those in use when they are given back; a later request opens one for itself."""
        self._closed = True
        self._drop_idle()

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchanged(
        self,
        connection: Connection,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        end: float,
    ) -> Reply:
        try:
            response = self._begun(connection, method, target, body, headers, end)
            text = bytearray()
            while chunk := response.read1(_CHUNK_BYTES):
                text += chunk
                connection.expect_by(end)
            _judge_whole(response)
            response.close()  # read1 leaves one of known length open, and the next request would find it
        except BaseException:
            connection.close()
            raise
        if response.will_close or self._closed:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        named = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, response.reason, named, bytes(text))

    def _begun(
        self,
        connection: Connection,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        end: float,
    ) -> HTTPResponse:
        connection.expect_by(end)
        connection.putrequest(method, self._base_path + target, skip_accept_encoding=True)
        for name, value in (*self._headers(connection.credential), *headers.items()):
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        connection.expect_by(end)
        return connection.getresponse()

    def _headers(self, credential: Credential) -> tuple[tuple[str, str], ...]:
        """Return what every request says of who asks."""
        given = credential.authorization
        authorization = () if given is None else (("Authorization", given),)
        acts_as = ((name, value) for name, values in self._access.login.acts_as.items() for value in values)
        return ("User-Agent", "pytest-devenv"), *authorization, *acts_as

    def _take(self, credential: Credential) -> Connection | None:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if connection.credential.certificate == credential.certificate:
                    connection.credential = credential
                    return connection
                connection.close()
        return None

    def _new(self, credential: Credential, end: float) -> Connection:
        return Connection(self._host, self._port, lambda: self._socket(credential, end), credential)

    def _socket(self, credential: Credential, end: float) -> socket.socket:
        left_s = max(0.001, end - time.monotonic())
        proxy = self._access.proxy or proxies.of_environment(self._host, self._port, tls=self._tls)
        if proxy is None:
            plain = socket.create_connection((self._host, self._port), timeout=left_s)
        else:
            plain = proxies.through(proxy, self._host, self._port, left_s)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._tls:
                return plain
            plain.settimeout(max(0.001, end - time.monotonic()))
            name = self._access.server_name or self._host
            return self._context(credential.certificate).wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise

    def _context(self, certificate: tuple[bytes, bytes] | None) -> ssl.SSLContext:
        with self._lock:
            if certificate not in self._contexts:
                self._contexts = {certificate: tls.context(self._access, certificate)}
            return self._contexts[certificate]

    @contextlib.contextmanager
    def translated(self, deadline_s: float) -> Iterator[None]:
        """Have what a socket raises within become UnreachableError."""
        try:
            yield
        except (OSError, HTTPException) as error:
            access = self._access
            trust = "the system" if access.authority is None else access.source
            raise unreachable(error, access, deadline_s=deadline_s, trust=trust) from error


class Stream:
    """An answer without an end, read in lines."""

    def __init__(
        self,
        connection: Connection,
        response: HTTPResponse,
        translated: Callable[[], contextlib.AbstractContextManager[None]],
    ) -> None:
        self._connection = connection
        self._response = response
        self._translated = translated
        self.status = response.status
        self.reason = response.reason

    def rest(self, *, deadline_s: float) -> bytes:
        """Return all that is left of an answer that does end, such as an error."""
        with self._translated():
            self._connection.expect_by(time.monotonic() + deadline_s)
            return self._response.read()

    def lines(self, silence_s: Callable[[], float]) -> Iterator[bytes]:
        """Yield each line as it comes, until the server ends the answer.

        Raises TimeoutError where nothing came for as long as `silence_s` allows, asked anew before each wait;
        UnreachableError where the connection breaks.
        """
        text = b""
        while True:
            with self._translated():
                self._connection.expect_by(time.monotonic() + max(0.001, silence_s()))
                try:
                    chunk = self._response.read1(_CHUNK_BYTES)
                except TimeoutError:
                    chunk = None
            if chunk is None:
                raise TimeoutError
            if not chunk:
                return
            *whole, text = (text + chunk).split(b"\n")
            yield from (line for line in whole if line.strip())


def _judge_whole(response: HTTPResponse) -> None:
    """Refuse an answer that was cut short, which `read1` does not."""
    if response.length:
        raise ConnectionResetError
