"""Timing a loop from beginning to end: the carrier found, the edits timed, the history kept, the verdict given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.loop import history, judge
from pytest_devenv.loop.carrier import OwnReload, TiltUpdates
from pytest_devenv.loop.limits import RUNS
from pytest_devenv.loop.measure import NotLiveError, measure
from pytest_devenv.settings import TargetName
from pytest_devenv.verdict import off

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.loop.carrier import Carrier
    from pytest_devenv.loop.model import Measured, Sample
    from pytest_devenv.settings import Loop
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


def carrier_for(loop: Loop, environment: Environment) -> Carrier:
    """Return what brings the edits of a loop to its service: Tilt, where it runs this project and the service.

    Nothing is brought to the embedded target but by its services themselves.
    """
    if environment.target is TargetName.EMBEDDED:
        return OwnReload(loop, environment)
    from pytest_devenv.clients.tilt.client import running
    from pytest_devenv.clients.tilt.program import NoTiltError

    try:
        tilt = running(environment.settings.root)
    except NoTiltError:
        return OwnReload(loop, environment)
    service = environment.settings.services[loop.observe.service]
    workload = (service.workload or "").rpartition("/")[2]
    names = (service.name, workload) if loop.observe.config_map is None else (loop.observe.config_map,)
    resources = tilt.resources()
    for name in names:
        if name in resources:
            return TiltUpdates(tilt, name)
    return OwnReload(loop, environment)


def timed(loop: Loop, environment: Environment, *, runs: int = RUNS) -> Verdict:
    """Time a loop, keep its times in the history, and return the verdict. Raises DevenvError where it cannot be timed.

    Nothing is edited for an environment that is neither for development nor for tests.
    """
    if not environment.settings.environment.changeable:
        return off(f"no file is edited for an environment that is for {environment.settings.environment}")
    try:
        return timed_and_kept(loop, environment, runs=runs)[2]
    except NotLiveError as error:
        return judge.not_live(loop, error)


def timed_and_kept(
    loop: Loop,
    environment: Environment,
    *,
    runs: int = RUNS,
    on_sample: Callable[[Sample], None] = lambda _: None,
) -> tuple[Measured, tuple[Sample, ...], Verdict]:
    """Time a loop; return what was timed, what was usual until then, and the verdict. Raises DevenvError."""
    carrier = carrier_for(loop, environment)
    usual = history.usual(environment.settings, loop.name, _way(environment, carrier))
    measured = measure(loop, environment, carrier, runs=runs, on_sample=on_sample)
    history.keep(environment.settings, measured, _way(environment, carrier))
    return measured, usual, judge.verdict(measured, usual, carrier)


def _way(environment: Environment, carrier: Carrier) -> str:
    """Return what tells apart times that cannot be compared: the target and what brings the edits."""
    return f"{environment.target}/{carrier.name}"
