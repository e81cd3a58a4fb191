"""What the handle of a cluster does: looked at with a real API, in which nothing runs."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.kubernetes import ApiError
from pytest_devenv.errors import GuardError, TargetError, WaitTimeoutError
from pytest_devenv.fixtures.cluster import ClusterHandle
from pytest_devenv.settings import Tier
from tests.cluster.controlplane.conftest import DEPLOYMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from pytest_devenv.settings import Settings

    Later: TypeAlias = Callable[[Callable[[], object]], None]

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(300)]

SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
"""
WIDGETS = """
apiVersion: shop.example.com/v1
kind: Widget
metadata: {name: first}
spec: {size: 3}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example.com}
spec:
  group: shop.example.com
  names: {kind: Widget, plural: widgets, shortNames: [wg]}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


@pytest.fixture
def later() -> Iterator[Later]:
    """Give what does something in half a second, while the test waits for it."""
    threads: list[threading.Thread] = []

    def begin(action: Callable[[], object]) -> None:
        def run() -> None:
            time.sleep(0.5)
            action()

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join()


def status(space: ClusterHandle, name: str, **fields: Any) -> None:  # noqa: ANN401  # whatever a status holds
    """Say of a deployment what its controller would."""
    path = f"/apis/apps/v1/namespaces/{space.namespace}/deployments/{name}/status"
    space.api.request("PATCH", path, {"status": fields}, content_type="application/merge-patch+json")


def test_yaml_is_applied_and_found(space: ClusterHandle) -> None:
    """What is applied is there, in the namespace of the handle, by the name that kubectl has for it."""
    (applied,) = space.apply(SETTINGS)
    assert applied["metadata"]["namespace"] == space.namespace
    assert applied["metadata"]["managedFields"][0]["manager"] == "pytest-devenv"
    assert space.get("cm/settings")["data"] == {"colour": "blue"}
    assert [each["metadata"]["name"] for each in space.objects("configmaps") if "data" in each] == ["settings"]


def test_manifests_come_from_files_folders_and_values(space: ClusterHandle, tmp_path: Path) -> None:
    """A file, a folder of files, a manifest and several are all taken."""
    folder = tmp_path / "k8s"
    folder.mkdir()
    (folder / "settings.yaml").write_text(SETTINGS)
    (folder / "backend.yml").write_text(DEPLOYMENT)
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "another"}, "data": {"a": "b"}}
    names = [
        [each["metadata"]["name"] for each in space.apply(source)]
        for source in ("k8s/settings.yaml", folder, manifest, [manifest, {**manifest, "metadata": {"name": "third"}}])
    ]
    assert names == [["settings"], ["backend", "settings"], ["another"], ["another", "third"]]


def test_a_kustomization_is_built(space: ClusterHandle, tmp_path: Path, kubectl: str) -> None:
    """A folder with a kustomization is built as kubectl builds it, and what kubectl says of a broken one is told."""
    assert kubectl
    folder = tmp_path / "k8s"
    folder.mkdir()
    (folder / "settings.yaml").write_text(SETTINGS)
    (folder / "kustomization.yaml").write_text("namePrefix: my-\nresources: [settings.yaml]\n")
    assert [each["metadata"]["name"] for each in space.apply("k8s")] == ["my-settings"]
    (folder / "settings.yaml").unlink()
    with pytest.raises(TargetError, match=r"(?s)expected a kustomization that can be built, found: .*settings\.yaml"):
        space.apply("k8s")


def test_a_kind_that_was_just_defined_is_applied_too(space: ClusterHandle) -> None:
    """A definition goes before what it defines, wherever it stands, and kubectl's short names work for it."""
    try:
        kinds = [each["kind"] for each in space.apply(WIDGETS)]
        assert kinds == ["CustomResourceDefinition", "Widget"]
        assert space.get("wg/first")["spec"] == {"size": 3}
        assert len(space.objects("widgets.shop.example.com")) == 1
    finally:
        space.delete("crd/widgets.shop.example.com")


def test_a_field_of_another_manager_is_a_conflict_that_names_it(space: ClusterHandle) -> None:
    """What somebody else manages is not taken silently: who and which field is said, and `force` takes it."""
    space.apply(DEPLOYMENT)
    path = space.get("deployment/backend")["metadata"]["name"]
    patch = {"spec": {"replicas": 5}}
    space.api.request(
        "PATCH",
        f"/apis/apps/v1/namespaces/{space.namespace}/deployments/{path}",
        patch,
        content_type="application/merge-patch+json",
        fieldManager="autoscaler",
    )
    with pytest.raises(ApiError) as caught:
        space.apply(DEPLOYMENT)
    assert caught.value.status == 409
    assert '"autoscaler"' in caught.value.message
    assert ".spec.replicas" in caught.value.message
    assert caught.value.remedy is not None
    assert "force=True" in caught.value.remedy
    assert space.apply(DEPLOYMENT, force=True)[0]["spec"]["replicas"] == 2


