"""How long an edit of the reference environment takes under Tilt until it is live.

It brings up an environment of its own in the cluster of the tests, with Tilt on PATH:
`make cluster`, then `python -m tests.cluster.kind exec -- python -m benchmarks tilt`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from benchmarks.measure import Row
from tests.cluster.conftest import CONTEXT_VARIABLE, ReferenceCluster
from tests.cluster.tilt.standing import UP_S, is_up, project, up, wait_until

RUNS = 15
BOUNDS_S = {"backend-data": 0.4, "backend-code": 1.2}
_LONGEST_S = 900


def rows() -> list[Row]:
    """Return the medians of each loop and of its stages."""
    context, kubeconfig = os.environ.get(CONTEXT_VARIABLE), os.environ.get("KUBECONFIG")
    if context is None or kubeconfig is None or shutil.which("tilt") is None:
        note = "no cluster: make cluster" if shutil.which("tilt") else "there is no tilt on PATH"
        return [Row("an edit under Tilt", float("nan"), "", note=note)]
    cluster = ReferenceCluster(Path(kubeconfig), context)
    with (
        tempfile.TemporaryDirectory() as scratch,
        pytest.MonkeyPatch.context() as patch,
        project(cluster, Path(scratch)) as made,
    ):
        for name, value in made.given.items():
            patch.setenv(name, value)
        with up(made) as running:
            tilt = running()
            wait_until(lambda: is_up(tilt), "everything is up", deadline_s=UP_S)
            done = made.run("pytest-devenv", "loop", "--runs", str(RUNS), "--json", deadline_s=_LONGEST_S)
    return [row for loop in json.loads(done.stdout)["loops"] for row in _of(loop)]


def _of(loop: dict[str, object]) -> list[Row]:
    """Return the figures of one loop; of one that was not live in time, that it was not."""
    name = str(loop["loop"])
    total, stages, observer = loop.get("total_s"), loop.get("stages_s"), loop.get("observer")
    if not (isinstance(total, dict) and isinstance(stages, dict) and isinstance(observer, dict)):
        return [Row(f"{name}: edit to live", float("nan"), "s", BOUNDS_S.get(name), note="not live in time")]
    return [
        Row(f"{name}: edit to live", total["median"], "s", BOUNDS_S.get(name)),
        *(Row(f"{name}: {stage}", each["median"], "s") for stage, each in stages.items()),
        Row(f"{name}: looking added at most", 1000 * observer["added_s"]["median"], "ms"),
    ]
