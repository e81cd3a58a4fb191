"""Whether the ports agree by which a service is reached: the settings', its Service's, and its containers'."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.namespace import readable_id
from pytest_devenv.probes.cluster.objects import name_of, spec_of
from pytest_devenv.probes.cluster.services import pods_of, service_of
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import failed, off, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.shared import Shared
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

NAME = "service.ports_agree"


def probes(settings: Settings, shared: Shared[Snapshot]) -> Iterator[Probe]:
    """Yield a probe for every service whose port the settings know."""
    for service in settings.services.values():
        if service.kind is not ServiceKind.JOB and service.port is not None:
            look = partial(_agree, service, service.port, shared)
            yield Probe(name=NAME, subject=service.name, look=look, requires=(readable_id(settings),), mark="ports")


def _agree(service: Service, port: int, shared: Shared[Snapshot], environment: Environment) -> Verdict:
    snapshot = shared.get(probe_id(NAME, service.name), environment)
    return judge(service, port, snapshot, kubectl_of(environment.settings, cluster_of(environment)))


def judge(service: Service, port: int, snapshot: Snapshot, kubectl: Kubectl) -> Verdict:
    """Return whether the Service has the settings' port, and leads to one that a container has."""
    leading, pods = service_of(service, snapshot), pods_of(service, snapshot)
    if leading is None:
        return off(f"no Service leads to {service.workload or service.name}")
    name = name_of(leading)
    where = f"service/{name}, namespace {kubectl.namespace}, context {kubectl.context or 'of this pod'}"
    ports = spec_of(leading).get("ports") or ()
    if not ports:
        return off(f"the Service {name} has no ports")
    container_ports = _container_ports(pods)
    found = next((each for each in ports if each.get("port") == port), None)
    if found is None:
        theirs = ", ".join(str(each.get("port")) for each in ports)
        return failed(
            f"the Service {name} has no port {port}",
            expected=f"port {port}, as services.{service.name}.port says",
            found=f"port {theirs}",
            where=where,
            remedy=f"correct services.{service.name}.port in the settings, or the Service: "
            + kubectl("edit", f"service/{name}"),
        )
    target = found.get("targetPort", port)
    number = container_ports.get(str(target)) if isinstance(target, str) else target
    if not container_ports or (number is not None and number in container_ports.values()):
        leads = f"{port} → {target}" if target != port else str(port)
        return passed(f"{name}: {leads}, as the settings and the container say", port=port)
    theirs = ", ".join(
        f"{number} ({label})" if label != str(number) else label for label, number in container_ports.items()
    )
    patch = f'{{"spec": {{"ports": [{{"port": {port}, "targetPort": {next(iter(container_ports.values()))}}}]}}}}'
    return failed(
        f"the Service {name} leads to port {target}, which no container has",
        expected=f"a targetPort that is one of the containers': {theirs}",
        found=f"port {port} → targetPort {target}",
        where=where,
        remedy=kubectl("patch", f"service/{name}", "--patch", patch),
    )


def _container_ports(pods: tuple[Object, ...]) -> dict[str, int]:
    """Return the ports that the containers of the newest pod name, by their names, or numbers where they have none."""
    return {
        str(each.get("name") or each["containerPort"]): int(each["containerPort"])
        for pod in pods[:1]
        for container in spec_of(pod).get("containers") or ()
        for each in container.get("ports") or ()
    }
