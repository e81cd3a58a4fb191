"""What a connection does with what is there already."""

from __future__ import annotations

import socket
import time

import pytest

from pytest_devenv.clients.kubernetes.websocket import WebSocket

FRAME = b"\x82\x03abc"


def test_what_came_with_the_handshake_is_not_waited_for() -> None:
    """A message that arrived together with the answer to the handshake has arrived: the first wait says so."""
    ours, theirs = socket.socketpair()
    with theirs, WebSocket(ours, "test", FRAME) as remote:
        remote.wait(time.monotonic() + 60)
        assert list(remote.messages()) == [b"abc"]
        with pytest.raises(TimeoutError):
            remote.wait(time.monotonic() - 1)


def test_without_it_the_first_message_is_waited_for() -> None:
    """Where the answer came alone, a wait is over when something arrives."""
    ours, theirs = socket.socketpair()
    with theirs, WebSocket(ours, "test") as remote:
        theirs.sendall(FRAME)
        remote.wait(time.monotonic() + 60)
        assert list(remote.messages()) == [b"abc"]
