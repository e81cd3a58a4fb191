"""An update that is asked for is followed: that very one, until it is ready and stays so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.tilt.update import Outcome, Updated, follow
from pytest_devenv.clients.tilt.values import Build, Resource
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable

BEFORE = Build(started=1.0, finished=2.0, span="build:1")


def resource(*builds: Build, update: str = "ok", runtime: str = "ok") -> Resource:
    """Make a resource in a state."""
    return Resource(name="backend", update=update, runtime=runtime, builds=builds)


def built(*, after_s: float = 1.0, span: str = "build:2", error: str | None = None) -> Build:
    """Make a build that started some time after now, in seconds."""
    return Build(started=time.time() + after_s, finished=time.time() + after_s + 0.5, span=span, error=error)


def followed(look: Callable[[], Resource], *, deadline_s: float = 0.5, stable_s: float = 0.0) -> Updated:
    """Follow an update whose asking changes nothing itself."""
    return follow(
        look, resource(BEFORE), ask=lambda: None, log=lambda: "the log", deadline_s=deadline_s, stable_s=stable_s
    )


def test_update_succeeds_when_its_own_build_has_ended_and_it_is_ready() -> None:
    """The newer build is the one that was asked for."""
    ours = built()
    found = followed(lambda: resource(ours, BEFORE), deadline_s=30)
    assert (found.outcome, found.build) == (Outcome.SUCCEEDED, ours)
    assert found.why == "updated in 0.5 s and ready for 0 s"


@pytest.mark.parametrize("other", [BEFORE, built(after_s=-60)])
def test_build_that_began_before_is_not_the_one(other: Build) -> None:
    """An update that was known or under way already says nothing of the one that was asked for."""
    found = followed(lambda: resource(other, BEFORE))
    assert found.outcome is Outcome.CANNOT_TELL
    assert found.why.startswith("no update that was asked for had ended within 0.5 s: update ok, runtime ok")


def test_failed_build_fails_the_update_with_its_log() -> None:
    """What the build said is the reason."""
    found = followed(lambda: resource(built(error="exit status 3"), update="error"), deadline_s=30)
    assert (found.outcome, found.why, found.log) == (Outcome.FAILED, "exit status 3", "the log")


def test_first_of_two_new_builds_is_the_one() -> None:
    """Who edits a file meanwhile makes another update, which is not ours."""
    first, second = built(), built(after_s=2.0, span="build:3", error="theirs")
    found = followed(lambda: resource(second, first), deadline_s=30)
    assert (found.outcome, found.build) == (Outcome.SUCCEEDED, first)


@pytest.mark.parametrize(("runtime", "outcome"), [("error", Outcome.FAILED), ("pending", Outcome.CANNOT_TELL)])
def test_update_that_does_not_become_ready_has_not_succeeded(runtime: str, outcome: Outcome) -> None:
    """A server that crashes has failed; one that is still starting cannot be told."""
    found = followed(lambda: resource(built(), runtime=runtime))
    assert found.outcome is outcome
    assert runtime in found.why


def test_update_that_is_ready_for_a_moment_only_has_not_succeeded() -> None:
    """Ready has to last."""
    ours = built()
    states = ["ok", "error"] * 100
    found = followed(lambda: resource(ours, runtime=states.pop()), deadline_s=1.0, stable_s=0.9)
    assert found.outcome is not Outcome.SUCCEEDED


def test_tilt_that_ends_meanwhile_makes_it_impossible_to_tell() -> None:
    """Who could not look does not say that it failed."""

    def look() -> Resource:
        raise TargetError("no tilt apiserver found")

    found = followed(look)
    assert (found.outcome, found.why) == (Outcome.CANNOT_TELL, "no tilt apiserver found")
