"""What is said of a loop that was timed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_devenv.loop import judge
from pytest_devenv.loop.carrier import OwnReload
from pytest_devenv.loop.measure import NotLiveError
from pytest_devenv.loop.model import Looking, Measured, Sample, Stage, percentile
from pytest_devenv.settings import Budget, Loop, Observation, Settings, TargetName
from pytest_devenv.targets.environment import Environment
from pytest_devenv.verdict import State

LOOP = Loop(
    name="code",
    edit="app.py",
    observe=Observation(service="web", path="/version"),
    budget_s=Budget(detect=0.5, build=1, update=1, total=2),
)
ENVIRONMENT = Environment(
    settings=Settings(root=Path("/p"), file=Path("/p/pyproject.toml"), name="shop"),
    target=TargetName.EMBEDDED,
    why="a test",
    endpoints={},
)
CARRIER = OwnReload(LOOP, ENVIRONMENT)
REMEDY = "give services.web.reload the words with which it starts again on an edit, in pyproject.toml"


def sample(detect: float, live: float) -> Sample:
    """Make an edit of two stages, in seconds."""
    return Sample(total_s=detect + live, observer_s=0.005, at=0.0, stages={Stage.DETECT: detect, Stage.LIVE: live})


def measured(*samples: Sample) -> Measured:
    """Make a loop that was timed."""
    looking = Looking(look_s=0.001, longest_pause_s=0.006, connections=1, looks=100)
    return Measured(loop=LOOP, carrier="reload", url="http://h:1/version", samples=samples, looking=looking)


def test_loop_within_its_budget_passes_with_its_times_as_facts() -> None:
    """The median decides, and what was timed can be read by programs."""
    found = judge.verdict(measured(sample(0.1, 0.4), sample(0.1, 0.6), sample(0.1, 9.0)), (), CARRIER)
    assert found.state is State.PASS
    assert found.summary == "an edit is live after 700 ms of 2 s"
    assert found.facts["total_s"] == 0.7
    assert found.facts["p95_s"] == pytest.approx(8.26)
    assert found.facts["detect_s"] == 0.1
    assert found.facts["observer_ms"] == 5.0


def test_loop_over_its_budget_fails_and_says_which_stages() -> None:
    """The whole and each stage are held to their own budgets."""
    found = judge.verdict(measured(sample(0.75, 2.25)), (), CARRIER)
    assert found.state is State.FAIL
    assert found.summary == "code takes 3.00 s from edit to live; over budget: total, detect"
    assert found.expected == "medians of at most 2 s (detect 0.5 s, build 1 s, update 1 s)"
    assert found.found == "3.00 s in all, detect 750 ms, live 2.25 s"
    assert found.where == "app.py → GET http://h:1/version, 1 edits by reload"
    assert found.remedy == REMEDY


def test_stage_over_its_budget_fails_a_loop_that_is_fast_enough_as_a_whole() -> None:
    """A budget of a stage is one of its own."""
    found = judge.verdict(measured(sample(0.75, 0.25)), (), CARRIER)
    assert found.state is State.FAIL
    assert found.summary.endswith("over budget: detect")


def test_loop_that_is_slower_than_usual_warns_and_says_which_stage_grew() -> None:
    """More than 1.5 times the median of ten edits passes with a warning; the stage is that which grew most."""
    usual = [sample(0.1, 0.4)] * 10
    found = judge.verdict(measured(sample(0.4, 0.5)), usual, CARRIER)
    warning = "1.8 times as slow as usual here (500 ms, 10 edits): detect grew from 100 ms to 400 ms"
    assert found.state is State.PASS
    assert found.facts["warning"] == warning
    assert found.summary == f"an edit is live after 900 ms of 2 s; {warning}"


@pytest.mark.parametrize(("edits", "now"), [(9, 0.9), (10, 0.75)])
def test_too_few_edits_or_a_little_slower_is_not_worth_a_warning(edits: int, now: float) -> None:
    """With fewer than ten edits nothing is usual yet, and up to 1.5 times is."""
    assert judge.slower(measured(sample(0.0, now)), [sample(0.0, 0.5)] * edits) is None


def test_edit_that_does_not_arrive_fails_with_what_was_last_seen() -> None:
    """Waiting has an end, and says what it saw."""
    error = NotLiveError("no", remedy=REMEDY, url="http://h:1/version", waited_s=6.02, last_seen="200 OK with 9 bytes")
    found = judge.not_live(LOOP, error)
    assert found.state is State.FAIL
    assert found.found == "not there after 6.0 s, last seen: 200 OK with 9 bytes"
    assert found.remedy == REMEDY


def test_percentile_lies_between_the_values_around_it() -> None:
    """A single value is every percentile of itself."""
    assert percentile([3.0], 95) == 3.0
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert percentile([0.0, 10.0], 95) == pytest.approx(9.5)
