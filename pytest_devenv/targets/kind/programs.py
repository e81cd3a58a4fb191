"""What a kind cluster needs of this machine: pytest-kind, the programs kind and kubectl, and a container engine."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import NoEngineError, TargetError
from pytest_devenv.targets.wheels import cache_folder, install

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KIND_VERSION = "v0.33.0"
_LOOK_S = 30.0
_LAST_LINES = 15
_WHEELS = ("pytest-kind==22.11.1", "pykube-ng==23.6.0")  # what else they need, we need too
_CALL = "pytest_devenv.targets.kind.call"


@dataclass(frozen=True, slots=True)
class Programs:
    """Where kind and kubectl are."""

    kind: str
    kubectl: str


def find() -> Programs:
    """Return where the programs are; raises TargetError where one of them is not there.

    None is downloaded: pytest-kind would, in the releases of its own time.
    """
    kind, kubectl = shutil.which("kind"), shutil.which("kubectl")
    if kind is None:
        msg = "a kind cluster is made by the program kind: expected it on PATH, found none"
        raise TargetError(msg, remedy=f"brew install kind, or go install sigs.k8s.io/kind@{KIND_VERSION}")
    if kubectl is None:
        msg = "whether a kind cluster is ready is asked with kubectl: expected it on PATH, found none"
        raise TargetError(msg, remedy="brew install kubectl, or your system's package kubectl or kubernetes-client")
    return Programs(kind, kubectl)


def clusters(programs: Programs) -> tuple[str, ...]:
    """Return the names of the kind clusters of this machine; raises NoEngineError where no container engine answers."""
    return tuple(_asked([programs.kind, "get", "clusters"]).split())


def export(programs: Programs, name: str, kubeconfig: Path) -> None:
    """Write how a cluster that is there is reached."""
    _asked([programs.kind, "export", "kubeconfig", f"--name={name}", f"--kubeconfig={kubeconfig}"])


def _asked(command: list[str]) -> str:
    """Return what kind answers; raises NoEngineError where it cannot ask a container engine."""
    remedy = "start it (`docker info` shows whether it answers), or choose --devenv-target=embedded, which needs none"
    expected = "kind runs its nodes in a container engine: expected Docker, Podman or nerdctl to answer"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LOOK_S, check=False)
    except subprocess.TimeoutExpired as error:
        msg = f"{expected}, found it silent for {_LOOK_S:g} s"
        raise NoEngineError(msg, remedy=remedy) from error
    if done.returncode != 0:
        msg = f"{expected}, found: {_complaint(done.stderr)}"
        raise NoEngineError(msg, remedy=remedy)
    return done.stdout


def call(words: Sequence[str], *, folder: Path, deadline_s: float, what: str) -> None:
    """Have pytest-kind do something, within `folder`; raises TargetError with what it printed where it does not."""
    command = [sys.executable, "-m", _CALL, *words]
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=deadline_s)
    except subprocess.TimeoutExpired as error:
        msg = f"expected {what} within {deadline_s:g} s, found kind still at it"
        raise TargetError(msg, remedy=f"see what it waits for: kind export logs --name {words[1]}") from error
    finally:
        if child.poll() is None:  # also after Ctrl-C, of which a session of its own hears nothing
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
    if child.returncode != 0:
        msg = f"expected {what}, found that kind ended with:\n    {_last_lines(output, _LAST_LINES)}"
        raise TargetError(msg, remedy="see above; `docker ps --all` shows its nodes")


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a call: where pytest-kind is found, and our version of kind in the place of its own."""
    ours = {"KIND_VERSION": KIND_VERSION, **environ}
    folder = fetch()
    if folder is None:
        return ours
    before = environ.get("PYTHONPATH")
    return {**ours, "PYTHONPATH": str(folder) if before is None else os.pathsep.join((str(folder), before))}


def fetch() -> Path | None:
    """Return the folder of our own pytest-kind, fetched where it is not there; None where the project has one.

    Beside the project, its plugin costs every run some 130 ms: so it is put once into our own cache. Raises TargetError
    where that fails.
    """
    if importlib.util.find_spec("pytest_kind") is not None:
        return None
    folder = cache_folder() / "-".join(requirement.replace("==", "-") for requirement in _WHEELS)
    if not folder.exists():
        expected = "a kind cluster is made through pytest-kind: expected it installed"
        install(_WHEELS, folder, expected=expected, remedy="pip install 'pytest-devenv[kind]'")
    return folder


def _complaint(text: str) -> str:
    """Return what the engine's own client said, which kind repeats last; where it said nothing, what kind says."""
    lines = [line.removeprefix("Command Output:").strip() for line in text.splitlines()]
    said = [line for line in lines if line]
    return said[-1] if said else "nothing"


def _last_lines(text: str, count: int) -> str:
    return "\n    ".join(text.strip().splitlines()[-count:])
