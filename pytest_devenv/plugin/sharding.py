"""One part of a suite, for runs that share it: which tests are in it, and that the others are not run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_devenv.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

INDEX = "JOB_COMPLETION_INDEX"  # https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode


class Shard(NamedTuple):
    """The part of this run, counted from 1, and how many there are."""

    part: int
    parts: int

    def holds(self, nodeid: str) -> bool:
        """Tell whether a test is in this part. It depends on the id alone: tests that come or go move no other."""
        digest = hashlib.sha256(nodeid.encode()).digest()
        return int.from_bytes(digest[:8]) % self.parts == self.part - 1


def shard_of(value: str, source: str, environ: Mapping[str, str]) -> Shard:
    """Return the part that an option's value names, `I/N`, or `N` in a pod of an Indexed Job. Raises ConfigError."""
    index, _, count = value.rpartition("/")
    if index:
        return Shard(int(index), int(count))
    completion = environ.get(INDEX)
    if completion is not None and completion.isdecimal() and int(completion) < int(count):
        return Shard(int(completion) + 1, int(count))
    message = (
        f"{source}: {value} says how many parts there are, and not which one this is\n"
        f"  expected: {INDEX} from 0 to {int(count) - 1}, as in a pod of an Indexed Job\n"
        f"  found: {'no such variable' if completion is None else repr(completion)}\n"
        f"  where: the environment of this process"
    )
    raise ConfigError(
        message, remedy=f"name the part, --devenv-shard=1/{count}, or set completions of the Job to {count}"
    )


class Sharding:
    """The plugin object of a run that is one of several."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard

    def pytest_report_header(self) -> str:
        """Say which part this run is."""
        return f"devenv: part {self._shard.part} of {self._shard.parts} of the tests"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselect the tests of the other parts."""
        others = [item for item in items if not self._shard.holds(item.nodeid)]
        if others:
            config.hook.pytest_deselected(items=others)
            items[:] = [item for item in items if self._shard.holds(item.nodeid)]
