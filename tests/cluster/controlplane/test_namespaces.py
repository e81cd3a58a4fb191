"""A namespace of a test's own: whose it says it is, when it goes, and what of others is swept."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from pytest_devenv.clients.kubernetes import ApiError
from pytest_devenv.fixtures.namespaces import is_left, sweep

if TYPE_CHECKING:
    from pytest_devenv.fixtures.cluster import ClusterHandle

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(300)]

NOW = datetime.now(UTC).isoformat()
OLD = (datetime.now(UTC) - timedelta(days=2)).isoformat()


def labels_of(cluster: ClusterHandle) -> dict[str, str]:
    """Return the labels of a namespace that this process makes."""
    with cluster.isolated() as space:
        labels: dict[str, str] = cluster.get(f"namespace/{space.namespace}")["metadata"]["labels"]
    return labels


def made(labels: dict[str, str], created: str) -> dict[str, object]:
    """Return the metadata of a namespace with these labels that came to be then."""
    return {"labels": labels, "creationTimestamp": created}


def going(cluster: ClusterHandle, name: str) -> bool:
    """Tell whether a namespace is gone, or marked to go: without a controller manager nothing takes it away."""
    found: dict[str, Any] = {each["metadata"]["name"]: each["metadata"] for each in cluster.objects("namespaces")}
    return name not in found or "deletionTimestamp" in found[name]


def test_it_is_there_for_the_test_and_goes_with_it(cluster: ClusterHandle) -> None:
    """The namespace is another one than the environment's, is empty of others' work, and goes even after a failure."""
    with cluster.isolated() as first, cluster.isolated() as second:
        names = {first.namespace, second.namespace}
        assert {first.context, second.context} == {cluster.context}
        assert len(names - {cluster.namespace}) == 2
        assert not any(going(cluster, name) for name in names)

    def fail() -> None:
        with cluster.isolated() as third:
            names.add(third.namespace)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert all(going(cluster, name) for name in names)


def test_it_says_whose_it_is(cluster: ClusterHandle) -> None:
    """Its labels name the run, the machine, the process and when that began, and who it is that made it."""
    labels = labels_of(cluster)
    assert labels["app.kubernetes.io/managed-by"] == "pytest-devenv"
    assert labels["pytest-devenv/pid"] == str(psutil.Process().pid)
    assert labels["pytest-devenv/started"] == str(int(psutil.Process().create_time()))
    assert labels["pytest-devenv/run"]
    assert not is_left(made(labels, NOW))


def test_an_owner_that_is_gone_is_known(cluster: ClusterHandle) -> None:
    """One is left when its process has ended, when its number is another's now, or after a day on another machine."""
    labels = labels_of(cluster)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert is_left(made({**labels, "pytest-devenv/pid": str(ended.pid)}, NOW))
    assert is_left(made({**labels, "pytest-devenv/started": "1"}, NOW))
    assert not is_left(made({**labels, "pytest-devenv/host": "another.1"}, NOW))
    assert is_left(made({**labels, "pytest-devenv/host": "another.1"}, OLD))
    assert not is_left(made({"pytest-devenv/host": labels["pytest-devenv/host"]}, NOW))


def test_what_a_killed_run_left_is_swept_and_nothing_else(cluster: ClusterHandle) -> None:
    """The next run deletes the namespaces of dead owners, and not those of living ones or of anybody else."""
    labels = labels_of(cluster)

    def make(name: str, **more: str) -> None:
        given = {**labels, **{f"pytest-devenv/{key}": value for key, value in more.items()}}
        metadata = {"name": name, "labels": given}
        cluster.api.request("POST", "/api/v1/namespaces", {"metadata": metadata})

    make("left", started="1")
    make("living")
    make("of-somebody", purpose="another", started="1")
    cluster.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: foreign}\n")
    sweep(cluster.api)
    assert going(cluster, "left")
    assert not any(going(cluster, name) for name in ("living", "of-somebody", "foreign", cluster.namespace))


def test_who_may_not_list_namespaces_sweeps_nothing(cluster: ClusterHandle) -> None:
    """A user without the right to look is not hindered by what others left: the refusal is of the making alone."""
    anna = cluster.user("anna")
    sweep(anna.api)
    with pytest.raises(ApiError, match="not allowed to create namespaces"), anna.isolated():
        pass
