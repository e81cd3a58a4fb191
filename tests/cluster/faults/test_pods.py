"""What a run says of a workload in the cluster that is not as it should be: one root, its reason, and a remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.faults.deployed import deployed, not_well

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.conftest import ReferenceCluster
    from tests.cluster.faults.deployed import Deployed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

BACKEND = "workload.is_rolled_out[backend]"
REDIS = "workload.is_rolled_out[redis]"
NOBODYS = "localhost:1/nobody/backend:1"


def waits_with(reason: str) -> Callable[[dict[str, Any]], bool]:
    """Return whether a container waits for this reason, as a question to its status."""
    return lambda status: status["state"].get("waiting", {}).get("reason") == reason


def evidence(verdict: dict[str, Any]) -> str:
    """Return all that is shown beside a verdict."""
    return "\n".join(f"{each['title']}\n{each['text']}" for each in verdict["evidence"])


def test_a_healthy_shop_passes(standing: Deployed) -> None:
    """Everything that is looked at passes, and nothing is left."""
    run = standing.run()
    assert not_well(run) == {}
    assert run.exit_code == 0
    assert {BACKEND, REDIS, "job.completed[migrate]", "dns.resolves[cluster]"} <= run.states.keys()


def test_an_image_that_is_not_there(shop: Deployed) -> None:
    """A new image that cannot be pulled is named while the old one serves on, and the remedy goes back to that."""
    shop.kubectl("set", "image", "deployment/backend", f"backend={NOBODYS}")
    shop.until_container("backend", says=waits_with("ImagePullBackOff"))
    verdict = shop.run().only_root(BACKEND)
    assert verdict["summary"] == f"deployment/backend cannot pull the image {NOBODYS}"
    assert "connection refused" in verdict["found"]
    assert "Failed" in evidence(verdict)
    shop.do(verdict["remedy"])
    shop.until_rolled_out()
    assert shop.run().exit_code == 0


def test_a_database_url_with_a_wrong_password(shop: Deployed) -> None:
    """A backend that cannot log in is not ready, and its own log says why."""
    wrong = "DATABASE_URL=postgres://shop:wrong-word@postgres:5432/shop"
    shop.kubectl("set", "env", "deployment/backend", "--containers=backend", wrong)
    shop.until_told("backend", "Unhealthy")
    verdict = shop.run().only_root(BACKEND)
    assert verdict["summary"] == "deployment/backend is not ready: the readiness probe of backend fails"
    assert "statuscode: 503" in verdict["found"]
    assert 'password authentication failed for user "shop"' in evidence(verdict)


def test_a_key_of_a_secret_that_was_deleted(shop: Deployed) -> None:
    """A key that is gone is told once, by the check of that secret, and the workload that waits for it is blocked."""
    gone = [{"op": "remove", "path": "/data/api-token"}]
    shop.kubectl("patch", "secret", "shop", "--type=json", f"--patch={json.dumps(gone)}")
    shop.kubectl("rollout", "restart", "deployment/backend")
    shop.until_container("backend", says=waits_with("CreateContainerConfigError"))
    run = shop.run()
    verdict = run.only_root("secret.is_present[api-token]")
    assert verdict["summary"] == "secret api-token is missing: the Secret shop has no key api-token"
    assert run.states[BACKEND] == "blocked"
    shop.do(verdict["remedy"])
    shop.until_rolled_out()
    assert shop.run().exit_code == 0


def test_a_volume_claim_of_a_class_that_is_not_there(shop: Deployed) -> None:
    """A pod that no node takes names the claim, and the class that it asks for in vain."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "of-nobody",
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    shop.kubectl("create", "--filename=-", stdin=json.dumps(claim))
    try:
        patch = {"spec": {"template": {"spec": {"volumes": volumes}}}}
        shop.kubectl("patch", "deployment/redis", "--patch", json.dumps(patch))
        shop.until_told("redis", "FailedScheduling")
        verdict = shop.run().only_root(REDIS)
        assert "the volume claim data asks for the storage class of-nobody, which is not there" in verdict["summary"]
        assert verdict["found"] == "storage class of-nobody"
    finally:
        shop.restore()
        shop.kubectl("delete", "pvc", "data")


def test_a_backend_that_runs_out_of_memory(shop: Deployed) -> None:
    """A container that the kernel kills for its memory is told from one that crashes."""
    shop.kubectl("set", "env", "deployment/backend", "--containers=backend", "HOARD_BYTES=400000000")
    shop.until_container(
        "backend",
        says=lambda status: any(
            (status.get(which) or {}).get("terminated", {}).get("reason") == "OOMKilled"
            for which in ("state", "lastState")
        ),
    )
    verdict = shop.run().only_root(BACKEND)
    assert verdict["summary"] == "deployment/backend runs out of memory: backend was killed at its limit of 128Mi"
    assert verdict["found"].startswith("OOMKilled (exit code 137)")
    shop.do(verdict["remedy"])
    shop.until_rolled_out()


