"""Running what was agreed to: each command as its words, shown before it runs, with a deadline."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from pytest_devenv.errors import TargetError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_devenv.settings import Settings

    Commands: TypeAlias = Sequence[Sequence[str]]

LONGEST_S = 900.0  # a cluster may have to pull its image
_TILT_S = 60.0
_CLUSTER_S = 180.0
_POLL_S = 0.25


def shown(commands: Commands) -> str:
    """Return commands as one line to paste."""
    return " && ".join(map(shlex.join, commands))


def run(settings: Settings, commands: Commands) -> bool:
    """Run commands one after another, in the project's folder; tell whether all of them succeeded."""
    for words in commands:
        click.echo(f"  $ {shlex.join(words)}")
        if tuple(words[:2]) == ("tilt", "up"):
            start_tilt(settings, words)
        elif (code := _code(settings, words)) != 0:
            click.echo(f"  it ended with exit code {code}")
            return False
    return True


def wait_for_the_cluster(settings: Settings) -> None:
    """Wait until the API server of a cluster that was just started answers. Raises WaitTimeoutError."""
    from pytest_devenv.clients.kubernetes.api import connect
    from pytest_devenv.targets.choose import choose

    click.echo("  waiting until the cluster answers")
    deadline, last = time.monotonic() + _CLUSTER_S, ""
    while time.monotonic() < deadline:
        try:
            kubeconfig = choose(settings).kubeconfig
            if kubeconfig is None:
                return
            with contextlib.closing(connect(kubeconfig, deadline_s=settings.deadline_s)) as api:
                api.get("/version")
        except TargetError as error:
            last = error.message.splitlines()[0]
            time.sleep(1)
        else:
            return
    msg = f"expected the cluster to answer within {_CLUSTER_S:g} s, last seen: {last}"
    raise WaitTimeoutError(msg, remedy="pytest-devenv validate")


def _code(settings: Settings, words: Sequence[str]) -> int:
    sys.stdout.flush()
    try:
        return subprocess.run(
            _found(words), cwd=settings.root, env=_environ(), timeout=LONGEST_S, check=False, stdin=subprocess.DEVNULL
        ).returncode
    except FileNotFoundError as error:
        msg = f"expected {words[0]} on PATH, found none"
        raise TargetError(msg, remedy=f"install {words[0]}, then: pytest-devenv guide") from error
    except subprocess.TimeoutExpired as error:
        msg = f"expected {shlex.join(words)} to end within {LONGEST_S:g} s, found it still at it"
        raise WaitTimeoutError(msg, remedy=f"see why by hand: {shlex.join(words)}") from error


def start_tilt(settings: Settings, words: Sequence[str]) -> None:
    """Start Tilt and leave it running; its log goes to a file. Raises WaitTimeoutError where it does not come up."""
    from pytest_devenv.clients.tilt.client import running
    from pytest_devenv.clients.tilt.program import NoTiltError
    from pytest_devenv.targets.embedded.instance import project_key, state_folder

    log = state_folder() / f"tilt-{project_key(settings)}.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*_found(words), "--stream"],
            cwd=settings.root,
            env=_environ(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    click.echo(f"  Tilt runs as process {child.pid}, and goes on when this ends; its log: {log}")
    click.echo(f"  end it: kill {child.pid}; what it has deployed: tilt down")
    deadline = time.monotonic() + _TILT_S
    while time.monotonic() < deadline and child.poll() is None:
        try:
            running(settings.root)
        except NoTiltError:
            time.sleep(_POLL_S)
        else:
            return
    msg = f"expected Tilt to come up within {_TILT_S:g} s, found that it did not"
    raise WaitTimeoutError(msg, remedy=f"see what it says: tail -n 50 {shlex.quote(str(log))}")


def _environ() -> dict[str, str]:
    """Return the environment of a command: with our own programs before those of other environments."""
    own = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join((own, os.environ.get("PATH", os.defpath)))}


def _found(words: Sequence[str]) -> list[str]:
    """Return the words, with our own programs and pip as those of this very Python."""
    if words[0] == "pip":
        return [sys.executable, "-m", *words]
    if words[0] == "pytest-devenv":
        return [sys.executable, "-c", "from pytest_devenv.cli import main; main()", *words[1:]]
    if words[0] == "pytest":
        return [sys.executable, "-m", *words]
    return list(words)
