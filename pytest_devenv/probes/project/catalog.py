"""Every probe that a project's files and surroundings have: what `pytest-devenv validate` looks at."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_devenv.probes.project import built, extras, files, images, manifests, reach, tiltfile, tools
from pytest_devenv.probes.project.paper import target_of

if TYPE_CHECKING:
    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.probes.project.triggers import Commands
    from pytest_devenv.settings import Settings


def project_probes(settings: Settings, commands: Commands) -> dict[str, Probe]:
    """Return the probes by their ids. `commands` says what is wrong with words for `pytest-devenv`, if anything is."""
    target = target_of(settings)
    every = chain(
        files.probes(settings),
        images.probes(settings),
        built.probes(settings),
        extras.probes(settings, target),
        manifests.probes(settings),
        tiltfile.probes(settings, commands),
        tools.probes(settings, target),
        reach.probes(settings),
    )
    return {probe.id: probe for probe in every}
