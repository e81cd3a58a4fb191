"""What a run says while the API server is away, and when it is back."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cluster.test_commands import COMMAND

if TYPE_CHECKING:
    from tests.cluster.conftest import ReferenceCluster
    from tests.cluster.faults.deployed import Deployed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

_BACK_S = 240.0
RESTART = '''
import subprocess, time

NODE = "docker exec NODE pkill -{} -x kube-apiserver"


def test_the_api_server_is_restarted(devenv):
    """While it is away everything is blocked by that; once it is back, everything is as it was."""
    probe = "workload.is_rolled_out[backend]"
    assert devenv.verdict(probe).passed
    subprocess.run(NODE.format("STOP").split(), check=True)
    try:
        away = devenv.look_again(probe)
    finally:
        subprocess.run(NODE.format("KILL").split(), check=True)
    assert (away.state, away.cause) == ("blocked", "cluster.answers[cluster]")
    assert "the API server does not answer" in away.summary
    assert away.remedy
    end = time.monotonic() + 180
    while not (back := devenv.look_again(probe)).passed:
        assert time.monotonic() < end, back
        time.sleep(0.5)
'''


def test_the_api_server_is_restarted_in_the_middle_of_a_run(standing: Deployed) -> None:
    """A run that loses the API server says so within its deadline, and goes on when there is one again."""
    node = standing.get("pods", "--selector=app=backend")["items"][0]["spec"]["nodeName"]
    standing.shop.edit("deadline_s = 20", "deadline_s = 3")
    (standing.shop.folder / "test_restart.py").write_text(RESTART.replace("NODE pkill", f"{node} pkill"))
    try:
        run = standing.run("--devenv", "-k", "test_the_api_server", "test_restart.py", within_s=_BACK_S)
        assert run.exit_code == 0, run.output
    finally:
        (standing.shop.folder / "test_restart.py").unlink()
        standing.shop.edit("deadline_s = 3", "deadline_s = 20")
        standing.until(lambda: _is_ready(standing.cluster), within_s=_BACK_S)
        everything = ("wait", "--for=condition=Ready", "pods", "--all", "--timeout=240s")
        standing.cluster.kubectl("--namespace=kube-system", *everything, deadline_s=_BACK_S + 60)
        standing.until_rolled_out()


@pytest.mark.slow
def test_guide_starts_a_cluster_that_was_stopped(standing: Deployed) -> None:
    """The node is started again, waited for until its pods are back, and everything is as it was."""
    (node,) = {each["spec"]["nodeName"] for each in standing.get("pods", "--selector=app=backend")["items"]}
    subprocess.run(["/usr/bin/env", "docker", "stop", "--time=1", node], check=True, capture_output=True)
    try:
        done = subprocess.run(
            [*COMMAND, "guide", "--yes"],
            cwd=standing.shop.folder,
            env=standing.shop.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * _BACK_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"$ docker start {node}" in done.stdout
        assert "is healthy on the target cluster" in done.stdout
    finally:
        subprocess.run(["/usr/bin/env", "docker", "start", node], check=True, capture_output=True)
        standing.until(lambda: _is_ready(standing.cluster), within_s=_BACK_S)
        everything = ("wait", "--for=condition=Ready", "pods", "--all", "--timeout=240s")
        standing.cluster.kubectl("--namespace=kube-system", *everything, deadline_s=_BACK_S + 60)
        standing.until_rolled_out()


def _is_ready(cluster: ReferenceCluster) -> bool:
    """Tell whether the API server is whole again: until then it answers with what it still waits for."""
    try:
        return cluster.kubectl("get", "--raw", "/readyz") == "ok"
    except subprocess.CalledProcessError:
        return False
