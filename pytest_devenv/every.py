"""Every probe that an environment has: those that look at it, and those that time its loops."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.catalog import catalog
from pytest_devenv.probes.probe import Probe
from pytest_devenv.probes.root import root_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Loop, Settings, TargetName
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


def every_probe(settings: Settings, target: TargetName | None = None) -> dict[str, Probe]:
    """Return all probes of these settings by their ids; what is not configured, or not of this target, has none."""
    return catalog(settings, target) | {probe.id: probe for probe in _loops(settings, target)}


def _loops(settings: Settings, target: TargetName | None) -> Iterator[Probe]:
    """Yield a probe for each loop. It changes a file and times what follows, so it looks apart from all others."""
    if not settings.loops:
        return
    from pytest_devenv.loop.limits import deadline_s, loops_on

    for loop in settings.loops.values() if target is None else loops_on(target, settings.loops.values()):
        yield Probe(
            name="loop.keeps_its_budget",
            subject=loop.name,
            look=partial(_timed, loop),
            requires=(root_id(settings.services[loop.observe.service]),),
            deadline_s=deadline_s(loop),
            mark="loop",
            apart=True,
        )


def _timed(loop: Loop, environment: Environment) -> Verdict:
    from pytest_devenv.loop.timing import timed

    return timed(loop, environment)
