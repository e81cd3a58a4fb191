"""What a run says of a workload in the cluster that is not as it should be: one root, its reason, and a remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.faults.deployed import evidence, not_well, waits_with

if TYPE_CHECKING:
    from tests.cluster.faults.deployed import Deployed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

BACKEND = "workload.is_rolled_out[backend]"
REDIS = "workload.is_rolled_out[redis]"
NOBODYS = "localhost:1/nobody/backend:1"
_LIVES = 4


def killed_for_memory(status: dict[str, Any]) -> bool:
    """Return whether this life of a container or the one before ended for its memory."""
    lives = ((status.get(which) or {}).get("terminated", {}) for which in ("state", "lastState"))
    return any(life.get("reason") == "OOMKilled" for life in lives)


def test_a_healthy_shop_passes(standing: Deployed) -> None:
    """Everything that is looked at passes, and nothing is left."""
    run = standing.run()
    assert not_well(run) == {}
    assert run.exit_code == 0
    assert {BACKEND, REDIS, "job.completed[migrate]", "dns.resolves[cluster]"} <= run.states.keys()


def test_an_image_that_is_not_there(shop: Deployed) -> None:
    """A new image that cannot be pulled is named while the old one serves on, and the remedy goes back to that."""
    shop.kubectl("set", "image", "deployment/backend", f"backend={NOBODYS}")
    shop.until_container("backend", says=waits_with("ErrImagePull", "ImagePullBackOff"))
    verdict = shop.run().only_root(BACKEND)
    assert verdict["summary"] == f"deployment/backend cannot pull the image {NOBODYS}"
    assert "connection refused" in verdict["found"]
    assert "Failed" in evidence(verdict)
    shop.do(verdict["remedy"])
    shop.until_rolled_out()
    assert shop.run().exit_code == 0


def test_a_backend_that_runs_out_of_memory(shop: Deployed) -> None:
    """A container that the kernel kills for its memory is told from one that crashes."""
    shop.kubectl("set", "env", "deployment/backend", "--containers=backend", "HOARD_BYTES=400000000")

    def told(verdict: dict[str, Any]) -> bool:
        return str(verdict["summary"]).endswith("runs out of memory: backend was killed at its limit of 128Mi")

    for _ in range(_LIVES):  # the runtime may learn too late why a life ended, and says of the next one
        shop.until_container("backend", says=killed_for_memory)
        verdict = shop.run().only_root(BACKEND)
        if told(verdict):
            break
    assert told(verdict), verdict
    assert "exit code 137" in verdict["found"]
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
