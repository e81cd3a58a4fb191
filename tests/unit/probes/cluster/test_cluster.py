"""What is judged of the cluster as a whole: its clock, its version, its nodes, the namespace, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.kubernetes.access import Access, Login
from pytest_devenv.clients.kubernetes.errors import refused as refused_by_client
from pytest_devenv.clients.kubernetes.naming import asked
from pytest_devenv.probes.cluster.answers import Answer, judge_clock, judge_skew
from pytest_devenv.probes.cluster.differences import differences
from pytest_devenv.probes.cluster.manifests import judge_drift
from pytest_devenv.probes.cluster.namespace import judge_namespace
from pytest_devenv.probes.cluster.nodes import judge_nodes
from pytest_devenv.probes.cluster.refusals import forbidden, refused
from pytest_devenv.probes.cluster.tried import Tried
from pytest_devenv.verdict import State
from tests.unit.probes.cluster.samples import DEPLOY, KUBECTL, K, Object, container, pod, snapshot

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes import ApiError

ACCOUNT = "system:serviceaccount:shop-dev:health"
GIB = 1 << 30
ACCESS = Access(
    context="kind-shop", server="https://shop", namespace=None, login=Login(name="ada"), source="~/.kube/config"
)


def denied(path: str, *, status: int = 403, user: str = ACCOUNT) -> ApiError:
    """Return the error of a request that this user may not make."""
    what = asked("GET", path)
    said = f'{what.resource} is forbidden: User "{user}" cannot {what.verb} resource "{what.resource}"'
    reason = {403: "Forbidden", 401: "Unauthorized"}[status]
    return refused_by_client(
        what, status=status, reason=reason, said=said, place=f"GET {path}", access=ACCESS, renewal="log in again"
    )


def node(*conditions: tuple[str, str], **spec: object) -> Object:
    """Return a node with these conditions."""
    given = [{"type": kind, "status": status, "reason": "Why", "message": "so it is"} for kind, status in conditions]
    return {"metadata": {"name": "shop-1"}, "spec": spec, "status": {"conditions": given}}


@pytest.mark.parametrize(
    ("date_s", "summary"),
    [
        (100, "the API server's clock and this machine's agree"),
        (99, "the API server's clock and this machine's agree"),
        (130, "the API server's clock is 29.5 s ahead of this machine's"),
        (60, "the API server's clock is 39.4 s behind this machine's"),
    ],
)
def test_the_clock_is_judged_as_far_as_whole_seconds_tell(date_s: float, summary: str) -> None:
    """What the Date header cannot tell is not held against the server."""
    answer = Answer(version="v1.36.3", date_s=date_s, asked_s=100.4, came_s=100.5)
    assert judge_clock(answer, "https://shop").summary == summary
    assert judge_clock(replace(answer, date_s=None), "https://shop").state is State.UNKNOWN


@pytest.mark.parametrize(
    ("client", "server", "state"),
    [
        ("v1.36.3", "v1.36.3", State.PASS),
        ("v1.35.0", "v1.36.3", State.PASS),
        ("v1.33.0", "v1.36.3-gke.1", State.OFF),
        ("master", "v1.36.3", State.OFF),
    ],
)
def test_kubectl_may_be_one_minor_version_apart(client: str, server: str, state: State) -> None:
    """Within one minor version of the server kubectl is supported; beyond that it is told of, and fails nothing."""
    assert judge_skew(client, server, "/usr/bin/kubectl").state is state


def test_nodes_are_judged_by_their_conditions() -> None:
    """A node that is not ready, or is short of something, is named with the kubelet's own words."""
    assert judge_nodes((), {}, KUBECTL).summary == "the cluster has no node"
    assert judge_nodes((node(("Ready", "True")),), {}, KUBECTL).summary == "1 node ready, disk by its conditions alone"
    verdict = judge_nodes((node(("Ready", "Unknown")),), {}, KUBECTL)
    assert (verdict.summary, verdict.found) == ("the node shop-1 is not ready", "Why: so it is")
    verdict = judge_nodes((node(("Ready", "True"), ("DiskPressure", "True")),), {}, KUBECTL)
    assert verdict.summary == "the node shop-1 is short of disk"
    cordoned = judge_nodes((node(("Ready", "True"), unschedulable=True),), {}, KUBECTL)
    assert cordoned.remedy == "kubectl --context kind-shop uncordon shop-1"


