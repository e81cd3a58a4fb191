"""When a workload counts as rolled out, and what is said of an object that is not as it should be."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_devenv.clients.kubernetes.waiting import described, is_rolled_out


def workload(kind: str, generation: int = 1, *, wanted: int | None = 2, **status: int) -> dict[str, Any]:
    """Return a workload with this status."""
    spec = {} if wanted is None else {"replicas": wanted}
    return {"kind": kind, "metadata": {"generation": generation}, "spec": spec, "status": status}


FULL = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("seen", "there"),
    [
        pytest.param(workload("Deployment", observedGeneration=1, **FULL), True, id="all replicas"),
        pytest.param(workload("Deployment", 2, observedGeneration=1, **FULL), False, id="an older generation"),
        pytest.param(
            workload("Deployment", observedGeneration=1, **{**FULL, "replicas": 3}), False, id="an old replica is left"
        ),
        pytest.param(
            workload("Deployment", observedGeneration=1, **{**FULL, "availableReplicas": 1}), False, id="one too few"
        ),
        pytest.param(
            workload("Deployment", observedGeneration=1, wanted=None, **dict.fromkeys(FULL, 1)),
            True,
            id="one by default",
        ),
        pytest.param(workload("Deployment", wanted=0, observedGeneration=1), True, id="none wanted"),
        pytest.param(workload("Deployment"), False, id="not looked at yet"),
        pytest.param(workload("StatefulSet", observedGeneration=1, **FULL), True, id="stateful set"),
        pytest.param(
            workload(
                "DaemonSet",
                observedGeneration=1,
                wanted=None,
                desiredNumberScheduled=3,
                updatedNumberScheduled=3,
                numberAvailable=3,
            ),
            True,
            id="daemon set",
        ),
        pytest.param(
            workload("DaemonSet", observedGeneration=1, wanted=None, desiredNumberScheduled=3, numberAvailable=3),
            False,
            id="daemon set, none updated",
        ),
    ],
)
def test_a_rollout_is_over_when_every_replica_is_new_and_available(seen: dict[str, Any], *, there: bool) -> None:
    """Each kind of workload counts in its own fields, and what was said of an older generation counts for nothing."""
    assert is_rolled_out(seen) is there


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (None, "it is not there"),
        ({"metadata": {"generation": 4}}, "it is there, generation 4, without a status"),
        ({"status": {"phase": "Pending"}}, "phase Pending"),
        (
            {
                "status": {
                    "phase": "Pending",
                    "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Full"}],
                }
            },
            "phase Pending; PodScheduled=False (Full)",
        ),
        ({"spec": {"replicas": 3}, "status": {"replicas": 2, "readyReplicas": 1}}, "1 of 3 ready"),
    ],
)
def test_an_object_is_told_in_one_line(seen: dict[str, Any] | None, said: str) -> None:
    """What was last seen is the phase, the replicas and the conditions with their reasons, as far as there are some."""
    assert described(seen) == said
