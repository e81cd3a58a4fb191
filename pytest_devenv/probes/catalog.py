"""Which probes an environment has: those of every subject that its settings name."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_devenv.probes import http, jobs, migrations, ports, postgres, redis, schema, secrets, tilt
from pytest_devenv.settings import TargetName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.settings import Settings

_SUBJECTS = (postgres, redis, migrations, schema, jobs, http, secrets, tilt, ports)


def catalog(settings: Settings, target: TargetName | None = None) -> dict[str, Probe]:
    """Return the probes of these settings by their ids, those of one subject together.

    What is not configured has no probe, and what only a cluster has only on that target. A catalog is made for one run:
    some of its probes share what they read.
    """
    probes: Iterator[Probe] = chain.from_iterable(subject.probes(settings) for subject in _SUBJECTS)
    if target is TargetName.CLUSTER:
        from pytest_devenv.probes.cluster.joined import joined  # nobody else pays for it

        probes = joined(settings, probes)
    return {probe.id: probe for probe in probes}
