"""WebSockets to an API server, which never block: https://www.rfc-editor.org/rfc/rfc6455.

Exec and port-forward run over them. The standard library has none, and a package for them takes longer to import than
a run may take; of the protocol a client needs little.
"""

from __future__ import annotations

import base64
import hashlib
import os
import selectors
import ssl
import struct
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

from pytest_devenv.clients.kubernetes.transport import Reply

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from types import TracebackType

    from pytest_devenv.clients.kubernetes.api import Api

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CHUNK_BYTES = 64 * 1024
_HEAD_BYTES = 64 * 1024
_SHORT = 126
_LONG = 127
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING = 0x0, 0x1, 0x2, 0x8, 0x9
_PONG = 0xA
_FINAL = 0x80
_WAITS = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError, InterruptedError)


class WebSocket:
    """One open WebSocket. Nothing here waits: `fileno` is for a selector, and one thread at a time may use it.

    `closed` tells that the other side has ended it, or the connection is gone; `protocol` is the one that it chose.
    """

    def __init__(self, wire: socket.socket, protocol: str, early: bytes = b"") -> None:
        wire.setblocking(False)  # noqa: FBT003  # socket's own
        self._wire = wire
        self._in = bytearray(early)
        self._early = bool(early)
        self._out = bytearray()
        self._parts = bytearray()
        self.protocol = protocol
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """Return what a selector waits on."""
        return self._wire.fileno()

    @property
    def waiting_bytes(self) -> int:
        """How much is yet to be sent."""
        return len(self._out)

    def queue(self, payload: bytes) -> None:
        """Have a message sent, as far as `flush` comes."""
        self._queue(_BINARY, payload)

    def flush(self) -> None:
        """Send what the connection takes now."""
        try:
            while self._out:
                sent = self._wire.send(memoryview(self._out)[:_CHUNK_BYTES].tobytes())
                del self._out[:sent]
        except _WAITS:
            pass
        except OSError:
            self.closed = True

    def messages(self) -> Iterator[bytes]:
        """Yield each whole message that has arrived by now."""
        yield from self._whole()
        while not self.closed:
            try:
                chunk = self._wire.recv(_CHUNK_BYTES)
            except _WAITS:
                return
            except OSError:
                chunk = b""
            if not chunk:
                self.closed = True
                return
            self._in += chunk
            yield from self._whole()

    def wait(self, end: float) -> None:
        """Wait until something arrives, or can be sent where something is to be. Raises TimeoutError at `end`."""
        if self._early:  # what came with the answer to the handshake is there already
            self._early = False
            return
        left_s = end - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        with selectors.DefaultSelector() as selector:
            selector.register(self, selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0))
            selector.select(left_s)

    def close(self) -> None:
        """Say goodbye as far as that takes no time, and close the connection."""
        if not self.closed:
            self._queue(_CLOSE, struct.pack("!H", 1000))
            self.flush()
        self.closed = True
        self._wire.close()

    def _queue(self, opcode: int, payload: bytes) -> None:
        mask, size = os.urandom(4), len(payload)
        if size < _SHORT:
            head = struct.pack("!BB", _FINAL | opcode, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", _FINAL | opcode, 0x80 | _SHORT, size)
        else:
            head = struct.pack("!BBQ", _FINAL | opcode, 0x80 | _LONG, size)
        self._out += head + mask + _masked(payload, mask)

    def _whole(self) -> Iterator[bytes]:
        while (frame := self._frame()) is not None:
            final, opcode, payload = frame
            if opcode == _CLOSE:
                self.closed = True
                return
            if opcode == _PING:
                self._queue(_PONG, payload)
                self.flush()
            elif opcode in {_CONTINUATION, _TEXT, _BINARY}:
                self._parts += payload
                if final:
                    message, self._parts = bytes(self._parts), bytearray()
                    yield message

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """Take one frame out of what has arrived; None where none is whole yet. A server masks nothing."""
        if len(self._in) < 2:  # noqa: PLR2004  # the shortest head
            return None
        first, size = self._in[0], self._in[1] & 0x7F
        begin = 2
        if size in {_SHORT, _LONG}:
            form = "!H" if size == _SHORT else "!Q"
            begin += struct.calcsize(form)
            if len(self._in) < begin:
                return None
            (size,) = struct.unpack_from(form, self._in, 2)
        if len(self._in) < begin + size:
            return None
        payload = bytes(self._in[begin : begin + size])
        del self._in[: begin + size]
        return bool(first & _FINAL), first & 0x0F, payload


def upgraded(api: Api, path: str, *protocols: str) -> WebSocket:
    """Open a WebSocket at a path with its query, in one of these subprotocols, within the API's deadline.

    Raises ApiError where the server refuses, UnreachableError where it does not answer.
    """
    end = time.monotonic() + api.deadline_s
    wire, head = api.transport.opened(deadline_s=api.deadline_s)
    key = base64.b64encode(os.urandom(16)).decode()
    own = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": ", ".join(protocols),
    }
    try:
        with api.transport.translated(api.deadline_s):
            wire.sendall(head.request("GET", path, own))
            reply, early = _answer(wire, end)
        _judge(api, path, reply, key, protocols)
    except BaseException:
        wire.close()
        raise
    return WebSocket(wire, reply.headers["sec-websocket-protocol"], early)


def _judge(api: Api, path: str, reply: Reply, key: str, protocols: tuple[str, ...]) -> None:
    """Refuse an answer that opens no WebSocket, or one that we would not understand."""
    if reply.status != HTTPStatus.SWITCHING_PROTOCOLS:
        raise api.refusal("POST", path, reply)
    accepted = base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
    headers = reply.headers
    if headers.get("sec-websocket-accept") != accepted or headers.get("sec-websocket-protocol") not in protocols:
        raise api.refusal("POST", path, Reply(reply.status, f"no WebSocket in {' or '.join(protocols)}", {}, b""))


def _answer(wire: socket.socket, end: float) -> tuple[Reply, bytes]:
    """Read the answer to an upgrade, and what came after it. Raises OSError."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += _more(wire, end)
        if len(text) > _HEAD_BYTES:
            msg = "an answer without an end of its head"
            raise OSError(msg)
    head, _, rest = text.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    _, status, reason = [*first.split(" ", 2), "", ""][:3]
    named = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if not status.isdecimal():
        msg = "an answer that is no HTTP"
        raise OSError(msg)
    if int(status) == HTTPStatus.SWITCHING_PROTOCOLS:
        return Reply(int(status), reason, named, b""), rest
    length = named.get("content-length", "")
    while length.isdecimal() and len(rest) < int(length):
        rest += _more(wire, end)
    return Reply(int(status), reason, named, rest), b""


def _more(wire: socket.socket, end: float) -> bytes:
    wire.settimeout(max(0.001, end - time.monotonic()))
    chunk = wire.recv(_CHUNK_BYTES)
    if not chunk:
        raise ConnectionResetError
    return chunk


def _masked(payload: bytes, mask: bytes) -> bytes:
    """Return the payload under its mask; as two large numbers, since that is not done byte by byte."""
    size = len(payload)
    whole = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(whole)).to_bytes(size)
