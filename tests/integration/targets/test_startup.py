"""Starting on a free port, with strangers about."""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.settings import Settings
from pytest_devenv.targets.embedded import instance as instances
from pytest_devenv.targets.embedded.account import Account
from pytest_devenv.targets.embedded.child import Child, spawn, wait_until
from pytest_devenv.targets.embedded.ports import HOST, accepts
from pytest_devenv.targets.embedded.startup import ServerStartError, start_on_free_port
from tests.integration.targets.remains import processes_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(240)

SERVE = "import http.server, sys; http.server.test(bind='127.0.0.1', port=int(sys.argv[1]), protocol='HTTP/1.1')"


class Street:
    """Starts servers, with a stranger on the first so many of their ports."""

    def __init__(self, instance: instances.Instance, strangers: int) -> None:
        self.instance = instance
        self.strangers: list[socket.socket] = []
        self.ports: list[int] = []
        self._expected = strangers

    def start(self, port: int) -> Child:
        """Start a server on this port, after a stranger took it where one is still to come."""
        self.ports.append(port)
        if len(self.ports) <= self._expected:
            taken = socket.socket()
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((HOST, port))
            taken.listen()
            self.strangers.append(taken)
        return self.spawn(SERVE, str(port))

    def spawn(self, code: str, *arguments: str) -> Child:
        """Start Python on this code."""
        command = [sys.executable, "-c", code, *arguments]
        folder = self.instance.folder
        return spawn("server", command, instance=folder, account=Account(), env=os.environ, cwd=folder)


@pytest.fixture
def street(state: Path) -> Iterator[Callable[[int], Street]]:
    """Give what makes a street with so many strangers; they and the servers leave with the test."""
    instance = instances.create(Settings(root=state, file=state / "pyproject.toml", name="street"))
    made: list[Street] = []

    def make(strangers: int) -> Street:
        made.append(Street(instance, strangers))
        return made[-1]

    yield make
    for each in made:
        for stranger in each.strangers:
            stranger.close()
    instance.destroy()


def ready_by(deadline: float) -> Callable[[Child, int], bool]:
    """Return what waits for a server to say that it serves."""

    def ready(child: Child, port: int) -> bool:
        return wait_until(lambda: f"port {port}" in child.tail(), child, deadline=deadline)

    return ready


def test_a_port_that_a_stranger_takes_in_between_is_given_up_for_another(street: Callable[[int], Street]) -> None:
    """The server that finds its port taken is started again on another, and the stranger keeps what it has."""
    here = street(1)
    deadline = time.monotonic() + 20
    child, port = start_on_free_port(here.start, ready_by(deadline), deadline=deadline)
    assert len(here.ports) == 2
    assert port == here.ports[1] != here.ports[0]
    assert child.ended() is None
    assert accepts(port)
    assert accepts(here.ports[0])


def test_a_server_that_finds_every_port_taken_is_given_up(street: Callable[[int], Street]) -> None:
    """After five ports the server is said not to start, with its own words, and none runs on."""
    here = street(9)
    deadline = time.monotonic() + 30
    with pytest.raises(ServerStartError, match="server did not start: it ended with status 1") as caught:
        start_on_free_port(here.start, ready_by(deadline), deadline=deadline)
    assert len(here.ports) == 5
    assert "Address already in use" in caught.value.log
    assert processes_in(here.instance.folder.parent) == []


def test_a_server_that_ends_for_another_reason_is_not_started_twice(street: Callable[[int], Street]) -> None:
    """What would fail anywhere fails once, with its status and the last lines that it said."""
    here = street(0)
    deadline = time.monotonic() + 20

    def start(port: int) -> Child:
        here.ports.append(port)
        return here.spawn("print('one'); print('two'); raise SystemExit(3)")

    with pytest.raises(ServerStartError) as caught:
        start_on_free_port(start, ready_by(deadline), deadline=deadline)
    assert len(here.ports) == 1
    assert str(caught.value) == "server did not start: it ended with status 3\none\ntwo"


def test_a_server_that_is_killed_is_said_to_be(street: Callable[[int], Street]) -> None:
    """A server that a signal ended is told from one that gave up."""
    here = street(0)
    deadline = time.monotonic() + 20
    with pytest.raises(ServerStartError, match="it was ended by signal 9"):
        start_on_free_port(
            lambda _: here.spawn("import os; os.kill(os.getpid(), 9)"), ready_by(deadline), deadline=deadline
        )


def test_a_server_that_never_listens_is_ended_at_the_deadline(street: Callable[[int], Street]) -> None:
    """What runs and does not become ready is ended with what it started, and said to have run."""
    here = street(0)
    deadline = time.monotonic() + 1
    code = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
    with pytest.raises(ServerStartError, match=r"it runs, but did not become ready on port \d+ in time"):
        start_on_free_port(lambda _: here.spawn(code), ready_by(deadline), deadline=deadline)
    assert processes_in(here.instance.folder.parent) == []


def test_an_error_while_waiting_ends_the_server(street: Callable[[int], Street]) -> None:
    """Ctrl-C, or any error, in the middle of the wait leaves no server."""
    here = street(0)

    def interrupted(_child: Child, _port: int) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start_on_free_port(here.start, interrupted, deadline=time.monotonic() + 20)
    assert processes_in(here.instance.folder.parent) == []
