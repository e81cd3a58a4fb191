"""Whether a Service leads to its pods, and by which ports."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_devenv.probes.cluster import ports, services
from pytest_devenv.settings import Service, ServiceKind
from pytest_devenv.verdict import State, Verdict
from tests.unit.probes.cluster.samples import KUBECTL, K, Object, container, deployment, pod, replicaset, snapshot

BACKEND = Service(name="backend", kind=ServiceKind.HTTP, workload="deployment/backend", port=3000)


def service(selector: dict[str, str] | None = None, *, name: str = "backend", **port: object) -> Object:
    """Return a Service of one port."""
    given = {"app": "backend"} if selector is None else selector
    return {"metadata": {"name": name}, "spec": {"selector": given, "ports": [{"port": 3000, **port}]}}


def piece(*addresses: str, ready: bool = True, name: str = "backend") -> Object:
    """Return an endpoint slice of a Service."""
    return {
        "metadata": {"labels": {"kubernetes.io/service-name": name}},
        "endpoints": [{"addresses": list(addresses), "conditions": {"ready": ready}}],
    }


def judged(*found: Object, slices: tuple[Object, ...] = (), needed: bool = True) -> Verdict:
    """Return the verdict on the backend, whose pod has the address 10.244.0.7."""
    there = snapshot(
        services=found,
        endpointslices=slices,
        pods=(pod(container()),),
        deployments=(deployment(),),
        replicasets=(replicaset(1),),
    )
    return services.judge(BACKEND, there, KUBECTL, needed=needed)


def test_a_service_with_a_ready_endpoint_is_well() -> None:
    """One ready pod of the workload behind the Service is enough."""
    assert judged(service(), slices=(piece("10.244.0.7"),)).summary == "1 ready behind backend: 10.244.0.7"


def test_a_typo_in_the_selector_is_named_with_what_would_fit() -> None:
    """A Service that selects no pod says which label is wrong, and the patch that makes it right."""
    verdict = judged(service({"app": "backand"}))
    assert verdict.summary == "the Service backend selects no pod: app=backand is no label of them"
    assert verdict.expected == "a selector that fits its pods: app=backend"
    assert verdict.found == "the selector app=backand; the pods have app=backend"
    patch = """'{"spec": {"selector": {"app": "backend"}}}'"""
    assert verdict.remedy == f"{K} patch service/backend --patch {patch}"


def test_a_selector_of_labels_that_no_pod_has_is_replaced() -> None:
    """Where not even the key is a label of the pods, the patch takes it out."""
    verdict = judged(service({"name": "backend"}))
    patch = """'{"spec": {"selector": {"name": null, "app": "backend"}}}'"""
    assert verdict.remedy == f"{K} patch service/backend --patch {patch}"


def test_a_service_that_leads_to_other_pods_is_not_well() -> None:
    """Ready endpoints of somebody else are none of the workload's."""
    verdict = judged(service({"app": "frontend"}), slices=(piece("10.244.0.9"),))
    assert verdict.summary == "the Service backend selects no pod: app=frontend is no label of them"


def test_a_service_whose_pods_are_not_ready_has_no_endpoint() -> None:
    """An endpoint that is not ready leads nowhere."""
    verdict = judged(service(), slices=(piece("10.244.0.7", ready=False),))
    assert verdict.summary == "the Service backend has no ready endpoint"
    assert verdict.remedy == f"{K} get pods -l app=backend --show-labels"


def test_a_service_by_another_name_is_found_by_its_selector() -> None:
    """What selects the pods is the Service, however it is called."""
    assert judged(service(name="api"), slices=(piece("10.244.0.7", name="api"),)).passed


def test_no_service_fails_only_what_others_require() -> None:
    """A workload that nobody has to reach needs no Service."""
    assert judged(needed=False).state is State.OFF
    verdict = judged()
    assert verdict.summary == "no Service leads to deployment/backend"
    assert verdict.remedy == f"{K} apply -k k8s"


@pytest.mark.parametrize(
    ("port", "container_port", "summary"),
    [
        ({}, 3000, "backend: 3000, as the settings and the container say"),
        ({"targetPort": "http"}, 3000, "backend: 3000 → http, as the settings and the container say"),
        ({"targetPort": 3001}, 3000, "the Service backend leads to port 3001, which no container has"),
        ({"targetPort": "web"}, 3000, "the Service backend leads to port web, which no container has"),
        ({"port": 80}, 3000, "the Service backend has no port 3000"),
    ],
)
def test_ports_agree(port: dict[str, Any], container_port: int, summary: str) -> None:
    """The port of the settings is the Service's, and leads to one that a container names."""
    spec = {"containers": [{"name": "backend", "ports": [{"name": "http", "containerPort": container_port}]}]}
    there = snapshot(
        services=(service(**port),),
        pods=(pod(container(), spec=spec),),
        deployments=(deployment(),),
        replicasets=(replicaset(1),),
    )
    assert ports.judge(BACKEND, 3000, there, KUBECTL).summary == summary


def test_a_wrong_target_port_is_patched() -> None:
    """The remedy leads the Service to the container's port."""
    spec = {"containers": [{"name": "backend", "ports": [{"containerPort": 3000}]}]}
    there = snapshot(
        services=(service(targetPort=3001),),
        pods=(pod(container(), spec=spec),),
        deployments=(deployment(),),
        replicasets=(replicaset(1),),
    )
    verdict = ports.judge(BACKEND, 3000, there, KUBECTL)
    assert verdict.expected == "a targetPort that is one of the containers': 3000"
    patch = """'{"spec": {"ports": [{"port": 3000, "targetPort": 3000}]}}'"""
    assert verdict.remedy == f"{K} patch service/backend --patch {patch}"
