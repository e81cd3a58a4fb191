"""How long it takes to know in a cluster: attached to what runs, beside a script that looks as much, and a poll."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.environments import ROOT, built, environment
from benchmarks.measure import RUNS, Command, Row, in_turn, median_difference_ms, median_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.kubernetes import Api

_KIND = (sys.executable, "-m", "tests.cluster.kind")
_NEEDED = ("curl", "kubectl", "psql", "redis-cli")
_CONTEXT = "TEST_CLUSTER_CONTEXT"
_NAMESPACE = "kiro-dev"
_POLL_S = 2.0
_CHANGES = 5
_REACTION_S = 10.0


def rows() -> list[Row]:
    """Return the figures for the reference environment in the cluster of the tests, installed as its users do.

    Where no package index can be reached beside the cluster, as in its network namespace, its own tools serve instead.
    """
    if _CONTEXT in os.environ:
        return measured(Path(sys.executable).parent)
    if subprocess.run([*_KIND, "status"], cwd=ROOT, capture_output=True, check=False).returncode != 0:
        note = "no cluster: make cluster"
        return [Row("attached: all health checks in the cluster", float("nan"), "ms more", note=note)]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        requirements = ROOT / "app" / "backend" / "requirements.txt"
        wheels = built(scratch / "wheels")
        python = environment(scratch / "venv", wheels, "pytest-devenv[alembic]", "-r", str(requirements))
        inside = [*_KIND, "exec", "--", sys.executable, "-m", "benchmarks.cluster", str(python.parent)]
        found = subprocess.run(inside, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [Row(**each) for each in json.loads(found)]


def measured(programs: Path) -> list[Row]:
    """Return the figures, with the pytest of this folder; it runs where the cluster can be reached."""
    context = os.environ[_CONTEXT]
    with tempfile.TemporaryDirectory() as scratch:
        return [*_attached(Path(scratch), programs, context), *_reactions(context)]


def _attached(scratch: Path, programs: Path, context: str) -> list[Row]:
    kubectl = [shutil.which("kubectl") or "kubectl", "--context", context, "--namespace", _NAMESPACE]
    for words in (
        ("apply", "-k", str(ROOT / "k8s")),
        ("wait", "--for=condition=complete", "job/database-migration", "--timeout=300s"),
        ("wait", "--for=condition=available", "deployment", "--all", "--timeout=300s"),
    ):
        subprocess.run([*kubectl, *words], check=True, capture_output=True)
    (scratch / "test_empty.py").write_text("def test_empty(): pass\n")
    report = scratch / "attached.json"
    pinned = {"PYTEST_DEVENV_TARGET": "cluster", "POSTGRES_PASSWORD": "password"}
    health = [str(programs / "pytest"), "-q", "-m", "health", f"--devenv-report={report}"]
    commands = [
        Command("pytest itself", [str(programs / "pytest"), "-q", "-p", "no:devenv"], scratch, {}),
        Command("attached", health, ROOT, pinned),
    ]
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if not missing:
        script = {"CONTEXT": context, "NAMESPACE": _NAMESPACE, "PGPASSWORD": "password"}
        looks = ["bash", str(ROOT / "benchmarks" / "looks_in_cluster.sh")]
        commands.append(Command("script", looks, ROOT, script))
    times = in_turn(commands, runs=RUNS)
    found = json.loads(report.read_text())
    made = [
        Row("checks of the health suite in the cluster", len(found["checks"]), "checks"),
        Row("pytest itself, on one empty test", median_ms(times, "pytest itself"), "ms"),
        Row("attached: all of them", median_difference_ms(times, "attached", "pytest itself"), "ms more", 2000),
    ]
    if missing:
        return [*made, Row("the same looks as a script", float("nan"), "", note=f"{', '.join(missing)} missing")]
    ratio = statistics.median(a / b for a, b in zip(times["attached"], times["script"], strict=True))
    return [
        *made,
        Row("the same looks by kubectl, psql, redis-cli and curl, in turn", median_ms(times, "script"), "ms"),
        Row("the attached run, over that script", ratio, "of its time", 1 / 2),
    ]


def _reactions(context: str) -> Iterator[Row]:
    """Yield how long after a change a watch tells of it, and how long a poll takes to."""
    from pytest_devenv.clients.kubernetes import Kubeconfig, connect

    files = tuple(Path(part) for part in os.environ["KUBECONFIG"].split(os.pathsep))
    api = connect(Kubeconfig(files=files, context=context, why="the benchmark"), deadline_s=_REACTION_S)
    name = f"reaction-{os.getpid()}"
    path = f"/api/v1/namespaces/{_NAMESPACE}/configmaps"
    api.request("POST", path, {"metadata": {"name": name}, "data": {"at": "0"}})
    try:
        watched = [_reaction_ms(api, path, name, watch=True) for _ in range(_CHANGES)]
        polled = [_reaction_ms(api, path, name, watch=False) for _ in range(_CHANGES)]
    finally:
        api.request("DELETE", f"{path}/{name}")
        api.close()
    yield Row("a change, until a watch tells of it", statistics.median(watched), "ms", 100)
    yield Row(f"a change, until a poll every {_POLL_S:g} s sees it", statistics.median(polled), "ms")


def _reaction_ms(api: Api, path: str, name: str, *, watch: bool) -> float:
    """Change an object at a moment that the other side knows nothing of, and return when that has seen it."""
    mark = str(time.monotonic_ns())
    seen = threading.Event()
    at: list[float] = []

    def told(each: dict[str, Any]) -> bool:
        if each.get("data", {}).get("at") != mark:
            return False
        at.append(time.perf_counter())
        seen.set()
        return True

    def look() -> None:
        if watch:
            for event in api.watch(path, deadline_s=_REACTION_S, fieldSelector=f"metadata.name={name}"):
                if told(event.object):
                    return
        else:
            while not told(api.get(f"{path}/{name}")):
                time.sleep(_POLL_S)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    time.sleep(_POLL_S / 2)
    began = time.perf_counter()
    api.request("PATCH", f"{path}/{name}", {"data": {"at": mark}}, content_type="application/merge-patch+json")
    seen.wait(_REACTION_S)
    thread.join(_REACTION_S)
    return (at[0] - began) * 1000


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(row) for row in measured(Path(sys.argv[1]))]))