def test_a_redis_that_crashes_again_and_again(shop: Deployed) -> None:
    """A crash loop has the exit code and the last lines of the life before, even in an instant in which it runs."""
    args = [
        {
            "op": "replace",
            "path": "/spec/template/spec/containers/0/args",
            "value": ["redis-server", "--maxmemory", "much"],
        }
    ]
    shop.kubectl("patch", "deployment/redis", "--type=json", f"--patch={json.dumps(args)}")
    shop.until_container("redis", says=lambda status: status["restartCount"] > 0)
    run = shop.run()
    verdict = run.only_root(REDIS)
    assert verdict["summary"] == "deployment/redis crashes again and again: exit code 1"
    assert "maxmemory" in evidence(verdict)
    assert run.states["redis.answers[redis]"] == run.states[BACKEND] == "blocked"


def test_a_typo_in_the_selector_of_a_service(shop: Deployed) -> None:
    """A Service that selects nobody is told with the labels that would match, by a patch that makes it so."""
    shop.kubectl("patch", "service/backend", "--patch", '{"spec": {"selector": {"app": "backand"}}}')
    shop.until(lambda: not shop.get("endpoints", "backend").get("subsets"))
    verdict = shop.run().only_root("service.has_endpoints[backend]")
    assert verdict["summary"] == "the Service backend selects no pod: app=backand is no label of them"
    shop.do(verdict["remedy"])
    shop.until(lambda: bool(shop.get("endpoints", "backend").get("subsets")))
    assert shop.run().exit_code == 0


def test_a_request_that_no_node_can_meet(shop: Deployed) -> None:
    """An unschedulable pod names the resource, and the remedy asks for less of it."""
    shop.kubectl("set", "resources", "deployment/redis", "--requests=memory=900Gi")
    shop.until_told("redis", "FailedScheduling")
    verdict = shop.run().only_root(REDIS)
    assert verdict["summary"] == "deployment/redis cannot be scheduled: no node has enough memory"
    shop.do(verdict["remedy"])
    shop.until_rolled_out()


def test_a_pod_that_is_evicted(shop: Deployed) -> None:
    """A pod that writes more than it may is thrown out by its node: that is the reason, whatever its successor does."""
    write = "with open('/scratch/full', 'wb') as file:\n    file.write(bytes(16 << 20))\nimport time\ntime.sleep(3600)"
    backend = {
        "name": "backend",
        "command": ["python", "-c", write],
        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
    }
    pod = {"volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Mi"}}], "containers": [backend]}
    shop.shop.edit("stable_s = 30", "stable_s = 600")
    try:
        shop.kubectl("patch", "deployment/backend", "--patch", json.dumps({"spec": {"template": {"spec": pod}}}))
        failed = ("pods", "--selector=app=backend", "--field-selector=status.phase=Failed")
        shop.until(lambda: bool(shop.get(*failed)["items"]))
        verdict = shop.run().only_root(BACKEND)
        assert verdict["summary"] == "deployment/backend was evicted"
        assert 'Evicted: Usage of EmptyDir volume "scratch" exceeds the limit "1Mi"' in verdict["found"]
        assert "kubectl" in verdict["remedy"]
    finally:
        shop.shop.edit("stable_s = 600", "stable_s = 30")
        shop.restore()
        shop.kubectl("delete", "pods", "--field-selector=status.phase=Failed")


def test_a_migration_that_fails(reference_cluster: ReferenceCluster, tmp_path: Path) -> None:
    """The Job is the one root, its log is shown, and the backend, which waits for it, never starts."""
    with deployed(reference_cluster, tmp_path, broken_migration=True) as shop:
        shop.kubectl("wait", "--for=condition=failed", "job/migrate", "--timeout=240s")
        shop.until_container(
            "backend", says=lambda status: status["name"] == "wait-for-migration" and "running" in status["state"]
        )
        run = shop.run()
        verdict = run.only_root("job.completed[migrate]")
        assert verdict["summary"].startswith("job/migrate fails: exit code ")
        assert 'relation "nobody" does not exist' in evidence(verdict)
        assert "kubectl" in verdict["remedy"]
        assert "delete job/migrate" in verdict["remedy"]
        assert {run.states[each] for each in (BACKEND, "migrations.all_applied[shop]", "http.answers[backend]")} == {
            "blocked"
        }
        pods = shop.get("pods", "--selector=app=backend")["items"]
        assert [each["state"] for pod in pods for each in pod["status"]["containerStatuses"]] == [
            {"waiting": {"reason": "PodInitializing"}}
        ]
