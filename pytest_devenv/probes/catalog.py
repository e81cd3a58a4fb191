"""Which probes an environment has: those of every subject that its settings name."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_devenv.probes import http, jobs, migrations, ports, postgres, redis, schema, secrets, tilt

if TYPE_CHECKING:
    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.settings import Settings

_SUBJECTS = (postgres, redis, migrations, schema, jobs, http, secrets, tilt, ports)


def catalog(settings: Settings) -> dict[str, Probe]:
    """Return the probes of these settings by their ids, those of one subject together.

    What is not configured has no probe. A catalog is made for one run: some of its probes share what they read.
    """
    return {probe.id: probe for probe in chain.from_iterable(subject.probes(settings) for subject in _SUBJECTS)}
