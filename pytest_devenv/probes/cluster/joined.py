"""How the probes of a cluster join those of the services: what each service requires of the cluster it runs in."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster import (
    answers,
    claims,
    dns,
    jobs,
    manifests,
    namespace,
    nodes,
    ports,
    secrets,
    services,
    workloads,
)
from pytest_devenv.probes.cluster.snapshot import snapshots
from pytest_devenv.probes.jobs import migrated_by
from pytest_devenv.probes.probe import probe_id
from pytest_devenv.probes.root import root_id
from pytest_devenv.settings import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.settings import Settings

_IN_THE_NAMESPACE = (namespace, nodes, claims, secrets, workloads, jobs, services, ports, dns)


def joined(settings: Settings, probes: Iterable[Probe]) -> Iterator[Probe]:
    """Yield the probes of the cluster, and the given ones with what they require of it too.

    A probe that looks at the same thing in another way elsewhere is replaced.
    """
    shared = snapshots()
    groups = (each.probes(settings, shared) for each in _IN_THE_NAMESPACE)
    ours = tuple(chain(answers.probes(), *groups, manifests.probes(settings)))
    yield from ours
    known = {probe.id for probe in ours}
    more = _required_of_the_cluster(settings)
    for probe in probes:
        if probe.id not in known:
            requires = dict.fromkeys((*more.get(probe.id, ()), *probe.requires))
            yield replace(probe, requires=tuple(requires))


def _required_of_the_cluster(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return what existing probes require of the cluster, by their ids.

    A database that a Job of the cluster migrates is looked at once that Job is done, so that its failure is told once.
    """
    more: dict[str, tuple[str, ...]] = {}
    for service in settings.services.values():
        if service.kind is not ServiceKind.JOB:
            more[root_id(service)] = (services.has_endpoints_id(service),)
        elif jobs.in_cluster(service):
            for database in migrated_by(settings, service):
                dirty = probe_id("migrations.none_dirty", database.name)
                more[dirty] = (*more.get(dirty, ()), root_id(service))
    return more
