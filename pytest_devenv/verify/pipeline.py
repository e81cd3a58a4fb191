"""The pipeline: stage after stage against one environment, up to the first that does not pass."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import DevenvError
from pytest_devenv.verdict import State, Verdict, failed, off, passed
from pytest_devenv.verify import suite
from pytest_devenv.verify.stages import Packaged, own, packaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.run import Devenv
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.embedded.instance import Instance

_WELL = frozenset({State.PASS, State.OFF})


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a stage: its verdict, how many checks it made, and how long it took.

    The verdict of one that did not pass is that of its root. One that was not run has None.
    """

    name: str
    verdict: Verdict | None
    checks: int = 0
    took_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the next stage may begin."""
        return self.verdict is not None and self.verdict.state in _WELL


def stage_names(settings: Settings) -> tuple[str, ...]:
    """Return the names of all stages, in their order."""
    return (*(str(stage) for stage in Packaged), *(stage.name for stage in own(settings)))


def verify(devenv: Devenv, *, instance: Instance | None = None, deadline_s: float) -> Iterator[Done]:
    """Yield what came of each stage as soon as it is known; those behind one that does not pass are not run.

    `instance` is what an embedded environment was started in, for the project's own checks to join. They may take
    `deadline_s` seconds a stage.
    """
    stopped = False
    for stage, probes in packaged(devenv.settings, devenv.probes).items():
        done = Done(name=stage, verdict=None) if stopped else _looked(devenv, stage, probes)
        stopped = stopped or not done.passed
        yield done
    for each in own(devenv.settings):
        if stopped:
            yield Done(name=each.name, verdict=None)
            continue
        began = time.monotonic()
        verdict, ran = suite.run(each, devenv.environment, instance=instance, deadline_s=deadline_s)
        stopped = verdict.state not in _WELL
        yield Done(name=each.name, verdict=verdict, checks=ran, took_s=time.monotonic() - began)


def _looked(devenv: Devenv, stage: Packaged, probes: Sequence[Probe]) -> Done:
    """Look at everything of a stage at once; the environment itself is opened by the first."""
    began = time.monotonic()
    try:
        _ = devenv.environment
        devenv.look([probe.id for probe in probes])
        found = {probe.id: devenv.verdict(probe.id) for probe in probes}
    except DevenvError as error:
        return Done(name=stage, verdict=_not_opened(devenv, error), took_s=time.monotonic() - began)
    checks = [each for each in found.values() if each.state is not State.OFF]
    return Done(name=stage, verdict=_judged(devenv, found), checks=len(checks), took_s=time.monotonic() - began)


def _judged(devenv: Devenv, found: dict[str, Verdict]) -> Verdict:
    """Return the verdict of the root of what is not well: a failure before what could not be looked at."""
    for state in (State.FAIL, State.UNKNOWN, State.BLOCKED):
        for verdict in found.values():
            if verdict.state is state:
                return verdict if verdict.cause is None else devenv.verdict(verdict.cause)
    count = sum(verdict.passed for verdict in found.values())
    return passed(f"{count} checks pass", checks=count) if count else off("nothing of this is configured")


def _not_opened(devenv: Devenv, error: DevenvError) -> Verdict:
    summary = error.message.splitlines()[0]
    return failed(
        summary,
        expected="an environment that can be opened",
        found=summary,
        where=str(devenv.settings.file),
        remedy=error.remedy or "pytest-devenv config",
    )
