"""The registry is kept current while somebody edits."""

from __future__ import annotations

import builtins
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import SeedError
from pytest_devenv.seed import SeedFolderError, Synced, check, watch

if TYPE_CHECKING:
    from tests.unit.seed.workshop import Workshop


def test_every_edit_reaches_the_registry(workshop: Workshop) -> None:
    """A new seed is registered, a broken one is reported and does not end the watch, and a mended one counts again."""
    workshop.python("base/10_a")
    stop = threading.Event()
    events = watch(workshop.folder, stop=stop)
    first = next(events)
    assert isinstance(first, Synced)
    assert first.added == ("a",)
    edits = [
        lambda: workshop.file("base/20_b.py", "class"),
        lambda: workshop.python("base/20_b"),
    ]
    found: list[Synced | SeedError] = []
    for edit in edits:
        timer = threading.Timer(0.3, edit)  # the watch begins when its next event is asked for
        timer.start()
        found.append(next(events))
        timer.join()
    stop.set()
    assert next(events, None) is None
    assert isinstance(found[0], SeedFolderError)
    assert isinstance(found[1], Synced)
    assert found[1].added == ("b",)
    assert check(workshop.folder) == ()


def test_without_watchfiles_the_remedy_is_the_extra(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one command that needs it says how to get it."""
    original = builtins.__import__

    def refuse(name: str, *rest: object, **more: object) -> object:
        if name == "watchfiles":
            raise ImportError(name)
        return original(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SeedError, match="seeds cannot be watched") as caught:
        next(watch(workshop.folder))
    assert caught.value.remedy == "pip install 'pytest-devenv[watch]'"
