"""Observing: when an edit is there, seen over one kept connection that is looked at all the time.

A new connection for each look would measure itself: through a port forward, closing one can take a second.
"""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, Self

from pytest_devenv.clients.http import MOST_BODY_BYTES, session
from pytest_devenv.errors import TargetError, WaitTimeoutError
from pytest_devenv.loop.model import Looking

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from pytest_devenv.clients.http import Answer
    from pytest_devenv.endpoint import Endpoint

PAUSE_S = 0.004
LOOKS_AT_REST = 7
LONGEST_LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """When an edit was seen, and when the service was first away before that, by `time.monotonic()`.

    `added_s` is the most that looking can have added: the service may have been ready just after the look before.
    """

    at: float
    away_at: float | None
    added_s: float


class Connection(Protocol):
    """What is asked for the edit."""

    @property
    def is_open(self) -> bool:
        """Whether it is connected now."""

    def get(self, path: str) -> Answer:
        """Ask for a path. Raises OSError and `http.client.HTTPException`."""


class Observer:
    """One place, looked at again and again over one connection, which is only made anew where it broke."""

    def __init__(self, base_url: str, path: str, connect: Callable[[], AbstractContextManager[Connection]]) -> None:
        self.url = base_url.rstrip("/") + path
        self._path = path
        self._connect = connect
        self._session: Connection | None = None
        self._stack = ExitStack()
        self.last_seen = "no look yet"
        self._rest_s = 0.0
        self._looks = 0
        self._connections = 0
        self._longest_pause_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def looking(self) -> Looking:
        """What looking has cost so far."""
        return Looking(
            look_s=self._rest_s,
            longest_pause_s=self._longest_pause_s,
            connections=self._connections,
            looks=self._looks,
        )

    def look_at_rest(self) -> None:
        """Look a few times while nothing is edited, to know what a look takes. Raises TargetError without an answer.

        A connection that was closed meanwhile is made anew here, so that it is not taken for a service that went away.
        """
        took = []
        for _ in range(LOOKS_AT_REST):
            answer = self._look() or self._look()
            if answer is None:
                msg = f"expected an answer before anything is edited, found {self.last_seen}, looked at GET {self.url}"
                raise TargetError(msg, remedy="pytest -m health")
            took.append(answer.took_s)
        self._rest_s = statistics.median(took)

    def until_there(self, text: bytes, *, deadline: float) -> Seen:
        """Look until the text stands in an answer. Raises WaitTimeoutError, which says what was last seen."""
        return self._until(text, there=True, deadline=deadline)

    def until_gone(self, text: bytes, *, deadline: float) -> Seen:
        """Look until an answer comes without the text. Raises WaitTimeoutError."""
        return self._until(text, there=False, deadline=deadline)

    def _until(self, text: bytes, *, there: bool, deadline: float) -> Seen:
        away_at: float | None = None
        before = time.monotonic()
        answered = False
        while (began := time.monotonic()) < deadline:
            answer = self._look()
            if answered and answer is not None:
                self._longest_pause_s = max(self._longest_pause_s, began - before)
            if answer is not None and (text in answer.body) is there:
                return Seen(time.monotonic(), away_at, began - before + self._rest_s)
            if answer is None and away_at is None:
                away_at = began
            answered = answer is not None
            before = began if answered else time.monotonic()  # who waits for an answer in vain is there when it comes
            time.sleep(PAUSE_S)
        words = "with" if there else "without"
        msg = f"expected an answer {words} the edit in time, last seen: {self.last_seen}, looked at GET {self.url}"
        raise WaitTimeoutError(msg)

    def _look(self) -> Answer | None:
        from http.client import HTTPException

        self._looks += 1
        try:
            if self._session is None:
                self._session = self._stack.enter_context(self._connect())
            self._connections += not self._session.is_open
            answer = self._session.get(self._path)
        except (OSError, HTTPException) as error:
            self._stack.close()
            self._session = None
            self.last_seen = f"no answer ({type(error).__name__})"
            return None
        cut = ", cut there" if len(answer.body) >= MOST_BODY_BYTES else ""
        self.last_seen = f"{answer.status} {answer.reason}".strip() + f" with {len(answer.body)} bytes{cut}"
        return answer


def of_service(endpoint: Endpoint, path: str) -> Observer:
    """Return an observer of a path of an HTTP service."""
    return Observer(endpoint.base_url, path, partial(session, endpoint, deadline_s=LONGEST_LOOK_S))
