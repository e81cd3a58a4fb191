"""The container engine: Docker as a process of ours, in the network namespace, with everything it holds in our folders.

Its processes are recognised by a variable in their environment, and those of its containers by their control group: so
they are found and ended also when the engine itself was killed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.kind import network, runc_without_resource
from tests.cluster.kind.packages import find
from tests.cluster.kind.place import data, name, running
from tests.cluster.kind.say import StepError, run, step, succeeds

if TYPE_CHECKING:
    import psutil

VARIABLE = "DEVENV_KIND_ENGINE"
_START_S = 60
_CAP_SYS_RESOURCE = 24  # its number in linux/capability.h


def host() -> str:
    """Return the engine's address, as DOCKER_HOST has it."""
    return f"unix://{running() / 'docker.sock'}"


def environment() -> dict[str, str]:
    """Return the environment in which Docker's client reaches the engine; builds are done by the engine itself."""
    return {**os.environ, "DOCKER_HOST": host(), "DOCKER_BUILDKIT": "0"}


def marked() -> dict[str, str]:
    """Return the environment of the engine's processes, by which they are recognised."""
    return {**os.environ, VARIABLE: str(running())}


def docker(*words: str | Path, deadline_s: float = 300) -> str:
    """Run Docker's client on the engine; raises StepError."""
    return run("docker", *words, env=environment(), deadline_s=deadline_s)


def another_answers() -> bool:
    """Tell whether a Docker engine is there that is not ours: the one that DOCKER_HOST or Docker's context names."""
    return os.environ.get("DOCKER_HOST") != host() and succeeds("docker", "info")


def answers() -> bool:
    """Tell whether the engine does what it is asked."""
    return (running() / "docker.sock").exists() and succeeds("docker", "info", env=environment())


def processes() -> list[psutil.Process]:
    """Return the engine's processes: itself, its containerd, and what they start beside the containers."""
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(VARIABLE) == str(running()):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def ensure() -> None:
    """Start the engine where it does not answer. What an earlier one left must be taken away before."""
    if answers():
        return
    with step("start a container engine in a network namespace of its own"):
        network.ensure()
        folder = running()
        folder.mkdir(mode=0o700, exist_ok=True)
        data().mkdir(exist_ok=True)
        (folder / "docker.pid").unlink(missing_ok=True)  # nothing of it runs: the number may be somebody else's by now
        _start(folder)


def _start(folder: Path) -> None:
    command = [
        *network.entered(),
        find("dockerd") or "dockerd",
        f"--host={host()}",
        f"--data-root={data()}",
        f"--exec-root={folder / 'exec'}",
        f"--pidfile={folder / 'docker.pid'}",
        f"--cgroup-parent=/{name()}",
        "--default-cgroupns-mode=private",
        "--storage-driver=overlay2",
        *_runtime(folder),
    ]
    log = folder / "log"
    with log.open("ab") as output:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=marked(),
            start_new_session=True,  # Ctrl-C is for who waits, not for the engine
        )
    deadline = time.monotonic() + _START_S
    while started.poll() is None and time.monotonic() < deadline:
        if answers():
            started.returncode = 0  # it outlives this process: a Popen that is never waited for would warn
            return
        time.sleep(0.1)
    last = "\n    ".join(log.read_text(errors="replace").splitlines()[-10:])
    msg = f"expected the container engine to answer within {_START_S} s, found in {log}:\n    {last}"
    raise StepError(msg)


def _runtime(folder: Path) -> tuple[str, ...]:
    """Return the options that put our own runc in the place of runc, where the machine lacks a capability."""
    if _may_raise_limits():
        return ()
    wrapper = folder / "runc-without-resource"
    shutil.copyfile(runc_without_resource.__file__, wrapper)
    wrapper.chmod(0o700)
    return (f"--add-runtime=lacking={wrapper}", "--default-runtime=lacking")


def _may_raise_limits() -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> _CAP_SYS_RESOURCE & 1)
    return True
