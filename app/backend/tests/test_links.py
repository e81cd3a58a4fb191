"""Links to servers: background attempts, waits that grow, deadlines."""

import threading
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from app.backend import backoff
from app.backend.errors import UnavailableError
from app.backend.links import Link
from app.backend.tests.conftest import wait_until


class Server:
    """A server that refuses the first connections."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.attempts = 0

    def connect(self) -> str:
        """Give a client, or say that the server does not answer."""
        self.attempts += 1
        if self.attempts <= self.refusals:
            raise UnavailableError("server", f"refused attempt {self.attempts}")
        return "client"


def _answers(link: Link[str]) -> Callable[[], bool]:
    def holds() -> bool:
        try:
            return link.client() == "client"
        except UnavailableError:
            return False

    return holds


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def delays() -> Iterator[float]:
        while True:
            yield 0.001

    monkeypatch.setattr(backoff, "delays", delays)


def test_waits_double_up_to_a_cap() -> None:
    """Without jitter the waits are powers of two of the first, then the cap."""
    assert list(islice(backoff.delays(0.1, 0.5, jitter=lambda _, high: high), 5)) == [0.1, 0.2, 0.4, 0.5, 0.5]


def test_jitter_stays_within_the_upper_half() -> None:
    """A wait is never shorter than half of what it would be without jitter."""
    assert all(0.25 <= wait <= 0.5 for wait in islice(backoff.delays(0.5, 0.5), 200))


@pytest.mark.usefixtures("_quick")
def test_a_link_is_made_as_soon_as_the_server_answers() -> None:
    """Refusals are retried in the background."""
    server = Server(refusals=3)
    link = Link("server", server.connect)
    link.open()
    wait_until(_answers(link))
    assert server.attempts == 4


def test_a_link_that_is_not_made_yet_answers_at_once() -> None:
    """Who asks too early gets an error that names the server, not a wait."""
    hold = threading.Event()
    link = Link("server", hold.wait)
    with pytest.raises(UnavailableError, match="server: not connected yet"):
        link.client()
    hold.set()


@pytest.mark.usefixtures("_quick")
def test_a_round_ends_at_its_deadline_and_the_next_request_begins_another() -> None:
    """Giving up is not for ever."""
    server = Server(refusals=1)
    link = Link("server", server.connect, round_s=0)
    link.open()
    wait_until(lambda: server.attempts == 1)
    wait_until(_answers(link))
    assert server.attempts == 2


def test_closing_ends_the_attempts() -> None:
    """A closed link lets its thread go while it waits for the next attempt."""
    server = Server(refusals=1_000)
    link = Link("server", server.connect)
    link.open()
    wait_until(lambda: server.attempts >= 1)
    assert link.close() is None
    wait_until(lambda: all(thread.name != "link-server" for thread in threading.enumerate()))
