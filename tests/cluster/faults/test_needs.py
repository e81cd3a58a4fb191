"""What a run says of a workload that is well itself and not given what it needs: one root, its reason, and a remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cluster.faults.deployed import deployed, evidence, waits_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.conftest import ReferenceCluster
    from tests.cluster.faults.deployed import Deployed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

BACKEND = "workload.is_rolled_out[backend]"
REDIS = "workload.is_rolled_out[redis]"


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


def test_a_typo_in_the_selector_of_a_service(shop: Deployed) -> None:
    """A Service that selects nobody is told with the labels that would match, by a patch that makes it so."""
    shop.kubectl("patch", "service/backend", "--patch", '{"spec": {"selector": {"app": "backand"}}}')
    shop.until(lambda: not shop.get("endpoints", "backend").get("subsets"))
    verdict = shop.run().only_root("service.has_endpoints[backend]")
    assert verdict["summary"] == "the Service backend selects no pod: app=backand is no label of them"
    shop.do(verdict["remedy"])
    shop.until(lambda: bool(shop.get("endpoints", "backend").get("subsets")))
    assert shop.run().exit_code == 0


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
