"""A port of this machine that leads to a ready pod, whichever that is when somebody connects."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Self

from pytest_devenv.clients.kubernetes.errors import ApiError, said
from pytest_devenv.clients.kubernetes.pods import Place, path_of, place_of
from pytest_devenv.clients.kubernetes.websocket import WebSocket, upgraded
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pytest_devenv.clients.kubernetes.api import Api

HOST = "127.0.0.1"
# https://kubernetes.io/docs/reference/: two channels a port, of which the first message is the port itself
_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_CHUNK_BYTES = 64 * 1024
_FULL_BYTES = 1024 * 1024
_FRESH_S = 1.0
_SILENCE_S = 5.0
_ATTEMPTS = 3


class Forward:
    """A listener on a free port of this machine, whose connections go to a ready pod of `subject`.

    The pod is looked for when somebody connects: one that was replaced is found anew, and one that is broken keeps
    nobody from opening an environment. `problem` is why a connection did not get through; None once one is answered.
    Use it as a context manager: its connections and threads end with it.
    """

    def __init__(self, api: Api, namespace: str, subject: str, port: int) -> None:
        self._api = api
        self._namespace = namespace
        self._subject = subject
        self._port = port
        self._lock = threading.Lock()
        self._place: tuple[Place, float] | None = None
        self._acceptor = threading.Thread(target=self._accept, name=f"forward {subject}", daemon=True)
        self._threads: list[threading.Thread] = []
        self._ended, self._ending = socket.socketpair()
        self._listener = socket.create_server((HOST, 0), backlog=64)
        self.problem: TargetError | None = None

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port on this machine."""
        return int(self._listener.getsockname()[1])

    def verify(self, *, deadline_s: float, refusal_s: float) -> None:
        """Open the way to the pod once. Raises TargetError where it does not open, or nothing listens at its end.

        That nothing listens the pod's node tells soon after the way is open: it is given `refusal_s` seconds for that.
        """
        end, begun, error = time.monotonic() + deadline_s, set[int](), ""
        with self._opened() as remote:
            while not remote.closed and not error:
                try:
                    remote.wait(end)
                except TimeoutError:
                    break
                for message in remote.messages():
                    channel, payload = message[0], message[1:]
                    if channel == _ERROR and channel in begun:
                        error += payload.decode(errors="replace")
                    elif channel in begun:
                        return  # a server that speaks first
                    begun.add(channel)
                    end = time.monotonic() + refusal_s if begun == {_DATA, _ERROR} else end
        if error or begun != {_DATA, _ERROR}:
            self._forget()
            raise self._refusal(error or "no way to the pod")

    def close(self) -> None:
        """End every connection, and return when all threads have ended."""
        self._ending.close()  # which all of them watch
        self._acceptor.join()
        for thread in self._threads:
            thread.join()
        self._listener.close()
        self._ended.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._ended, selectors.EVENT_READ)
            while not any(key.fileobj is self._ended for key, _ in selector.select()):
                with contextlib.suppress(OSError):
                    connection, _ = self._listener.accept()
                    thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                    self._threads = [each for each in self._threads if each.is_alive()] + [thread]
                    thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                remote = self._opened()
            except TargetError as error:
                self.problem = error
                _reset(connection)
                return
            with remote:
                error_text = _Pump(connection, remote, self._ended, self._got_through).run()
            if error_text:
                self._forget()
                self.problem = self._refusal(error_text)
                _reset(connection)

    def _got_through(self) -> None:
        self.problem = None

    def _opened(self) -> WebSocket:
        """Open a forward to a ready pod; a pod that has gone since it was found is looked for anew."""
        attempt = 1
        while True:
            place = self._found()
            path = f"{path_of('pod', self._namespace, place.pod)}/portforward?ports={place.port}"
            try:
                return upgraded(self._api, path, _PROTOCOL)
            except ApiError:
                self._forget()
                if attempt == _ATTEMPTS:
                    raise
                attempt += 1

    def _found(self) -> Place:
        with self._lock:
            if self._place is None or time.monotonic() - self._place[1] > _FRESH_S:
                place = place_of(self._api, self._namespace, self._subject, self._port)
                self._place = (place, time.monotonic())
            return self._place[0]

    def _forget(self) -> None:
        with self._lock:
            self._place = None

    def _refusal(self, text: str) -> TargetError:
        refused = "connection refused" in text
        found = "connection refused: nothing listens there" if refused else " ".join(text.split())
        msg = (
            f"{self._subject} takes no connection at port {self._port}\n"
            f"  expected: a server at port {self._port} of its pod\n  found: {found}\n"
            f"  where: namespace {self._namespace}, {said(self._api.access.context)}"
        )
        line = f"{self._api.access.kubectl} --namespace {self._namespace} logs {self._subject}"
        return TargetError(msg, remedy=line)


