"""The cluster that the tests in this folder share."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.environment import ReferenceEnvironment
    from tests.cluster.postgres import Deployed

CONTEXT_VARIABLE = "TEST_CLUSTER_CONTEXT"
_KUBECTL_S = 120
# Several processes share the files: whoever begins with a long one late holds up the end of all.
_LONGEST_FIRST = (
    "test_reference.py",
    "faults/test_pods.py",
    "test_kind.py",
    "controlplane/test_fixture.py",
    "faults/test_needs.py",
    "test_commands.py",
    "test_target.py",
    "faults/test_access.py",
    "test_rehearsal.py",
    "controlplane/test_start.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the files first that take longest."""
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@dataclass(frozen=True, slots=True)
class ReferenceCluster:
    """How the cluster of the tests is reached: its kubeconfig, and the context in it."""

    kubeconfig: Path
    context: str

    def kubectl(self, *words: str, stdin: str | None = None, deadline_s: float = _KUBECTL_S) -> str:
        """Return what kubectl prints; raises CalledProcessError, whose notes hold what it complains of."""
        command = ["kubectl", f"--kubeconfig={self.kubeconfig}", f"--context={self.context}", *words]
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=deadline_s, check=True)
        except subprocess.CalledProcessError as error:
            error.add_note(error.stderr)
            raise
        return done.stdout


@pytest.fixture(scope="session")
def reference_cluster() -> ReferenceCluster:
    """Give the cluster that `make cluster` made; where there is none, skip, and with CI=true fail."""
    context, kubeconfig = os.environ.get(CONTEXT_VARIABLE), os.environ.get("KUBECONFIG")
    if context is not None and kubeconfig is not None:
        return ReferenceCluster(Path(kubeconfig), context)
    how = "the cluster of the tests is not there: make cluster, then make test-cluster"
    if os.environ.get("CI") == "true":
        pytest.fail(how)
    pytest.skip(how)


@pytest.fixture(autouse=True)
def _cluster_for_marked(request: pytest.FixtureRequest) -> None:
    """Ask for the cluster on behalf of each test that is marked to need it."""
    if request.node.get_closest_marker("cluster") is not None:
        request.getfixturevalue("reference_cluster")


@pytest.fixture(scope="session")
def deployed(reference_cluster: ReferenceCluster) -> Iterator[Deployed]:
    """Give a PostgreSQL of one pod, in a namespace of its own."""
    from tests.cluster import postgres

    with postgres.deployed(reference_cluster) as made:
        yield made


@pytest.fixture(scope="session")
def environment(reference_cluster: ReferenceCluster) -> Iterator[ReferenceEnvironment]:
    """Give the reference environment, up and migrated, as its manifests make it."""
    from tests.cluster.environment import reference

    with reference(reference_cluster) as made:
        yield made
