"""The commands that look at an environment as a whole, on the reference environment in a real cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.environment import ROOT, brought_up, for_developer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.conftest import ReferenceCluster
    from tests.cluster.environment import ReferenceEnvironment

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

WITHIN_S = 600
SLOT = 4
COMMAND = (sys.executable, "-c", "from pytest_devenv.cli import main; main()")


def call(cluster: ReferenceCluster, namespace: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `pytest-devenv` in the repository, on the cluster, with nobody at the terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_DEVENV_")}
    chosen = {
        "KUBECONFIG": str(cluster.kubeconfig),
        "PYTEST_DEVENV_TARGET": "cluster",
        "PYTEST_DEVENV_CONTEXT": cluster.context,
        "PYTEST_DEVENV_NAMESPACE": namespace,
    }
    return subprocess.run(
        [*COMMAND, *words],
        cwd=ROOT,
        env={**kept, **chosen, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def told(done: subprocess.CompletedProcess[str], code: int) -> dict[str, Any]:
    """Return what was printed as JSON; the exit code has to be this one."""
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def mine(
    reference_cluster: ReferenceCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReferenceEnvironment]:
    """Give the reference environment of one more developer, whom the other files leave alone."""
    overlay = for_developer(SLOT, tmp_path_factory.mktemp("developer"))
    with brought_up(reference_cluster, overlay, f"kiro-dev-{SLOT}") as made:
        yield made


def test_stages_pass_in_the_cluster(mine: ReferenceEnvironment) -> None:
    """From the set-up to the registration, which pytest checks against the environment as its manifests make it."""
    words = ("env", "verify", "--until=registration", "--json")
    found = told(call(mine.cluster, mine.namespace, *words), 0)
    assert found["target"] == "cluster"
    stages = {each["name"]: each for each in found["stages"]}
    assert list(stages) == ["set-up", "migrations", "connectivity", "registration"]
    assert all(each["verdict"]["state"] == "pass" and each["checks"] for each in stages.values())


def test_graph_of_the_cluster_has_a_verdict_for_everything(mine: ReferenceEnvironment) -> None:
    """Each service and database passes, and nothing is a root failure."""
    found = told(call(mine.cluster, mine.namespace, "env", "graph", "--format=json"), 0)
    assert {each["state"] for each in found["nodes"]} == {"pass"}
    assert not [each for each in found["nodes"] if each["root"]]


def test_validate_asks_the_cluster_that_it_reaches(reference_cluster: ReferenceCluster) -> None:
    """The reference environment is valid: its kustomizations build, and the cluster tells its version."""
    report = told(call(reference_cluster, "kiro-dev", "validate", "--json"), 0)
    found = {each["probe"]: each["verdict"] for each in report["checks"]}
    assert found["cluster.can_be_reached[cluster]"]["state"] == "pass"
    built = [each for name, each in found.items() if name.startswith("manifests.can_be_built[")]
    assert len(built) >= 4
    assert {each["state"] for each in built} == {"pass"}


def test_where_nothing_is_deployed_the_pipeline_stops_and_the_guide_offers_the_remedy(
    reference_cluster: ReferenceCluster,
) -> None:
    """A namespace that is not there is the one root, and what deploys into that one is offered, not run unasked."""
    found = told(call(reference_cluster, "kiro-nowhere", "env", "verify", "--json"), 1)
    first, *others = found["stages"]
    assert "kiro-nowhere" in first["verdict"]["summary"]
    assert first["verdict"]["remedy"] == f"tilt up --context={reference_cluster.context}"
    assert {each["run"] for each in others} == {False}
    done = call(reference_cluster, "kiro-nowhere", "guide")
    assert "to run: " in done.stdout, done.stdout + done.stderr
    assert done.returncode == 3


def test_guide_brings_back_what_somebody_has_scaled_away(mine: ReferenceEnvironment, tmp_path: Path) -> None:
    """It offers the remedy of the root, waits for what comes of it, and ends with a healthy environment."""
    (tmp_path / "kubectl").symlink_to(shutil.which("kubectl") or os.devnull)  # and no Tilt, which it would start
    mine.kubectl("scale", "deployment/redis", "--replicas=0")
    done = call(mine.cluster, mine.namespace, "guide", "--yes", PATH=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "scale deployment/redis --replicas=1" in done.stdout
    assert "kiro is healthy on the target cluster" in done.stdout
