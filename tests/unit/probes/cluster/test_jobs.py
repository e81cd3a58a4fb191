"""Whether a Job has completed, and what its pods say where it has not."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.jobs import judge
from tests.unit.probes.cluster.samples import BEFORE, DEPLOY, K, Object, container, ended, pod, scene, waiting

if TYPE_CHECKING:
    from pytest_devenv.probes.cluster.trouble import Trouble

SCENE = replace(scene(workload="job/migrate", ends=True), stable_s=math.inf)


def job(*conditions: Object, **spec: object) -> Object:
    """Return a Job that began a minute ago."""
    return {
        "metadata": {"name": "migrate", "uid": "uid-migrate"},
        "spec": spec,
        "status": {"startTime": BEFORE, "conditions": list(conditions)},
    }


def trouble(given: Object, *pods: Object) -> Trouble:
    """Return why a Job has not completed."""
    found = judge(given, pods, SCENE)
    assert found is not None
    return found


def test_a_completed_job_is_well() -> None:
    """What counts is that it completed, whatever its pods went through before."""
    assert judge(job({"type": "Complete", "status": "True"}), (pod(container(ended(1))),), SCENE) is None


def test_a_job_that_has_given_up_says_what_its_last_pod_died_of() -> None:
    """A Job that failed for good names the exit code, the limit that it ran into, and how it is run again."""
    limit = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "reached the limit"}
    found = trouble(job(limit), pod(container(ended(2)), phase="Failed"))
    assert found.what == "fails: exit code 2"
    assert found.found == "exit code 2; BackoffLimitExceeded: reached the limit"
    assert found.remedy == f"mend what its last lines say, then: {K} delete job/migrate && {DEPLOY}"
    assert trouble(job(limit)).found == "BackoffLimitExceeded: reached the limit; none of its pods is left"


def test_a_job_between_two_tries_has_failed_before() -> None:
    """A Job that runs once more is told by how it ended the last time."""
    running = container({"running": {"startedAt": BEFORE}}, restartCount=1, lastState=ended(3), ready=True)
    assert trouble(job(), pod({**running, "ready": True})).what == "fails: exit code 3"
    crashing = container(waiting("CrashLoopBackOff"), restartCount=2, lastState=ended(3))
    assert trouble(job(), pod(crashing)).found == "exit code 3, restarted 2 times"


def test_a_job_under_way_says_since_when() -> None:
    """A Job that has not failed yet is not done yet either."""
    found = trouble(job(), pod(container()))
    assert (found.what, found.found) == ("has not completed yet", "it runs since 60s")
    assert found.remedy == f"{K} wait --for=condition=complete job/migrate --timeout=60s"


def test_a_suspended_job_is_resumed() -> None:
    """A Job that somebody suspended does nothing until it is told to."""
    assert trouble(job(suspend=True)).remedy == f"""{K} patch job/migrate --patch '{{"spec": {{"suspend": false}}}}'"""
