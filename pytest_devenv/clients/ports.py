"""What answers at a port: the first words of each protocol, within a deadline."""

from __future__ import annotations

import enum
import socket
import ssl
import struct
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.settings import ServiceKind

if TYPE_CHECKING:
    from pytest_devenv.endpoint import Endpoint

# https://www.postgresql.org/docs/current/protocol-message-formats.html: SSLRequest
_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_MOST_BYTES = 64


class Greeting(enum.Enum):
    """What came of saying hello."""

    SPEAKS = "speaks its protocol"
    FOREIGN = "answers in another protocol"
    SILENT = "takes the connection and says nothing"
    HANGS_UP = "closes the connection without an answer"
    CLOSED = "refuses the connection"


@dataclass(frozen=True, slots=True)
class Greeted:
    """What came of saying hello, and the first bytes that were said, as text."""

    greeting: Greeting
    said: str = ""


def greet(endpoint: Endpoint, *, path: str = "/", deadline_s: float = 5.0) -> Greeted:
    """Say the first words of the endpoint's protocol, and judge the answer; nothing is read or changed there.

    Raises `OSError` for a host that cannot be reached at all.
    """
    end = time.monotonic() + deadline_s
    try:
        with closing(_connection(endpoint, deadline_s)) as connection:
            connection.sendall(_hello(endpoint, path))
            said = _first_bytes(connection, end)
    except ConnectionRefusedError:
        return Greeted(Greeting.CLOSED)
    except TimeoutError:
        return Greeted(Greeting.SILENT)
    except ssl.SSLError:
        return Greeted(Greeting.FOREIGN, "no TLS")
    except (ConnectionResetError, BrokenPipeError):
        return Greeted(Greeting.HANGS_UP)
    if not said:
        return Greeted(Greeting.HANGS_UP)
    speaks = _is_answer(endpoint.kind, said)
    text = said.decode("ascii", errors="replace").splitlines()[0] if said.splitlines() else ""
    return Greeted(Greeting.SPEAKS if speaks else Greeting.FOREIGN, text)


def _connection(endpoint: Endpoint, deadline_s: float) -> socket.socket:
    plain = socket.create_connection((endpoint.host, endpoint.port), timeout=deadline_s)
    if not endpoint.tls or endpoint.kind is ServiceKind.POSTGRES:
        return plain
    context = ssl.create_default_context()  # whether the certificate is trusted is the service's own probe's to say
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(plain, server_hostname=endpoint.host)
    except BaseException:
        plain.close()
        raise


def _hello(endpoint: Endpoint, path: str) -> bytes:
    match endpoint.kind:
        case ServiceKind.POSTGRES:
            return _SSL_REQUEST
        case ServiceKind.REDIS:
            return b"PING\r\n"
        case _:
            head = f"GET {endpoint.path.rstrip('/')}{path} HTTP/1.1\r\nHost: {endpoint.address}\r\n"
            return f"{head}User-Agent: pytest-devenv\r\nConnection: close\r\n\r\n".encode()


def _first_bytes(connection: socket.socket, end: float) -> bytes:
    """Return the beginning of the answer: a whole line, or the single byte that PostgreSQL sends."""
    said = b""
    while len(said) < _MOST_BYTES and b"\n" not in said:
        left_s = end - time.monotonic()
        if said and left_s <= 0:
            break
        connection.settimeout(max(0.001, left_s if not said else min(left_s, 0.05)))
        try:
            chunk = connection.recv(_MOST_BYTES - len(said))
        except TimeoutError:
            if said:
                break
            raise
        if not chunk:
            break
        said += chunk
    return said


def _is_answer(kind: ServiceKind, said: bytes) -> bool:
    match kind:
        case ServiceKind.POSTGRES:
            return said[:1] in {b"S", b"N"} and len(said) == 1
        case ServiceKind.REDIS:
            return said.startswith(
                (b"+PONG", b"-NOAUTH", b"-LOADING", b"-DENIED", b"-ERR max", b"-NOPERM", b"-MASTERDOWN")
            )
        case _:
            return said.startswith(b"HTTP/")
