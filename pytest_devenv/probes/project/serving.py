"""Whether the manifests run each service as the settings describe it: its workload, its port, its password."""

from __future__ import annotations

import difflib
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.objects import name_of, selects, spec_of
from pytest_devenv.probes.project.references import labels_of_pods, pods_of
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.project.gathering import Gathered
    from pytest_devenv.probes.project.manifests import Judge
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.verdict import Verdict

_KINDS = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "job": "Job",
    "cronjob": "CronJob",
    "pod": "Pod",
}


def judges(settings: Settings) -> Iterator[tuple[str, str, Judge]]:
    """Yield, for each service that a workload runs, what is asked of the manifests: name, service, and who judges."""
    for service in settings.services.values():
        if service.workload is None:
            continue
        yield "manifests.have_its_workload", service.name, partial(_have_its_workload, service)
        if service.kind is not ServiceKind.JOB:
            yield "manifests.have_its_port", service.name, partial(_have_its_port, service)
        if service.password is not None and service.password.secret is not None:
            yield "manifests.have_its_password", service.name, partial(_have_its_password, service)


def _workload(service: Service, gathered: Gathered) -> Object | None:
    kind, _, name = (service.workload or "").partition("/")
    return gathered.named(_KINDS.get(kind, kind), name)


def _have_its_workload(service: Service, gathered: Gathered, settings: Settings) -> Verdict:
    if _workload(service, gathered) is not None:
        return passed(f"{service.workload} is there")
    kind, _, name = (service.workload or "").partition("/")
    there = [name_of(each) for each in gathered.of_kind(_KINDS.get(kind, kind))]
    near = difflib.get_close_matches(name, there, n=1)
    key = f"services.{service.name}.workload in {settings.file.name}"
    return failed(
        f"the manifests have no {service.workload}, which is to run {service.name}",
        expected=service.workload or "",
        found=f"{kind}s: {', '.join(there)}" if there else f"no {kind}",
        where=str(gathered.folder),
        remedy=f"did you mean {kind}/{near[0]}? correct {key}" if near else f"add it, or correct {key}",
    )


def _have_its_port(service: Service, gathered: Gathered, settings: Settings) -> Verdict:
    """Look for a Service that leads to the pods, at the port of the settings, and to a port that they open."""
    workload = _workload(service, gathered)
    labels = {} if workload is None else labels_of_pods(workload)
    leading = [each for each in gathered.of_kind("Service") if selects(spec_of(each).get("selector") or {}, labels)]
    ports = [port for each in leading for port in spec_of(each).get("ports") or ()]
    found = next((port for port in ports if port.get("port") == service.port), None)
    where, key = f"{gathered.folder}", f"services.{service.name}.port in {settings.file.name}"
    if found is None:
        others = ", ".join(str(port.get("port")) for port in ports)
        return failed(
            f"no Service leads to {service.name} at port {service.port}",
            expected=f"a Service with port {service.port} that selects the pods of {service.workload}",
            found=f"port {others}" if others else "no Service that selects them",
            where=where,
            remedy=f"correct the port of the Service, or {key}",
        )
    opened = [port for container in _containers(workload) for port in container.get("ports") or ()]
    target = found.get("targetPort", found.get("port"))
    if not opened or any(target in (port.get("containerPort"), port.get("name")) for port in opened):
        return passed(f"port {service.port} leads to {service.workload}")
    names = ", ".join(str(port.get("name") or port.get("containerPort")) for port in opened)
    return failed(
        f"port {service.port} of {service.name} leads to a port that its container does not open",
        expected=f"a container port {target}",
        found=f"container ports: {names}",
        where=f"{service.workload} in {where}",
        remedy=f"correct targetPort of the Service, or the ports of {service.workload}",
    )


def _containers(workload: Object | None) -> Iterator[Object]:
    template = None if workload is None else pods_of(workload)
    if template is not None:
        yield from spec_of(template).get("initContainers") or ()
        yield from spec_of(template).get("containers") or ()


def _have_its_password(service: Service, gathered: Gathered, settings: Settings) -> Verdict:
    source = service.password
    name, key = (None, None) if source is None else (source.secret, source.key)
    secret = gathered.named("Secret", name or "")
    held = {each for field in ("data", "stringData") for each in ((secret or {}).get(field) or {})}
    if (secret is None and name in settings.required_secrets) or key in held:
        return passed(f"the Secret {name} has the key {key}" if secret is not None else f"{name} is made elsewhere")
    return failed(
        f"the password of {service.name} is not among the manifests",
        expected=f"the key {key} of a Secret {name}",
        found="no such Secret" if secret is None else f"the keys {', '.join(sorted(held)) or 'none'}",
        where=str(gathered.folder),
        remedy=f"add it to the manifests, correct services.{service.name}.password in {settings.file.name}, or, where "
        f"it is made elsewhere, name {name} in required_secrets",
    )
