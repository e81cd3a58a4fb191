"""Whether each service's Kubernetes Service leads to pods that are ready, and whether their ports agree."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.namespace import readable_id
from pytest_devenv.probes.cluster.objects import labels_of, name_of, selector_text, selects, spec_of, status_of
from pytest_devenv.probes.cluster.rollout import RESOURCES, rollout_of
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.cluster.workloads import rolled_out_id, workload_of
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import failed, off, passed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.shared import Shared
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

NAME = "service.has_endpoints"
_NEVER_TYPED = frozenset({"pod-template-hash", "controller-revision-hash", "pod-template-generation"})


def probes(settings: Settings, shared: Shared[Snapshot]) -> Iterator[Probe]:
    """Yield a probe for every service with an address in the cluster."""
    for service in settings.services.values():
        if service.kind is ServiceKind.JOB:
            continue
        runs = readable_id(settings) if workload_of(service) is None else rolled_out_id(service)
        needed = any(service.name in other.requires for other in settings.services.values())
        look = partial(_has_endpoints, service, shared, needed=needed)
        yield Probe(name=NAME, subject=service.name, look=look, requires=(runs,))


def has_endpoints_id(service: Service) -> str:
    """Return the id of the probe that says whether a service can be reached by its name."""
    return probe_id(NAME, service.name)


def pods_of(service: Service, snapshot: Snapshot) -> tuple[Object, ...]:
    """Return the pods of a service's workload, those of the current revision first; none without a workload."""
    found = workload_of(service)
    workload = None if found is None else snapshot.named(RESOURCES[found[0]], found[1])
    if found is None or workload is None:
        return ()
    return rollout_of(found[0], workload, snapshot).pods


def service_of(service: Service, snapshot: Snapshot) -> Object | None:
    """Return the Kubernetes Service of a service: the one called as it or its workload is, else one that selects it."""
    found = workload_of(service)
    names = (service.name, *(() if found is None else (found[1],)))
    for name in names:
        named = snapshot.named("services", name)
        if named is not None:
            return named
    labels = [labels_of(pod) for pod in pods_of(service, snapshot)]
    services = snapshot.all("services")
    return next((each for each in services if any(selects(_selector(each), mine) for mine in labels)), None)


def _has_endpoints(service: Service, shared: Shared[Snapshot], environment: Environment, *, needed: bool) -> Verdict:
    cluster = cluster_of(environment)
    snapshot = shared.get(has_endpoints_id(service), environment)
    return judge(service, snapshot, kubectl_of(environment.settings, cluster), needed=needed)


def judge(service: Service, snapshot: Snapshot, kubectl: Kubectl, *, needed: bool) -> Verdict:
    """Return whether something ready is behind the Service, and if not, whether its selector is to blame."""
    leading = service_of(service, snapshot)
    where = f"namespace {kubectl.namespace}, context {kubectl.context or 'of this pod'}"
    if leading is None:
        if not needed:
            return off(f"no Service leads to {service.workload or service.name}, and nothing requires it")
        port = service.port or 80
        return failed(
            f"no Service leads to {service.workload or service.name}",
            expected=f"a Service {service.name}, by which others reach it",
            found="none of this name, and none that selects its pods",
            where=where,
            remedy=kubectl.deploy(
                kubectl("expose", service.workload or f"deployment/{service.name}", f"--port={port}")
            ),
        )
    name, selector = name_of(leading), _selector(leading)
    if spec_of(leading).get("type") == "ExternalName":
        return off(f"the Service {name} is a name for {spec_of(leading).get('externalName')}")
    ready, pods = _ready_addresses(name, snapshot), pods_of(service, snapshot)
    if ready and (not pods or not ready.isdisjoint(_addresses(pods))):
        return passed(f"{len(ready)} ready behind {name}: {', '.join(sorted(ready)[:3])}", ready=len(ready))
    theirs = labels_of(pods[0]) if pods else {}
    if selector and pods and not selects(selector, theirs):
        return _selector_wrong(name, selector, theirs, where, kubectl)
    return failed(
        f"the Service {name} has no ready endpoint",
        expected="at least one ready endpoint",
        found=f"none; it selects {selector_text(selector)}" if selector else "none, and it has no selector",
        where=f"service/{name}, {where}",
        remedy=kubectl("get", "pods", "-l", selector_text(selector), "--show-labels")
        if selector
        else kubectl("describe", f"service/{name}"),
    )


def _selector_wrong(
    name: str, selector: Mapping[str, str], theirs: Mapping[str, str], where: str, kubectl: Kubectl
) -> Verdict:
    """Return which labels the Service selects, which the pods have, and the patch that makes them the same."""
    wrong = {key: value for key, value in selector.items() if theirs.get(key) != value}
    fitting = {key: theirs.get(key) for key in selector} | _replaced(wrong, selector, theirs)
    text = selector_text({key: value for key, value in fitting.items() if value is not None})
    pairs = ", ".join(
        f'"{key}": {"null" if value is None else chr(34) + value + chr(34)}' for key, value in fitting.items()
    )
    return failed(
        f"the Service {name} selects no pod: {selector_text(wrong)} is no label of them",
        expected=f"a selector that fits its pods: {text}",
        found=f"the selector {selector_text(selector)}; the pods have {selector_text(_typed(theirs))}",
        where=f"service/{name}, {where}",
        remedy=kubectl("patch", f"service/{name}", "--patch", f'{{"spec": {{"selector": {{{pairs}}}}}}}'),
    )


def _replaced(
    wrong: Mapping[str, str], selector: Mapping[str, str], theirs: Mapping[str, str]
) -> dict[str, str | None]:
    """Return, where no key of the selector is a label of the pods, the labels that would do instead."""
    if any(key in theirs for key in selector):
        return {}
    return {**dict.fromkeys(wrong), **_typed(theirs)}


def _typed(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if key not in _NEVER_TYPED}


def _selector(each: Object) -> Mapping[str, str]:
    return spec_of(each).get("selector") or {}


def _addresses(pods: tuple[Object, ...]) -> set[str]:
    return {str(each.get("ip")) for pod in pods for each in status_of(pod).get("podIPs") or ()}


def _ready_addresses(name: str, snapshot: Snapshot) -> set[str]:
    """Return the addresses of the endpoints of a Service that are ready."""
    return {
        address
        for piece in snapshot.all("endpointslices")
        if labels_of(piece).get("kubernetes.io/service-name") == name
        for endpoint in piece.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for address in endpoint.get("addresses") or ()
    }
