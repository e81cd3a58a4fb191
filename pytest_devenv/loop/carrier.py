"""Carriers: what brings an edit to the service, and what it tells of the stages in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pytest_devenv.loop.model import Stage
from pytest_devenv.settings import TargetName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.loop.edit import Written
    from pytest_devenv.loop.observe import Seen
    from pytest_devenv.settings import Loop
    from pytest_devenv.targets.environment import Environment


class Carrier(Protocol):
    """What brings edits to a service."""

    name: str

    def wait_until_idle(self, deadline: float) -> None:
        """Return when no earlier edit is under way any more; `deadline` is of `time.monotonic`."""

    def stages(self, written: Written, seen: Seen) -> Mapping[Stage, float]:
        """Return the stages of one edit that can be told apart, in seconds."""

    def remedy(self) -> str:
        """Return what to do where an edit does not arrive."""


class OwnReload:
    """A service that takes up edits by itself: it reads the file for each request, or starts again when it changes.

    What starts again is away for a moment, which is when it must have noticed; nothing else shows from outside.
    """

    name = "reload"

    def __init__(self, loop: Loop, environment: Environment) -> None:
        self._loop = loop
        self._environment = environment

    def wait_until_idle(self, deadline: float) -> None:
        """Return at once: it answers, so it has started."""

    def stages(self, written: Written, seen: Seen) -> Mapping[Stage, float]:
        """Return `detect` until it went away and `live` from there on; of one that never did, only `live`."""
        if seen.away_at is None:
            return {Stage.LIVE: seen.at - written.monotonic}
        noticed = max(written.monotonic, seen.away_at)
        return {Stage.DETECT: noticed - written.monotonic, Stage.LIVE: seen.at - noticed}

    def remedy(self) -> str:
        """Return how a service comes to take up edits on this target."""
        service, file = self._loop.observe.service, self._environment.settings.file.name
        if self._environment.target is not TargetName.EMBEDDED:
            return f"have what runs {service} take up edits of {self._loop.edit}, as a mounted folder does"
        if self._environment.attached:
            return "pytest-devenv env down && pytest-devenv env up"
        return f"give services.{service}.reload the words with which it starts again on an edit, in {file}"
