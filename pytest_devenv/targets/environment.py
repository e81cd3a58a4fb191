"""An environment as this run found or made it: the settings, where it runs, and how each service is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_devenv.clients.pool import Pool
from pytest_devenv.clients.postgres import DatabaseAddress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_devenv.clients.kubernetes.cluster import Cluster
    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.settings import Settings, TargetName
    from pytest_devenv.verdict import Verdict

CLUSTER_FAULT = "the cluster"  # no service may be called so


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What probes look at and fixtures hand out.

    `why` says in one line how the target was chosen. `faults` holds, by service, the verdict on what could not be
    brought up or resolved (such a service may have no endpoint), under `database_fault(name)` that on a database, and
    under `CLUSTER_FAULT` why there is no cluster to look at.
    `variables` are the environment variables that each service was given, and `logs` the files that its output goes
    to, where this run knows them. `timings_s` tells how long each service took to come up, where we started it, and
    `attached` that another run did. `cluster` is there on the cluster target alone. From `pool` probes have their
    connections; unless a run gives it another one, it keeps none.
    """

    settings: Settings
    target: TargetName
    why: str
    endpoints: Mapping[str, Endpoint]
    faults: Mapping[str, Verdict] = field(default_factory=dict)
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    logs: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    timings_s: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    attached: bool = False
    cluster: Cluster | None = None
    notes: tuple[str, ...] = ()
    pool: Pool = field(default_factory=lambda: Pool(keep=False), compare=False, repr=False)

    def address(self, database: str) -> DatabaseAddress:
        """Return where the named database of the settings is; raises KeyError where its service has no endpoint."""
        return DatabaseAddress(self.endpoints[self.settings.databases[database].service], database)


def database_fault(name: str) -> str:
    """Return the key under which `faults` holds what is wrong with a database, which may be called as a service is."""
    return f"database {name}"
