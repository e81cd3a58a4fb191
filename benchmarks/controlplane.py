"""How soon a real Kubernetes API is there, and how soon a wait knows of a change in it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Row
from pytest_devenv.clients.kubernetes import Cluster, connect
from pytest_devenv.errors import TargetError
from pytest_devenv.fixtures.cluster import ClusterHandle
from pytest_devenv.settings import Settings
from pytest_devenv.targets.controlplane import provided
from pytest_devenv.targets.controlplane.binaries import programs

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 15
_CHANGES = 20
_POLLED = 6
_POLL_S = 2.0
_LIMIT_S = 120
# What their own documentation and issues say of their start, on machines of theirs.
_PEERS = "envtest publishes 4.6 s, kind 14 to 33 s"
# In a process of its own, so that what has to be imported is counted.
_START = """
import time
began = time.perf_counter()
from pathlib import Path
from pytest_devenv.settings import Settings
from pytest_devenv.targets.controlplane import provided
root = Path.cwd()
with provided(Settings(root=root, file=root / "pyproject.toml", name="bench", namespace="bench", start_s=60)):
    print(time.perf_counter() - began)
"""
_CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "subject"}}


def rows() -> list[Row]:
    """Return the figures of this machine; without the programs of a control plane what is missing."""
    try:
        programs()
    except TargetError as error:
        return [Row("a control plane, ready", float("nan"), "s", note=error.message.partition(",")[2].strip())]
    with tempfile.TemporaryDirectory() as scratch:
        times = [_started_s(Path(scratch)) for _ in range(RUNS)]
        found = [
            Row("a control plane, ready", statistics.median(times), "s", 4),
            Row(f"the slowest of {RUNS}", max(times), "s", note=_PEERS),
        ]
        return found + _reactions(Path(scratch))


def _started_s(folder: Path) -> float:
    """Return how long one start takes, in seconds."""
    command = [sys.executable, "-c", _START]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT_S, check=True)
    return float(done.stdout)


def _reactions(folder: Path) -> list[Row]:
    settings = Settings(root=folder, file=folder / "pyproject.toml", name="bench", namespace="bench", start_s=60)
    with provided(settings) as config:
        api = connect(config, deadline_s=settings.deadline_s)
        cluster = ClusterHandle(Cluster(api, "bench", config.context, kubeconfig=config), settings)
        watched = [_reaction_ms(cluster, number, _watched) for number in range(_CHANGES)]
        polled = [_reaction_ms(cluster, _CHANGES + number, _polled) for number in range(_POLLED)]
        cluster.close()
        api.close()
    return [
        Row("a change until a wait knows of it", statistics.median(watched), "ms", 100),
        Row(f"the slowest of {_CHANGES}", max(watched), "ms"),
        Row(f"the same for a look every {_POLL_S:g} s", statistics.median(polled), "ms"),
    ]


def _reaction_ms(cluster: ClusterHandle, number: int, wait: Callable[[ClusterHandle, str], None]) -> float:
    """Return how long after a change was asked for who waits for it knows of it, in milliseconds."""
    cluster.apply({**_CONFIG_MAP, "data": {"value": "before"}})
    changed = 0.0
    wanted = f"after-{number}"

    def change() -> None:
        nonlocal changed
        time.sleep(0.5 + number % 7 / 5)  # long after the wait has begun, at another moment each time
        changed = time.perf_counter()
        cluster.apply({**_CONFIG_MAP, "data": {"value": wanted}})

    thread = threading.Thread(target=change)
    thread.start()
    wait(cluster, wanted)
    known = time.perf_counter()
    thread.join()
    return (known - changed) * 1000


def _watched(cluster: ClusterHandle, wanted: str) -> None:
    cluster.wait("configmap/subject", f"jsonpath={{.data.value}}={wanted}", deadline_s=_LIMIT_S)


def _polled(cluster: ClusterHandle, wanted: str) -> None:
    while cluster.get("configmap/subject")["data"]["value"] != wanted:
        time.sleep(_POLL_S)
