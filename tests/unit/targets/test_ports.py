"""Reserving a free port for a server that binds it by number."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys

import pytest

from pytest_devenv.targets.embedded.ports import HOST, accepts, reserved_port

IP_LOCAL_PORT_RANGE = 51  # linux/in.h, since Linux 6.3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the reservation is let go at once")
@pytest.mark.parametrize("reuse", [0, 1])
def test_a_reserved_port_is_given_to_nobody_who_asks_for_any(reuse: int) -> None:
    """Where no other port is left the kernel would rather give none."""
    with reserved_port() as port:
        assert port not in given_for_the_asking(port, reuse)


def given_for_the_asking(port: int, reuse: int) -> set[int]:
    """Ask for any port where only one is left, or, of a kernel that cannot be told so, very often; return what came."""
    given = set()
    for _ in range(2000):
        with socket.socket() as asking:
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            try:
                asking.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("=HH", port, port))
                narrowed = True
            except OSError:
                narrowed = False
            with contextlib.suppress(OSError):
                asking.bind((HOST, 0))
                given.add(asking.getsockname()[1])
            if narrowed:
                break
    return given


def test_two_reserved_ports_differ() -> None:
    """Who starts several servers at once has a port for each."""
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(reserved_port()) for _ in range(50)]
        assert len(set(ports)) == 50


def test_a_server_may_listen_on_a_reserved_port() -> None:
    """The reservation is no hindrance to the server that it is for: it binds, listens and is reached."""
    with reserved_port() as port, socket.socket() as server:
        assert not accepts(port)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, port))
        server.listen()
        assert accepts(port)
    assert not accepts(port)


def test_a_port_is_free_again_after_the_reservation() -> None:
    """Without SO_REUSEADDR too the port can be bound once nobody holds it."""
    with reserved_port() as port:
        pass
    with socket.socket() as anybody:
        anybody.bind((HOST, port))
