"""The reference environment in a real cluster: from its manifests, and by the commands that Tilt's buttons run.

One file, since several processes share the tests by files, and there is one such environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.report.shards import merge
from tests.cluster.environment import ROOT, ReferenceEnvironment, brought_up, for_developer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

_RUN_S = 300
_MEASURED_S = 120
_COMMAND = (sys.executable, "-c", "from pytest_devenv.cli import main; main()", "env")

# Reads the volume that outlives the pods, as any pod of the namespace may.
READER = {
    "restartPolicy": "Never",
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "records", "persistentVolumeClaim": {"claimName": "records"}}],
}


def read_records(environment: ReferenceEnvironment, command: str) -> str:
    """Return what a shell command finds below /records."""
    container = {
        "name": "reader",
        "image": "kiro/tools:dev",
        "command": ["sh", "-c", command],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "records", "mountPath": "/records"}],
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "reader-"},
        "spec": {"backoffLimit": 0, "template": {"spec": {**READER, "containers": [container]}}},
    }
    made = environment.kubectl("create", "--filename=-", "--output=name", stdin=json.dumps(job)).strip()
    return environment.finished(made.removeprefix("job.batch/"))


def test_the_server_accepts_the_manifests_and_finds_no_drift(environment: ReferenceEnvironment) -> None:
    """A server-side dry run has no complaint, and what is deployed is what is written."""
    live = str(ROOT / "k8s" / "overlays" / "live")
    which = "--selector=app.kubernetes.io/name in (backend, frontend)"
    said = environment.cluster.kubectl("apply", "--dry-run=server", "--kustomize", live, which)
    assert "deployment.apps/backend configured (server dry run)" in said
    assert environment.cluster.kubectl("diff", "--kustomize", str(ROOT / "k8s")) == ""


def looked_at(environment: ReferenceEnvironment, report: Path) -> dict[str, dict[str, Any]]:
    """Return the verdicts of a run that holds what is deployed to the manifests, by the probe."""
    words = ("-m", "schema", "-k", "manifests", f"--devenv-report={report}", "-p", "no:cacheprovider")
    pinned = {
        "KUBECONFIG": str(environment.cluster.kubeconfig),
        "PYTEST_DEVENV_TARGET": "cluster",
        "PYTEST_DEVENV_CONTEXT": environment.cluster.context,
        "PYTEST_DEVENV_DEADLINE": "30s",
    }
    subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=ROOT,
        env={**os.environ, **pinned},
        capture_output=True,
        timeout=_RUN_S,
        check=False,
    )
    return {each["probe"]: each["verdict"] for each in json.loads(report.read_text())["checks"]}


def test_what_is_deployed_is_held_to_the_manifests(environment: ReferenceEnvironment, tmp_path: Path) -> None:
    """Of all that was applied a run tells the one value that was edited since, and its remedy undoes that."""
    environment.kubectl("patch", "configmap/backend", "--patch", '{"data": {"LOG_LEVEL": "debug"}}')
    verdicts = looked_at(environment, tmp_path / "report.json")
    assert verdicts["manifests.are_accepted[cluster]"]["state"] == "pass", verdicts
    found = verdicts["manifests.are_deployed[cluster]"]
    assert (found["state"], found["found"]) == ("fail", "configmap/backend: data.LOG_LEVEL: debug → info"), verdicts
    assert found["summary"] == "configmap/backend is not as the manifests say"
    remedy = found["remedy"].partition("have it so: ")[2]
    given = {**os.environ, "KUBECONFIG": str(environment.cluster.kubeconfig)}
    subprocess.run(["/bin/sh", "-c", remedy], cwd=ROOT, env=given, capture_output=True, timeout=_RUN_S, check=True)
    assert environment.get("configmap", "backend")["data"]["LOG_LEVEL"] == "info"


def test_the_migration_builds_every_database_and_marks_it(environment: ReferenceEnvironment) -> None:
    """The Job applied every migration, found the tables, and left its log on the volume; the database is marked."""
    log = environment.finished("database-migration")
    assert "applied" in log
    assert "tables" in log
    assert environment.query("SELECT environment FROM pytest_devenv.marker") == "development"
    kept = read_records(environment, "cat /records/migrations/*.log")
    assert "tables" in kept


def test_the_backend_waited_for_the_tables(environment: ReferenceEnvironment) -> None:
    """Its init container ended when the tables were there, and its log says what it saw."""
    log = environment.kubectl("logs", "deployment/backend", "--container=wait-for-migration")
    assert "kiro: " in log
    assert "tables" in log
    ready = environment.kubectl(
        "get", "--raw", f"/api/v1/namespaces/{environment.namespace}/services/backend:http/proxy/ready"
    )
    assert json.loads(ready)["ready"] is True


def assert_healthy(environment: ReferenceEnvironment, log: str) -> None:
    """Assert that a run of the health suite inside passed, by its log and by the report on the volume."""
    assert "kiro is healthy" in log
    report = json.loads(read_records(environment, "cat /records/health/health.json"))
    assert (report["state"], report["exit_code"]) == ("pass", 0)
    assert report["environment"]["target"] == "cluster"


def test_the_environment_is_healthy_from_inside(environment: ReferenceEnvironment) -> None:
    """The health Job passes with no more rights than its own, and its report is on the volume."""
    assert_healthy(environment, environment.resumed("health"))


def test_the_health_run_may_look_and_nothing_more(environment: ReferenceEnvironment) -> None:
    """Its ServiceAccount lists pods, and reads no secret and changes nothing."""
    account = f"--as=system:serviceaccount:{environment.namespace}:health"

    def may(*words: str) -> bool:
        try:
            return environment.kubectl("auth", "can-i", account, *words).strip() == "yes"
        except subprocess.CalledProcessError as error:
            assert error.stdout.strip() == "no"  # noqa: PT017  # kubectl answers with its exit code too
            return False

    assert may("list", "pods")
    assert may("get", "pods/log")
    assert may("list", "nodes")
    for forbidden in (
        ("get", "secrets"),
        ("list", "secrets"),
        ("delete", "pods"),
        ("create", "jobs"),
        ("create", "pods/exec"),
    ):
        assert not may(*forbidden)
    assert not may("list", "pods", "--namespace=kube-system")


def test_seeds_are_sown_when_asked_for(environment: ReferenceEnvironment) -> None:
    """The suspended Job has made nothing; let go, it makes the artists of the development layer."""
    assert environment.get("job", "database-seed")["status"].get("succeeded") is None
    environment.resumed("database-seed")
    assert environment.query("SELECT count(*) FROM artists") == "5"


def test_a_second_migration_changes_nothing(environment: ReferenceEnvironment) -> None:
    """Made anew, the Job completes again, and the history of migrations is the same."""
    history = "SELECT version, installed_on FROM _sqlx_migrations ORDER BY version"
    before = environment.query(history)
    environment.kubectl("delete", "job", "database-migration", "--wait=true")
    which = "--selector=app.kubernetes.io/name=database-migration"
    environment.cluster.kubectl("apply", "--kustomize", str(environment.kustomization), which)
    environment.finished("database-migration")
    assert environment.query(history) == before


def test_a_suite_is_shared_by_the_pods_of_an_indexed_job(environment: ReferenceEnvironment) -> None:
    """Each pod runs its part, and the reports at the end of their logs make one of the whole."""
    environment.kubectl("apply", "--kustomize", str(ROOT / "k8s" / "suite"))
    environment.finished("suite")
    pods = environment.get("pods", "--selector=job-name=suite")["items"]
    logs = [environment.kubectl("logs", pod["metadata"]["name"]) for pod in pods]
    reports = [json.loads(log[log.rindex("\n{\n") :]) for log in logs]
    assert len(reports) == 3
    whole = merge(reports)
    assert whole["state"] == "pass"
    assert len(whole["checks"]) == sum(len(report["checks"]) for report in reports)
    assert all(report["checks"] for report in reports)


def test_two_developers_live_side_by_side(environment: ReferenceEnvironment, tmp_path: Path) -> None:
    """One changed digit makes an environment of its own: namespace, local ports, database, and what runs hourly."""
    overlay = for_developer(2, tmp_path)
    with brought_up(environment.cluster, overlay, "kiro-dev-2") as second:
        page = "/api/v1/namespaces/{}/services/frontend:http/proxy/config.js"
        assert "http://localhost:3200" in second.kubectl("get", "--raw", page.format(second.namespace))
        assert "http://localhost:3000" in environment.kubectl("get", "--raw", page.format(environment.namespace))
        marker = "SELECT system_identifier FROM pytest_devenv.marker"
        assert second.query(marker) != environment.query(marker)
        second.kubectl("create", "job", "health-now", "--from=cronjob/health")
        assert_healthy(second, second.finished("health-now"))
    environment.kubectl("rollout", "status", "deployment/backend", "--timeout=60s")


def run_command(environment: ReferenceEnvironment, *words: str) -> str:
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
        [*_COMMAND, *words],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=_RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_service_status_has_what_the_kubelet_measures(environment: ReferenceEnvironment) -> None:
    """Every workload is told, with its memory once that is measured; without Tilt it is said why no build is known."""
    end = time.monotonic() + _MEASURED_S
    while True:
        found = json.loads(run_command(environment, "service-status", "--json"))
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
    said = run_command(environment, "setup")
    order = [said.index(f"/5 {name}") for name in ("postgres", "redis", "database-migration", "backend", "frontend")]
    assert order == sorted(order)
    status = run_command(environment, "db-status")
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
    said = run_command(environment, "job", "database-migration", "--verify")
    assert "kiro: 15 of 15 tables" in said.partition("the schema, looked at afterwards:")[2]
    assert environment.get("job", "database-migration")["metadata"]["uid"] != before
    assert f"to remove in {environment.namespace}" in run_command(environment, "cleanup", "--dry-run")
    assert environment.get("job", "database-migration")["status"]["succeeded"] == 1
