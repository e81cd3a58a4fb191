"""An API server behind an HTTP proxy."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.kubernetes import UnreachableError
from tests.integration.clients.kubernetes.listener import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.clients.kubernetes.conftest import Asks, Listens


class Proxy:
    """A proxy on a port of this machine that makes one tunnel, or refuses to."""

    def __init__(self, status: str) -> None:
        self.asked: list[str] = []
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """End it."""
        self._listener.close()
        self._thread.join(60)

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
            self.asked.append(head.split(b"\r\n")[0].decode())
            connection.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if self._status.startswith("200"):
                host, _, port = self.asked[0].split()[1].rpartition(":")
                with socket.create_connection((host, int(port)), timeout=180) as server:
                    back = threading.Thread(target=_copy, args=(server, connection), daemon=True)
                    back.start()
                    _copy(connection, server)
                    back.join(60)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxies() -> Iterator[list[Proxy]]:
    """Give a list whose proxies end with the test."""
    made: list[Proxy] = []
    yield made
    for proxy in made:
        proxy.close()


def test_a_proxy_of_the_kubeconfig_is_gone_through(listens: Listens, asks: Asks, proxies: list[Proxy]) -> None:
    """TLS is spoken with the API server itself, through the tunnel that the proxy makes."""
    listener = listens(Answer(body={"kind": "Pod"}))
    proxies.append(Proxy("200 made"))
    api = asks(listener.kubeconfig(cluster={"proxy-url": proxies[0].url}))
    assert api.get("/api/v1/namespaces/shop/pods/web") == {"kind": "Pod"}
    assert proxies[0].asked == [f"CONNECT 127.0.0.1:{listener.port} HTTP/1.1"]
    api.close()


def test_a_proxy_that_refuses_is_told(listens: Listens, asks: Asks, proxies: list[Proxy]) -> None:
    """What the proxy said is the reason why the API server was not reached."""
    listener = listens(Answer())
    proxies.append(Proxy("403 Forbidden"))
    api = asks(listener.kubeconfig(cluster={"proxy-url": proxies[0].url}))
    with pytest.raises(UnreachableError, match=r"made no tunnel: HTTP/1\.1 403 Forbidden"):
        api.get("/version")
    assert listener.connections == 0


def test_a_proxy_of_the_environment_is_not_for_this_machine(
    listens: Listens, asks: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local cluster is reached directly, whatever HTTPS_PROXY says."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    api = asks(listens(Answer(body={"kind": "Pod"})).kubeconfig())
    assert api.get("/version") == {"kind": "Pod"}
