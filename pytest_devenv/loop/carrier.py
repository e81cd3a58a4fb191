"""Carriers: what brings an edit to the service, and what it tells of the stages in between."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from pytest_devenv.errors import WaitTimeoutError
from pytest_devenv.loop.model import Stage
from pytest_devenv.settings import TargetName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.tilt.client import Tilt
    from pytest_devenv.clients.tilt.values import Build
    from pytest_devenv.loop.edit import Written
    from pytest_devenv.loop.observe import Seen
    from pytest_devenv.settings import Loop
    from pytest_devenv.targets.environment import Environment

_PAUSE_S = 0.2
_RECORDED_S = 10.0


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
            return "with all its data made anew: pytest-devenv env down && pytest-devenv env up"
        return f"give services.{service}.reload the words with which it starts again on an edit, in {file}"


class TiltUpdates:
    """Tilt, which notices an edit, builds or copies, and records when it did."""

    name = "tilt"

    def __init__(self, tilt: Tilt, resource: str) -> None:
        self._tilt = tilt
        self._resource = resource

    def wait_until_idle(self, deadline: float) -> None:
        """Return when the resource is updated and ready. Raises WaitTimeoutError."""
        while not (found := self._tilt.resource(self._resource)).is_ready:
            if time.monotonic() > deadline:
                msg = f"expected {self._resource} updated and ready before an edit, found {found.state}"
                raise WaitTimeoutError(msg, remedy=self.remedy())
            time.sleep(_PAUSE_S)

    def stages(self, written: Written, seen: Seen) -> Mapping[Stage, float]:
        """Return `detect`, `build` where an image was built, `update`, and `live` from there on.

        Nothing but `live` can be told where Tilt has recorded no update that began after the edit.
        """
        total_s = seen.at - written.monotonic
        update = self._update_after(written.unix)
        if update is None:
            return {Stage.LIVE: total_s}
        seen_at = written.unix + total_s
        began, ended = update.started, min(update.finished, seen_at)
        built_s = sum(
            end - begin
            for begin, end in self._tilt.image_builds(self._resource)
            if update.started <= begin <= update.finished
        )
        stages = {Stage.DETECT: began - written.unix}
        if built_s:
            stages[Stage.BUILD] = built_s
        return {**stages, Stage.UPDATE: max(0.0, ended - began - built_s), Stage.LIVE: seen_at - ended}

    def remedy(self) -> str:
        """Return how to see what Tilt made of an edit."""
        return f"tilt logs {self._resource} --port={self._tilt.port}"

    def _update_after(self, unix: float) -> Build | None:
        """Return the first update that began after a time: recorded soon after its effect shows, if at all."""
        deadline = time.monotonic() + _RECORDED_S
        while time.monotonic() < deadline:
            found = self._tilt.resource(self._resource)
            later = [build for build in found.builds if build.started >= unix]
            if later:
                return min(later, key=lambda build: build.started)
            time.sleep(_PAUSE_S)
        return None
