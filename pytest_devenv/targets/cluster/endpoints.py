"""How the services of a cluster are reached: by a forward of this run, or inside a pod by their Services' names."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.forward import HOST, Forward
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.options import option
from pytest_devenv.settings import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack

    from pytest_devenv.clients.kubernetes.api import Api
    from pytest_devenv.secret import Secret
    from pytest_devenv.settings import Service, Settings


def forwards(settings: Settings, api: Api, namespace: str, stack: ExitStack) -> dict[str, Forward]:
    """Open a forward for each service with an address; it ends with the stack. No pod is looked for yet."""
    return {
        service.name: stack.enter_context(Forward(api, namespace, subject_of(service), port))
        for service, port in _with_ports(settings)
    }


def outside(settings: Settings, opened: Mapping[str, Forward], passwords: Mapping[str, Secret]) -> dict[str, Endpoint]:
    """Return the endpoints at the forwards of this run."""
    return {
        service.name: Endpoint(
            service=service.name,
            kind=service.kind,
            host=HOST,
            port=opened[service.name].port,
            user=service.user,
            password=passwords.get(service.name),
            source=f"forward to {subject_of(service)}",
            anew=_anew(settings),
        )
        for service, _ in _with_ports(settings)
    }


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
