"""Following one update: from its being asked for to a resource that is ready and stays so."""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.clients.tilt.values import Build, Resource

_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0


class Outcome(enum.StrEnum):
    """What became of an update. That it cannot be told is an answer of its own."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """An update that was asked for: what became of it and why, its build where one ended, and its last log lines."""

    name: str
    outcome: Outcome
    why: str
    took_s: float
    build: Build | None = None
    log: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the resource was updated, became ready and stayed so."""
        return self.outcome is Outcome.SUCCEEDED


def follow(
    look: Callable[[], Resource],
    before: Resource,
    *,
    ask: Callable[[], object],
    log: Callable[[], str],
    deadline_s: float,
    stable_s: float,
) -> Updated:
    """Ask for an update and follow it; `before` is the resource as it was, `log` what it says of itself.

    Only a build that started after the asking is the one. Whoever fails to look in between makes it `cannot tell`.
    """
    known = {build.span for build in before.builds}
    asked = time.time()
    began = time.monotonic()
    ask()
    last, pause_s, build, well_since = before, _PAUSE_S, None, None
    while time.monotonic() - began < deadline_s:
        try:
            last = look()
        except TargetError as error:
            return _answer(last, Outcome.CANNOT_TELL, error.message, began, build, "")
        build = _ours(last, asked, known) or build
        if build is not None and build.error is not None:
            return _answer(last, Outcome.FAILED, build.error, began, build, _said(log))
        if build is not None and last.is_ready:
            well_since = time.monotonic() if well_since is None else well_since
            if time.monotonic() - well_since >= stable_s:
                why = f"updated in {build.took_s:.1f} s and ready for {stable_s:g} s"
                return _answer(last, Outcome.SUCCEEDED, why, began, build, "")
        else:
            well_since = None
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
    if build is not None and last.is_failing:
        return _answer(last, Outcome.FAILED, f"updated, and then {last.state}", began, build, _said(log))
    return _answer(last, Outcome.CANNOT_TELL, _open_end(last, build, deadline_s), began, build, _said(log))


def _ours(resource: Resource, asked: float, known: set[str]) -> Build | None:
    """Return the first build that is new and started after the asking; Tilt keeps the last two."""
    new = [build for build in resource.builds if build.started >= asked and build.span not in known]
    return min(new, key=lambda build: build.started, default=None)


def _open_end(resource: Resource, build: Build | None, deadline_s: float) -> str:
    waits = "" if resource.waiting is None else f", {resource.waiting}"
    if build is None:
        return f"no update that was asked for had ended within {deadline_s:g} s: {resource.state}{waits}"
    return f"updated, and not ready within {deadline_s:g} s: {resource.state}{waits}"


def _said(log: Callable[[], str]) -> str:
    try:
        return log()
    except TargetError:
        return ""


def _answer(resource: Resource, outcome: Outcome, why: str, began: float, build: Build | None, log: str) -> Updated:
    return Updated(name=resource.name, outcome=outcome, why=why, took_s=time.monotonic() - began, build=build, log=log)
