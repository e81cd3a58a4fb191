"""A listener for one test."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_devenv.clients.kubernetes import connect
from tests.integration.clients.kubernetes.listener import Answer, Listener, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_devenv.clients.kubernetes import Api, Kubeconfig


class Listens(Protocol):
    """What starts a listener that answers by a function, or always the same."""

    def __call__(self, answer: Callable[[Request], Answer] | Answer, *, names: tuple[str, ...] = ()) -> Listener:
        """Return the listener, which ends with the test."""


class Asks(Protocol):
    """What makes the API of a kubeconfig's context."""

    def __call__(self, kubeconfig: Kubeconfig, *, deadline_s: float = 30) -> Api:
        """Return the API, which is closed with the test."""


@pytest.fixture
def asks() -> Iterator[Asks]:
    """Give what makes the API of a kubeconfig's context."""
    with contextlib.ExitStack() as stack:

        def make(kubeconfig: Kubeconfig, *, deadline_s: float = 30) -> Api:
            api = connect(kubeconfig, deadline_s=deadline_s)
            stack.callback(api.close)
            return api

        yield make


@pytest.fixture
def listens(tmp_path: Path) -> Iterator[Listens]:
    """Give what starts a listener that answers by a function, or always the same."""
    with contextlib.ExitStack() as stack:

        def start(answer: Callable[[Request], Answer] | Answer, *, names: tuple[str, ...] = ()) -> Listener:
            given = (lambda _: answer) if isinstance(answer, Answer) else answer
            folder = Path(tempfile.mkdtemp(dir=tmp_path))
            return stack.enter_context(Listener(folder, given, names=names))

        yield start
