"""A link to a server: made in the background, retried until a deadline, taken up again on demand."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from app.backend import backoff
from app.backend.errors import UnavailableError

logger = logging.getLogger(__name__)

Client = TypeVar("Client")

ROUND_S = 60.0


class Link(Generic[Client]):
    """Connects one client in a thread of its own, so that the process answers while its servers still start.

    A round of attempts ends when the client is there, when `round_s` have passed, or with `close`.
    `connect` raises UnavailableError as long as the server does not answer.
    """

    def __init__(self, name: str, connect: Callable[[], Client], round_s: float = ROUND_S) -> None:
        self._name = name
        self._connect = connect
        self._round_s = round_s
        self._client: Client | None = None
        self._last_seen = f"{name}: not connected yet"
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def open(self) -> None:
        """Begin a round of attempts, unless one is under way."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._attempt, name=f"link-{self._name}", daemon=True)
                self._thread.start()

    def client(self) -> Client:
        """Give the connected client at once; raise UnavailableError, and try on, when there is none."""
        if self._client is None:
            self.open()
            raise UnavailableError(self._name, self._last_seen)
        return self._client

    def close(self) -> Client | None:
        """End the attempts and hand back the client, if there is one, to be closed by whom it belongs to."""
        self._closing.set()
        client, self._client = self._client, None
        return client

    def _attempt(self) -> None:
        gives_up_at = time.monotonic() + self._round_s
        for delay_s in backoff.delays():
            try:
                self._client = self._connect()
            except UnavailableError as error:
                self._last_seen = str(error)
            else:
                logger.info("%s: connected", self._name)
                return
            if time.monotonic() + delay_s > gives_up_at:
                logger.error("gave up after %.0f s; the next request tries again: %s", self._round_s, self._last_seen)
                return
            logger.warning("trying again in %.2f s: %s", delay_s, self._last_seen)
            if self._closing.wait(delay_s):
                return