def test_a_dry_run_judges_and_changes_nothing(space: ClusterHandle) -> None:
    """The server says what is wrong with a manifest, and a good one is not there afterwards."""
    space.apply(SETTINGS, dry_run=True)
    with pytest.raises(ApiError, match="configmaps settings is not there"):
        space.get("configmap/settings")
    with pytest.raises(ApiError, match=r"spec\.template\.spec\.containers"):
        space.apply(DEPLOYMENT.replace('[{name: backend, image: "shop/backend:1"}]', "[]"), dry_run=True)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("kind: [\n", "expected YAML, found: "),
        (
            "apiVersion: v1\nkind: Secret\n",
            "expected manifests with apiVersion, kind and metadata.name, found document 1",
        ),
        ("none.yaml", "expected a file of manifests, found that it cannot be read"),
        (".", "found neither a kustomization nor a YAML file in the folder"),
        ("apiVersion: v9\nkind: Thing\nmetadata: {name: x}\n", "expected a kind of object .*found Thing of v9"),
    ],
)
def test_what_is_no_manifest_is_refused(space: ClusterHandle, source: str, found: str) -> None:
    """What cannot be applied is said before anything is sent, with where it stands."""
    with pytest.raises(TargetError, match=found):
        space.apply(source)


def test_nothing_is_changed_in_production(cluster: ClusterHandle, settings: Settings) -> None:
    """An environment that is no development environment is looked at and not changed."""
    handle = ClusterHandle(cluster.target, replace(settings, environment=Tier.PRODUCTION))
    assert handle.objects("configmaps") is not None
    for change in (lambda: handle.apply(SETTINGS), lambda: handle.delete("cm/settings")):
        with pytest.raises(GuardError, match="refused: the environment is production"):
            change()


def test_what_is_deleted_is_gone(space: ClusterHandle) -> None:
    """A deletion returns when the object is gone, and what is not there is as good as deleted."""
    space.apply(SETTINGS)
    space.delete("configmap/settings")
    space.delete("configmap/settings")
    space.delete(SETTINGS)
    with pytest.raises(ApiError) as caught:
        space.get("configmap/settings")
    assert caught.value.missing


def test_a_wait_sees_the_change_that_it_waits_for(space: ClusterHandle, later: Later) -> None:
    """A condition that comes true while it is waited for ends the wait, with the object as it then is."""
    space.apply(DEPLOYMENT)
    available = {"type": "Available", "status": "True", "reason": "Enough", "message": "all of them"}
    later(lambda: status(space, "backend", conditions=[available], observedGeneration=1))
    seen = space.wait("deployment/backend", "Available", deadline_s=60)
    assert seen is not None
    assert seen["status"]["conditions"][0]["reason"] == "Enough"


@pytest.mark.parametrize(
    ("condition", "status_of"),
    [
        ("condition=Progressing=False", {"conditions": [{"type": "Progressing", "status": "False"}]}),
        ("jsonpath={.status.readyReplicas}=2", {"replicas": 2, "readyReplicas": 2}),
        ("jsonpath={.status.conditions[0].type}", {"conditions": [{"type": "Odd", "status": "Unknown"}]}),
        (
            "rollout",
            {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2},
        ),
        (lambda seen: seen["status"].get("replicas") == 7, {"replicas": 7}),
    ],
)
def test_the_conditions_of_kubectl_are_understood(
    space: ClusterHandle,
    later: Later,
    condition: Any,  # noqa: ANN401  # a text or a function
    status_of: dict[str, Any],
) -> None:
    """A condition with a value, a path, a rollout and a function are each met when the object says so."""
    space.apply(DEPLOYMENT)
    later(lambda: status(space, "backend", **status_of))
    assert space.wait("deploy/backend", condition, deadline_s=60) is not None


def test_creation_and_deletion_are_waited_for(space: ClusterHandle, later: Later) -> None:
    """What is not there yet is waited for, and so is what is there still."""
    later(lambda: space.apply(SETTINGS))
    assert space.wait("cm/settings", "create", deadline_s=60) is not None
    later(lambda: space.delete("cm/settings"))
    assert space.wait("cm/settings", "delete", deadline_s=60) is None


