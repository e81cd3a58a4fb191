"""The cluster itself: made through the project's own kind provider, and the environment in which it is reached."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.settings.read import read
from pytest_devenv.targets import kind
from pytest_devenv.targets.kind import programs
from tests.cluster.conftest import CONTEXT_VARIABLE
from tests.cluster.kind import binaries, engine, network
from tests.cluster.kind.say import StepError, step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.settings import Settings

ROOT = Path(__file__).parents[3]
_IMAGES = "tests.cluster.images"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_CREATE_S = 1200
_IMAGES_S = 1800


@dataclass(frozen=True, slots=True)
class Way:
    """How the cluster is reached: the words before a command, and the variables that it needs."""

    prefix: tuple[str, ...]
    variables: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command that reaches the cluster: a proxy is of no use where nothing gets out."""
        inherited = {name: value for name, value in os.environ.items() if not (self.prefix and name in _PROXIES)}
        return {**inherited, **self.variables}

    @property
    def outside(self) -> Way:
        """The way for a command that talks to the engine alone, and to the network of this machine."""
        return replace(self, prefix=())


def settings() -> Settings:
    """Return the reference environment's settings: the cluster has its name."""
    return read(ROOT / "pyproject.toml")


def way(*, own_engine: bool, image: str | None = None) -> Way:
    """Return how the cluster is reached in our own engine's network namespace, or where another engine runs it."""
    cluster = kind.reached(settings())
    variables = {
        "PATH": os.pathsep.join((str(binaries.folder()), os.environ["PATH"])),
        "KUBECONFIG": os.pathsep.join(str(file) for file in cluster.files),
        "KUBEBUILDER_ASSETS": os.environ.get("KUBEBUILDER_ASSETS", str(binaries.folder())),
        CONTEXT_VARIABLE: cluster.context,
    }
    if own_engine:
        variables |= {"DOCKER_HOST": engine.host(), "DOCKER_BUILDKIT": "0"}
    if image is not None:
        variables["PYTEST_DEVENV_KIND_IMAGE"] = image
    return Way(network.entered() if own_engine else (), variables)


def create(path: Way) -> None:
    """Make the cluster, or find that it is there, and load the reference environment's images."""
    with step("make the cluster, or find that it is there"):
        programs.fetch()  # inside the network namespace it could not be
        _module(path, "tests.cluster.kind.cluster", deadline_s=_CREATE_S)
    if importlib.util.find_spec(_IMAGES) is not None:
        with step("build the reference environment's images and load them"):
            words = ("--cluster", kind.cluster_name(settings()))
            _module(path.outside, _IMAGES, *words, deadline_s=_IMAGES_S)  # it may have to fetch what they are made of


def delete(path: Way) -> None:
    """Delete the cluster, where the engine that runs it goes on."""
    os.environ.update(path.variables)
    kind.remove(settings())


def run(path: Way, words: list[str], *, quiet: bool = False) -> int:
    """Run a command that reaches the cluster, and return its exit status."""
    output = subprocess.DEVNULL if quiet else None
    command = [*path.prefix, *words]
    return subprocess.run(command, env=path.environment, stdout=output, stderr=output, check=False).returncode


def explanation(path: Way) -> str:
    """Return how a person reaches the cluster."""
    shown = " ".join(f"{name}={shlex.quote(value)}" for name, value in path.variables.items() if name != "PATH")
    prefix = " ".join((*path.prefix, "env")) if path.prefix else "env"
    return (
        f"   kubeconfig  {path.variables['KUBECONFIG']}\n"
        f"   context     {path.variables[CONTEXT_VARIABLE]}\n"
        f"   by hand     {prefix} {shown} PATH={shlex.quote(str(binaries.folder()))}:$PATH kubectl get pods -A\n"
        "   or shorter  python -m tests.cluster.kind exec -- kubectl get pods -A"
    )


def _module(path: Way, module: str, *words: str, deadline_s: float) -> None:
    command = [*path.prefix, sys.executable, "-m", module, *words]
    try:
        status = subprocess.run(command, env=path.environment, cwd=ROOT, timeout=deadline_s, check=False).returncode
    except subprocess.TimeoutExpired as error:
        msg = f"expected python -m {module} to end within {deadline_s:g} s, found it still running"
        raise StepError(msg) from error
    if status != 0:
        msg = f"exit status {status} of python -m {module}"
        raise StepError(msg)


def _made() -> None:
    with kind.provided(settings(), keep=True):
        pass


if __name__ == "__main__":
    _made()
