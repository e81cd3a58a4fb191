"""`pytest-devenv env test-migration` in a real cluster: the migration alone, and nothing left of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.environment import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.conftest import ReferenceCluster

pytestmark = pytest.mark.cluster

COMMAND = (sys.executable, "-c", "from pytest_devenv.cli import main; main()", "env", "test-migration", "--json")
SECRET = "for-development-only-never-in-production"  # the value of jwt-secret in the manifests
_RUN_S = 600


def rehearse(cluster: ReferenceCluster, *words: str) -> tuple[int, dict[str, Any]]:
    """Run the command in the repository, and return its exit code and its result."""
    variables = {"KUBECONFIG": str(cluster.kubeconfig), "PYTEST_DEVENV_CONTEXT": cluster.context}
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=_RUN_S,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr
    return done.returncode, json.loads(done.stdout)


def left(cluster: ReferenceCluster, namespace: str) -> str:
    """Return what kubectl finds of a namespace."""
    return cluster.kubectl("get", "namespace", namespace, "--ignore-not-found", "--output=name")


def test_the_migration_builds_a_whole_schema_and_seeds_fill_it(reference_cluster: ReferenceCluster) -> None:
    """Both Jobs complete, every look at the schema passes, and the namespace is gone."""
    code, result = rehearse(reference_cluster)
    assert [each for each in result["schema"] if each["state"] != "pass"] == []
    assert (code, result["succeeded"]) == (0, True)
    assert result["migration"]["succeeded"]
    assert result["seed"]["succeeded"]
    assert any("15 of 15 tables" in verdict["summary"] for verdict in result["schema"])
    assert left(reference_cluster, result["namespace"]) == ""


def test_a_migration_that_fails_is_told_with_its_log(reference_cluster: ReferenceCluster, tmp_path: Path) -> None:
    """Exit code 1, the reason and the last lines, without a value of the Secrets in them; nothing is left."""
    folder = tmp_path / "k8s"
    shutil.copytree(ROOT / "k8s", folder)
    file = folder / "base" / "migration.yaml"
    text = file.read_text()
    command = "pytest-devenv db migrate && pytest-devenv db wait --timeout 10s"
    assert text.count(command) == 1
    broken = text.replace(command, f'echo "relation users is broken, says {SECRET}" && false')
    file.write_text(broken.replace("backoffLimit: 4", "backoffLimit: 0").replace("OnFailure", "Never"))
    code, result = rehearse(reference_cluster, "--manifests", str(folder))
    assert (code, result["succeeded"]) == (1, False)
    assert "BackoffLimitExceeded" in result["migration"]["reason"]
    assert "relation users is broken" in result["migration"]["log"]
    assert SECRET not in json.dumps(result)
    assert (result["schema"], result["seed"]) == ([], None)
    assert left(reference_cluster, result["namespace"]) == ""