class _Pump:
    """One connection: bytes go both ways until one side ends, or the forward does."""

    def __init__(
        self, local: socket.socket, remote: WebSocket, ended: socket.socket, answered: Callable[[], None]
    ) -> None:
        local.setblocking(False)  # noqa: FBT003  # socket's own
        local.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._local = local
        self._remote = remote
        self._ended = ended
        self._answered = answered
        self._out = bytearray()
        self._begun: set[int] = set()
        self._error = ""
        self._said_all = False

    def run(self) -> str:
        """Pump, and return what the other end said where it could not connect.

        When the client has said all it has to say, answers still pass; after some silence that is the end, since this
        protocol cannot tell the server so.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._ended, selectors.EVENT_READ)
            selector.register(self._remote, selectors.EVENT_READ)
            selector.register(self._local, selectors.EVENT_READ)
            while True:
                self._turn()  # first of all: what came with the answer to the handshake wakes no selector
                if (self._remote.closed or self._error) and not self._out:
                    return self._error
                self._await(selector)
                ready = selector.select(_SILENCE_S if self._said_all else None)
                if not ready or any(key.fileobj is self._ended for key, _ in ready):
                    return self._error

    def _await(self, selector: selectors.BaseSelector) -> None:
        """Wait for what can go on: nothing is read from one side faster than the other takes it."""
        remote = (selectors.EVENT_READ if len(self._out) < _FULL_BYTES else 0) | (
            selectors.EVENT_WRITE if self._remote.waiting_bytes else 0
        )
        local = (selectors.EVENT_READ if not self._said_all and self._remote.waiting_bytes < _FULL_BYTES else 0) | (
            selectors.EVENT_WRITE if self._out else 0
        )
        for each, events in ((self._remote, 0 if self._remote.closed else remote), (self._local, local)):
            known = selector.get_map().get(each)
            if known is None and events:
                selector.register(each, events)
            elif known is not None and not events:
                selector.unregister(each)
            elif known is not None and known.events != events:
                selector.modify(each, events)

    def _turn(self) -> None:
        if not self._said_all and self._remote.waiting_bytes < _FULL_BYTES:
            self._take()
        self._remote.flush()
        if len(self._out) < _FULL_BYTES:
            for message in self._remote.messages():
                self._give(message)
        try:
            while self._out:
                del self._out[: self._local.send(memoryview(self._out)[:_CHUNK_BYTES].tobytes())]
        except BlockingIOError:
            pass
        except OSError:
            self._out.clear()
            self._remote.closed = True

    def _take(self) -> None:
        try:
            chunk = self._local.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if chunk:
            self._remote.queue(bytes([_DATA]) + chunk)
        else:
            self._said_all = True

    def _give(self, message: bytes) -> None:
        if not message:
            return
        channel, payload = message[0], message[1:]
        if channel not in self._begun:
            self._begun.add(channel)  # the port, by which the other end says that the channel is open
        elif channel == _DATA:
            self._answered()
            self._out += payload
        elif channel == _ERROR:
            self._error += payload.decode(errors="replace")


def _reset(connection: socket.socket) -> None:
    """Have the client see a reset and no orderly end, which would look like a server that answered nothing."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