def test_a_disk_is_full_by_its_share_and_its_size() -> None:
    """A few per cent of a large disk are room enough."""
    ready = (node(("Ready", "True")),)

    def disk(free: int, capacity: int) -> dict[str, object]:
        return {"shop-1": {"node": {"fs": {"availableBytes": free, "capacityBytes": capacity}}}}

    assert judge_nodes(ready, disk(20 * GIB, 1000 * GIB), KUBECTL).passed
    verdict = judge_nodes(ready, disk(GIB // 2, 100 * GIB), KUBECTL)
    assert verdict.summary == "the disk of the node shop-1 is nearly full"
    assert verdict.found == "0.5 of 100.0 GiB free"


def test_a_namespace_that_is_not_there_is_deployed() -> None:
    """A missing namespace is what applying the manifests makes."""
    verdict = judge_namespace(replace(snapshot(), namespace=None), KUBECTL)
    assert (verdict.summary, verdict.remedy) == ("the namespace shop-dev is not there", DEPLOY)


def test_a_namespace_that_is_being_deleted_says_what_is_left() -> None:
    """A namespace that cannot go says what holds it."""
    left = {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "1 finalizer"}
    given = {"metadata": {"name": "shop-dev"}, "status": {"phase": "Terminating", "conditions": [left]}}
    assert judge_namespace(replace(snapshot(), namespace=given), KUBECTL).found == "Terminating: 1 finalizer"


def test_who_may_not_see_the_namespace_sees_it_by_what_is_in_it() -> None:
    """Something that was listed is somewhere."""
    error = denied("/api/v1/namespaces/shop-dev")
    assert judge_namespace(replace(snapshot(pods=(pod(container()),)), namespace=error), KUBECTL).passed
    assert judge_namespace(replace(snapshot(), namespace=error), KUBECTL).state is State.UNKNOWN


def test_a_look_that_is_forbidden_names_the_right_to_grant() -> None:
    """A refusal is neither good nor bad news; it names who may not do what, and the rule that lets them."""
    errors = (
        denied("/api/v1/namespaces/shop-dev/pods"),
        denied("/apis/apps/v1/namespaces/shop-dev/deployments"),
        denied("/api/v1/nodes"),
    )
    verdict = forbidden(errors, KUBECTL)
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == f"{ACCOUNT} may not list pods, list deployments.apps, list nodes in namespace shop-dev"
    account = "--serviceaccount=shop-dev:health"
    assert verdict.remedy == (
        f"{K} create role pytest-devenv-list-pods --verb=get,list --resource=pods,deployments.apps && "
        f"{K} create rolebinding pytest-devenv-list-pods --role=pytest-devenv-list-pods {account} && "
        "kubectl --context kind-shop create clusterrole pytest-devenv-list-nodes --verb=get,list --resource=nodes && "
        "kubectl --context kind-shop create clusterrolebinding pytest-devenv-list-nodes "
        f"--clusterrole=pytest-devenv-list-nodes {account}"
    )
    assert (forbidden((denied("/api/v1/nodes", user="ada"),), KUBECTL).remedy or "").endswith("--user=ada")


def test_credentials_that_are_not_accepted_are_a_failure() -> None:
    """An expired token is said in the client's words, with its remedy."""
    verdict = refused(denied("/version", status=401), KUBECTL)
    assert verdict.state is State.FAIL
    assert verdict.summary == "the API server does not accept these credentials"
    assert verdict.remedy == "log in again"


def test_differences_are_told_by_their_paths() -> None:
    """Containers are known by their names, what the server keeps is no difference, and of a Secret only places show."""
    one = {"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"c": [{"name": "x", "image": "1"}]}, "status": 1}
    other = {"metadata": {"name": "a", "resourceVersion": "2"}, "spec": {"c": [{"name": "x", "image": "2"}], "n": 1}}
    assert differences(one, other) == ["spec.c[x].image: 1 → 2", "spec.n: nothing → 1"]
    assert differences({"data": {"k": "czE="}}, {"kind": "Secret", "data": {"k": "czI="}}) == ["data.k"]


def test_a_job_that_was_let_run_has_not_drifted() -> None:
    """To resume a suspended Job is to use it; a suspended CronJob is what its manifest says."""
    run, held = {"suspend": False, "backoffLimit": 4}, {"suspend": True, "backoffLimit": 4}
    assert differences({"kind": "Job", "spec": run}, {"kind": "Job", "spec": held}) == []
    assert differences({"kind": "CronJob", "spec": run}, {"kind": "CronJob", "spec": held}) == [
        "spec.suspend: False → True"
    ]


def test_drift_is_what_applying_would_change() -> None:
    """What is there and would be changed, and what is not there, has drifted from the manifests."""
    manifest = {"kind": "ConfigMap", "metadata": {"name": "shop"}}
    same = Tried(object=manifest, would_be=manifest, is_now=manifest)
    assert judge_drift((same,), KUBECTL).passed
    verdict = judge_drift((same, Tried(object=manifest, would_be=manifest)), KUBECTL)
    assert (verdict.summary, verdict.found) == (
        "configmap/shop is not as the manifests say",
        "configmap/shop: is not there",
    )
    assert verdict.remedy == f"see it: {K} diff -k k8s; have it so: {DEPLOY}"
