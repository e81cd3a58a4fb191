"""What the buttons of Tilt run, from a terminal: on the reference environment of the manifests, without Tilt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.environment import ROOT

if TYPE_CHECKING:
    from tests.cluster.environment import ReferenceEnvironment

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

MEASURED_S = 120
COMMAND = (sys.executable, "-c", "from pytest_devenv.cli import main; main()", "env")


def run(environment: ReferenceEnvironment, *words: str) -> str:
    """Run a command on the environment, and return what it printed; one that fails is an AssertionError."""
    given = {
        "KUBECONFIG": str(environment.cluster.kubeconfig),
        "PYTEST_DEVENV_TARGET": "cluster",
        "PYTEST_DEVENV_CONTEXT": environment.cluster.context,
        "PYTEST_DEVENV_NAMESPACE": environment.namespace,
        "PYTEST_DEVENV_DEADLINE": "60s",
        "TILT_PORT": "1",
    }
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_service_status_has_what_the_kubelet_measures(environment: ReferenceEnvironment) -> None:
    """Every workload is told, with its memory once that is measured; without Tilt it is said why no build is known."""
    end = time.monotonic() + MEASURED_S
    while True:
        found = json.loads(run(environment, "service-status", "--json"))
        workloads = {each["name"]: each for each in found["workloads"]}
        assert {"deployment/backend", "deployment/postgres", "job/database-migration"} <= set(workloads)
        postgres = workloads["deployment/postgres"]
        if not postgres["unmeasured"]:
            break
        assert postgres["memory_bytes"] is postgres["cpu_cores"] is postgres["disk_bytes"] is None
        assert time.monotonic() < end, "the kubelet has measured a pod that has just begun"
    assert postgres["memory_bytes"] > 5 * 2**20
    assert workloads["job/database-migration"]["state"] == "complete"
    assert "tilt" in found["without_builds"].lower()


def test_setup_and_database_status_find_the_environment_whole(environment: ReferenceEnvironment) -> None:
    """Each service in its order, then the schema; and of each database its history and its rows."""
    said = run(environment, "setup")
    order = [said.index(f"/5 {name}") for name in ("postgres", "redis", "database-migration", "backend", "frontend")]
    assert order == sorted(order)
    status = run(environment, "db-status")
    for text in (
        "job/database-migration: complete",
        "audit log, applied 20",
        "kiro: 15 of 15 tables",
        "public.users: ",
    ):
        assert text in status


def test_job_runs_again_and_the_schema_is_looked_at(environment: ReferenceEnvironment) -> None:
    """A finished Job is made anew; what it has made is verified, and a dry run of cleaning up takes nothing."""
    before = environment.get("job", "database-migration")["metadata"]["uid"]
    said = run(environment, "job", "database-migration", "--verify")
    assert "kiro: 15 of 15 tables" in said.partition("the schema, looked at afterwards:")[2]
    assert environment.get("job", "database-migration")["metadata"]["uid"] != before
    assert f"to remove in {environment.namespace}" in run(environment, "cleanup", "--dry-run")
    assert environment.get("job", "database-migration")["status"]["succeeded"] == 1
