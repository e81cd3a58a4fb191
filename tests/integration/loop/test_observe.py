"""An observer sees an edit when it is there, over one connection."""

from __future__ import annotations

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.errors import TargetError, WaitTimeoutError
from pytest_devenv.loop.observe import of_service
from pytest_devenv.settings import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_S = 60.0


class Site:
    """A server in a thread of the test, whose text can be changed, and which can be away for a while."""

    def __init__(self, *, closes: bool = False) -> None:
        site = self
        self.text = b"before"
        self.away = False
        self.connections = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0" if closes else "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                site.connections += 1

            def do_GET(self) -> None:
                if site.away:
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(site.text)))
                self.end_headers()
                self.wfile.write(site.text)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def endpoint(self) -> Endpoint:
        """Where it is."""
        return Endpoint(service="site", kind=ServiceKind.HTTP, host="127.0.0.1", port=self.server.server_address[1])


@contextlib.contextmanager
def served(*, closes: bool = False) -> Iterator[Site]:
    """Serve a site for the time of a test."""
    site = Site(closes=closes)
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        site.server.server_close()
        thread.join()


def test_change_is_seen_over_one_connection() -> None:
    """Between the change and its being seen lies no more than what looking is said to have added."""
    with served() as site, of_service(site.endpoint, "/") as observer:
        observer.look_at_rest()
        changed: list[float] = []

        def change() -> None:
            site.text = b"after"
            changed.append(time.monotonic())

        threading.Timer(0.2, change).start()
        seen = observer.until_there(b"after", deadline=time.monotonic() + LONG_S)
        assert seen.away_at is None
        assert changed[0] - 0.01 <= seen.at
        assert site.connections == 1
        assert observer.looking.connections == 1
        assert observer.looking.looks > 10
        observer.until_there(b"after", deadline=time.monotonic() + LONG_S)


def test_connections_that_the_service_closes_are_counted() -> None:
    """A service that closes each connection cannot be looked at over one; that is known, not hidden."""
    with served(closes=True) as site, of_service(site.endpoint, "/") as observer:
        observer.look_at_rest()
        assert observer.looking.connections == site.connections == observer.looking.looks


def test_service_that_goes_away_is_seen_to() -> None:
    """The first look without an answer is kept, and looking goes on until the service is back."""
    with served() as site, of_service(site.endpoint, "/") as observer:
        observer.look_at_rest()
        site.away = True
        began = time.monotonic()

        def come_back() -> None:
            site.text = b"after"
            site.away = False

        threading.Timer(0.3, come_back).start()
        seen = observer.until_there(b"after", deadline=time.monotonic() + LONG_S)
    assert seen.away_at is not None
    assert began <= seen.away_at < seen.at


def test_service_that_is_not_there_is_said_before_anything_is_edited() -> None:
    """Without an answer at rest there is nothing to time."""
    nowhere = Endpoint(service="site", kind=ServiceKind.HTTP, host="127.0.0.1", port=0)
    with (
        of_service(nowhere, "/") as observer,
        pytest.raises(TargetError, match="expected an answer before anything is edited, found no answer"),
    ):
        observer.look_at_rest()


def test_wait_ends_with_what_was_last_seen() -> None:
    """A deadline is kept, and the message tells what was there instead."""
    with served() as site, of_service(site.endpoint, "/page") as observer:
        with pytest.raises(WaitTimeoutError) as error:
            observer.until_there(b"after", deadline=time.monotonic() + 0.1)
        assert str(error.value) == (
            "expected an answer with the edit in time, last seen: 200 OK with 6 bytes, "
            f"looked at GET http://{site.endpoint.address}/page"
        )
        observer.until_gone(b"after", deadline=time.monotonic() + LONG_S)
