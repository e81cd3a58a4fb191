"""How the services of a cluster are reached: by a forward of this run, or inside a pod by their Services' names."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.forward import HOST, Forward
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.options import option
from pytest_devenv.settings import ServiceKind
from pytest_devenv.targets.cluster import existing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack

    from pytest_devenv.clients.kubernetes.cluster import Cluster
    from pytest_devenv.secret import Secret
    from pytest_devenv.settings import Service, Settings


def outside(
    settings: Settings, cluster: Cluster, passwords: Mapping[str, Secret], stack: ExitStack
) -> tuple[dict[str, Endpoint], dict[str, Forward]]:
    """Return the endpoint of each service, and the forwards that were opened for them; those end with the stack.

    A forward that somebody holds at the local port is used where it is proven to lead to the same pod. For one of our
    own no pod is looked for yet.
    """
    endpoints: dict[str, Endpoint] = {}
    opened: dict[str, Forward] = {}
    of_tilt = existing.OfTilt(settings.root, cluster)
    for service, port in _with_ports(settings):
        there = _existing(service, port, cluster, of_tilt)
        if there is None:
            forward = Forward(cluster.api, cluster.namespace, subject_of(service), port)
            opened[service.name] = stack.enter_context(forward)
            there = Endpoint(
                service=service.name,
                kind=service.kind,
                host=HOST,
                port=forward.port,
                source=f"forward to {subject_of(service)}",
                anew=_anew(settings),
            )
        endpoints[service.name] = replace(there, user=service.user, password=passwords.get(service.name))
    return endpoints, opened


def _existing(service: Service, port: int, cluster: Cluster, of_tilt: existing.OfTilt) -> Endpoint | None:
    """Return the endpoint at the local port, where a forward of somebody else leads to the same pod."""
    if service.local_port is None:
        return None
    subject = subject_of(service)
    held = Endpoint(service=service.name, kind=service.kind, host=HOST, port=service.local_port)
    led = existing.Led(cluster.context, cluster.namespace, subject, ((service.local_port, port),))
    if existing.leads_to(held, led, path=service.health):
        return replace(held, source=f"kubectl's forward to {subject}")
    if of_tilt.leads_to(held, subject, port, path=service.health):
        return replace(held, source=f"Tilt's forward to {subject}")
    return None


def inside(
    settings: Settings, namespace: str, passwords: Mapping[str, Secret], *, environ: Mapping[str, str] = os.environ
) -> dict[str, Endpoint]:
    """Return the endpoints that a pod sees: the DNS names of the Services."""
    return {
        service.name: Endpoint(
            service=service.name,
            kind=service.kind,
            host=f"{_service_name(service, environ)}.{namespace}.svc",
            port=port,
            user=service.user,
            password=passwords.get(service.name),
            source="DNS name of the Service",
        )
        for service, port in _with_ports(settings)
    }


def _anew(settings: Settings) -> str:
    """Return the command that reaches the same place: with what the command line of this run put over the settings."""
    given = [
        shlex.quote(f"{option(name).variable}={getattr(settings, name)}")
        for name in ("target", "cluster", "context")
        if settings.sources.get(name, "").startswith("--")
    ]
    return " ".join([*given, "pytest-devenv env exec"])


def subject_of(service: Service) -> str:
    """Return what a forward to a service leads to: its workload, else the Service of its name."""
    return service.workload or f"service/{service.name}"


def _service_name(service: Service, environ: Mapping[str, str]) -> str:
    """Return the name of a service's Service: its own, or its workload's where the pod was told of only that.

    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    named = [service.name, *([] if service.workload is None else [service.workload.partition("/")[2]])]
    told = [name for name in named if f"{name.upper().replace('-', '_')}_SERVICE_HOST" in environ]
    return (told or named)[0]


def _with_ports(settings: Settings) -> Iterator[tuple[Service, int]]:
    for service in settings.services.values():
        if service.kind is not ServiceKind.JOB and service.port is not None:
            yield service, service.port
