"""Connections to Redis and Valkey, each with a deadline: a few words of the protocol, and the library's client."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

    import redis

    from pytest_devenv.endpoint import Endpoint

CLIENT_NAME = "pytest-devenv"
_MOST_LINE_BYTES = 65536


class ReplyError(Exception):
    """What the server answered was an error: `code` is its first word, such as NOAUTH, `text` the rest."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.code, _, self.text = line.partition(" ")


class ForeignReplyError(Exception):
    """What was answered is not in Redis's protocol."""


class HandshakeTimeoutError(TimeoutError):
    """The server was reached, and did not answer to TLS."""


class Conversation:
    """A connection on which commands are put one after another."""

    def __init__(self, connection: socket.socket, replies: BufferedReader) -> None:
        self._connection = connection
        self._replies = replies

    def ask(self, *words: str) -> str | int | None:
        """Put a command and return its answer: text, a number, or nothing.

        Raises `ReplyError` for the server's own errors, and `ForeignReplyError` and `OSError` for what is none of its.
        """
        parts = [word.encode() for word in words]
        sent = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._connection.sendall(b"*%d\r\n%s" % (len(parts), sent))
        return self._reply()

    def _reply(self) -> str | int | None:
        line = self._replies.readline(_MOST_LINE_BYTES)
        if not line:
            raise ConnectionResetError("the connection was closed")
        kind, rest = line[:1], line[1:].rstrip(b"\r\n").decode(errors="replace")
        if kind == b"-":
            raise ReplyError(rest)
        if kind == b"+":
            return rest
        if kind in b":$" and line.endswith(b"\r\n") and rest.lstrip("-").isdigit():
            if kind == b":":
                return int(rest)
            return None if rest.startswith("-") else self._bulk(int(rest))
        raise ForeignReplyError(line.decode(errors="replace").strip())

    def _bulk(self, size: int) -> str:
        data = self._replies.read(size + 2)
        if len(data) < size + 2:
            raise ConnectionResetError("the connection was closed in the middle of an answer")
        return data[:-2].decode(errors="replace")


@contextmanager
def conversation(endpoint: Endpoint, *, deadline_s: float = 5.0) -> Iterator[Conversation]:
    """Connect, log in where the endpoint knows a password, and give the connection.

    Each wait ends within `deadline_s` seconds. The library's client costs a tenth of a second to import, which is more
    than all that a look at a healthy server takes.
    """
    with socket.create_connection((endpoint.host, endpoint.port), timeout=deadline_s) as plain:
        secured = _secured(plain, endpoint) if endpoint.tls else plain
        with secured, secured.makefile("rb") as replies:
            talk = Conversation(secured, replies)
            if endpoint.password is not None:
                user = () if endpoint.user is None else (endpoint.user,)
                talk.ask("AUTH", *user, endpoint.password.reveal())
            if _logical(endpoint):
                talk.ask("SELECT", str(_logical(endpoint)))
            yield talk


@contextmanager
def connected(endpoint: Endpoint, *, deadline_s: float = 5.0) -> Iterator[redis.Redis]:
    """Open the library's client, whose every call ends within `deadline_s` seconds; nothing is sent before the first.

    Calls raise `redis.RedisError`. The library's own retries are off: they would hide that a server is not there.
    """
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client = redis.Redis(
        host=endpoint.host,
        port=endpoint.port,
        db=_logical(endpoint),
        username=endpoint.user,
        password=None if endpoint.password is None else endpoint.password.reveal(),
        ssl=endpoint.tls,
        socket_timeout=deadline_s,
        socket_connect_timeout=deadline_s,
        retry=Retry(NoBackoff(), 0),
        client_name=CLIENT_NAME,
        decode_responses=True,
        protocol=2,
    )
    try:
        yield client
    finally:
        client.close()


def _secured(plain: socket.socket, endpoint: Endpoint) -> socket.socket:
    import ssl

    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=endpoint.host)
    except TimeoutError as error:
        raise HandshakeTimeoutError("no answer to the TLS handshake") from error


def _logical(endpoint: Endpoint) -> int:
    """Return the number of the logical database, which is the path of a redis URL."""
    return int(endpoint.path.strip("/") or 0)