def test_a_wait_that_is_over_says_what_it_last_saw(space: ClusterHandle) -> None:
    """After the deadline the message holds what was wanted, what was there, where, and how to look further."""
    space.apply(DEPLOYMENT)
    short = {"type": "Available", "status": "False", "reason": "TooFew", "message": "no pod is ready"}
    status(space, "backend", conditions=[short], replicas=2, readyReplicas=1, observedGeneration=1)
    with pytest.raises(WaitTimeoutError) as caught:
        space.wait("deployment/backend", "Available", deadline_s=0.5)
    assert str(caught.value) == (
        f"waited 0.5 s for deployment/backend in namespace {space.namespace} to have the condition Available=True\n"
        "  expected: it to have the condition Available=True\n"
        "  found: 1 of 2 ready; Available=False (TooFew: no pod is ready)\n"
        "  where: context devenv-controlplane\n"
        f"  remedy: {space.api.access.kubectl} --namespace {space.namespace} describe deployment/backend"
    )
    with pytest.raises(WaitTimeoutError, match="found: it is not there"):
        space.wait("deployment/frontend", "Available", deadline_s=0.1)


def test_a_condition_of_an_older_generation_does_not_count(space: ClusterHandle) -> None:
    """After a change what was said of the object before it is not taken for what it is now."""
    space.apply(DEPLOYMENT)
    available = {"type": "Available", "status": "True"}
    status(space, "backend", conditions=[available], observedGeneration=1)
    space.apply(DEPLOYMENT.replace("replicas: 2", "replicas: 3"))
    with pytest.raises(WaitTimeoutError, match=r"found: .*Available=True"):
        space.wait("deployment/backend", "Available", deadline_s=0.5)


@pytest.mark.parametrize("word", ["backend", "deployment/", "a/b/c", "deployment backend"])
def test_a_name_without_its_kind_is_refused(space: ClusterHandle, word: str) -> None:
    """An object is named by its kind and its name, and what is not is said to be none."""
    with pytest.raises(TargetError, match="expected a kind and a name, such as deployment/backend, found"):
        space.get(word)


def test_an_unknown_kind_is_named(space: ClusterHandle) -> None:
    """A kind that the server does not have is named, with the command that lists those that it has."""
    with pytest.raises(TargetError) as caught:
        space.get("gadget/first")
    assert str(caught.value) == (
        "expected a kind of object that the API server has, found gadget, looked at context devenv-controlplane\n"
        f"  remedy: see which there are: {space.api.access.kubectl} api-resources"
    )


def test_events_are_told_in_their_order(space: ClusterHandle) -> None:
    """The events of one object are told apart from those of others, the latest last."""
    for name, about, at in (("b", "backend", "10:01"), ("a", "backend", "10:00"), ("c", "frontend", "10:02")):
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": space.namespace},
            "involvedObject": {"kind": "Deployment", "name": about, "namespace": space.namespace},
            "type": "Warning",
            "reason": "Failed",
            "message": f"message {name}",
            "lastTimestamp": f"2026-01-01T{at}:00Z",
            "count": 3,
        }
        space.api.request("POST", f"/api/v1/namespaces/{space.namespace}/events", event)
    assert [str(each) for each in space.events("deployment/backend")] == [
        "2026-01-01T10:00:00Z Warning Failed deployment/backend: message a (3 times)",
        "2026-01-01T10:01:00Z Warning Failed deployment/backend: message b (3 times)",
    ]
    assert len(space.events()) == 3


def test_typed_clients_reach_the_same_place(space: ClusterHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients of the package `kubernetes` see the same cluster: no proxy is on the way to this machine itself."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    space.apply(SETTINGS)
    space.apply(DEPLOYMENT)
    assert space.core.read_namespaced_config_map("settings", space.namespace).data == {"colour": "blue"}
    assert space.apps.read_namespaced_deployment("backend", space.namespace).spec.replicas == 2
    assert space.batch.list_namespaced_job(space.namespace).items == []
    assert space.core is space.core


def test_a_user_may_do_what_a_role_allows_and_nothing_else(space: ClusterHandle) -> None:
    """A refusal names the verb and the resource, and what the group of the user is given is allowed."""
    anna = space.user("anna", groups=["developers"])
    with pytest.raises(ApiError) as caught:
        anna.objects("pods")
    assert (caught.value.verb, caught.value.resource, caught.value.status) == ("list", "pods", 403)
    assert f"not allowed to list pods in namespace {space.namespace}" in str(caught.value)
    assert 'User "anna"' in str(caught.value)
    space.apply(
        """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: looks}
rules: [{apiGroups: [""], resources: [pods], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: developers-look}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: looks}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: developers}]
"""
    )
    deadline = time.monotonic() + 60
    while True:  # the server's own view of its roles follows by a watch
        try:
            assert anna.objects("pods") == []
            break
        except ApiError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with pytest.raises(ApiError, match="not allowed to delete pods x"):
        anna.delete("pod/x")


def test_users_are_ours_on_our_control_plane_alone(cluster: ClusterHandle, settings: Settings) -> None:
    """On a cluster of somebody else no user is made, and the way to one where they are is said."""
    other = ClusterHandle(replace(cluster.target, context="kind-devenv", kubeconfig=None), settings)
    with pytest.raises(TargetError, match="whose users are ours to make, found context kind-devenv"):
        other.user("anna")
