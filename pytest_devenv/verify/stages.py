"""Which stages there are: three of the packaged checks, and those of the project's own."""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_devenv.probes.root import root_id
from pytest_devenv.settings import ServiceKind, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.settings import Settings


class Packaged(enum.StrEnum):
    """The stages that every environment has, in their order."""

    SET_UP = "set-up"
    MIGRATIONS = "migrations"
    CONNECTIVITY = "connectivity"


# What a project has that describes no stage: its checks from end to end, if there are any.
DEFAULT = Stage(name="end-to-end", marks="e2e")
_OF_DATABASES = frozenset({"database", "migrations", "schema", "job"})
_MARKS = frozenset({"health", "schema"})


def packaged(settings: Settings, probes: Mapping[str, Probe]) -> Mapping[Packaged, tuple[Probe, ...]]:
    """Return the probes of each packaged stage.

    In none is what is timed, what is about the ports of this machine, and whether the manifests are what is deployed:
    under Tilt they are not, and are not to be.
    """
    every = (each for each in probes.values() if each.mark in _MARKS and not each.name.startswith("manifests."))
    chosen = [(stage_of(settings, probe), probe) for probe in every]
    return MappingProxyType({stage: tuple(probe for of, probe in chosen if of is stage) for stage in Packaged})


def own(settings: Settings) -> tuple[Stage, ...]:
    """Return the stages that run the project's own checks."""
    return tuple(settings.verify.values()) or (DEFAULT,)


def stage_of(settings: Settings, probe: Probe) -> Packaged:
    """Return the stage that a probe belongs to, by what it looks at.

    Set-up is the cluster, secrets, and whether each server is there at all. Connectivity is what of the services means
    something only once the databases are migrated: an HTTP service with its pods, and how well the servers answer.
    """
    service = settings.services.get(probe.subject)
    if service is None:
        of_database = probe.subject in settings.databases or probe.name.partition(".")[0] in _OF_DATABASES
        return Packaged.MIGRATIONS if of_database else Packaged.SET_UP
    if service.kind is ServiceKind.JOB:
        return Packaged.MIGRATIONS
    if service.kind is ServiceKind.HTTP:
        return Packaged.CONNECTIVITY
    answers_well = probe.name.startswith(("postgres.", "redis.")) and probe.id != root_id(service)
    return Packaged.CONNECTIVITY if answers_well else Packaged.SET_UP
