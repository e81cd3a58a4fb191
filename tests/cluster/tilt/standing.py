"""A copy of the repository under a Tilt of its own: in a namespace, at ports and with files that nobody else uses."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from pytest_devenv.clients.tilt.client import running
from pytest_devenv.clients.tilt.program import NoTiltError
from pytest_devenv.settings.read import read
from pytest_devenv.targets.embedded.ports import reserved_port
from tests.cluster.environment import ROOT, ReferenceEnvironment
from tests.cluster.images import engine, standins, wheels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_devenv.clients.tilt.client import Tilt
    from tests.cluster.conftest import ReferenceCluster

UP_S = 900
COMMAND_S = 300
# Of the tests that buttons run, the copy has these: all of them run elsewhere.
KEPT = ("test_cipher.py", "test_jobs.py", "test_rules.py", "test_origins.py")
DOWN = ("down", "--delete-namespaces")
BROKEN = "migrations/kiro/20991231000000_broken"


@dataclass(frozen=True, slots=True)
class Project:
    """The copy: its folder, its environment in the cluster, and what its commands are given."""

    folder: Path
    environment: ReferenceEnvironment
    given: Mapping[str, str]
    ports: Mapping[str, int]

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables of its commands."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "CI"))}
        return {**inherited, **self.given}

    @property
    def choices(self) -> tuple[str, ...]:
        """What the Tiltfile is told behind `--`."""
        words = ["--namespace", self.environment.namespace]
        for name, port in self.ports.items():
            words += ["--port", f"{name}={port}"]
        return tuple(words)

    def tilt_words(self, verb: str, *words: str) -> list[str]:
        """Return the command line of a Tilt that evaluates the Tiltfile."""
        return ["tilt", verb, f"--context={self.environment.cluster.context}", *words, "--", *self.choices]

    def run(self, *words: str, deadline_s: float = COMMAND_S) -> subprocess.CompletedProcess[str]:
        """Run a program in its folder, and return what came of it."""
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline_s,
            check=False,
        )

    def health(self) -> dict[str, Any]:
        """Look at the environment, and return the report."""
        done = self.run("pytest", "-m", "health", "-p", "no:cacheprovider", "--devenv-report=report.json")
        file = self.folder / "report.json"
        assert file.exists(), done.stdout + done.stderr
        found: dict[str, Any] = json.loads(file.read_text())
        file.unlink()
        return found

    @contextlib.contextmanager
    def edited(self, name: str, old: str, new: str) -> Iterator[None]:
        """Have a text of a file replaced while the block runs."""
        path = self.folder / name
        before = path.read_text()
        assert before.count(old) == 1, f"{name} has {old!r} {before.count(old)} times"
        path.write_text(before.replace(old, new))
        try:
            yield
        finally:
            path.write_text(before)

    def job_failed(self, name: str) -> bool:
        """Tell whether a Job has been given up; it need not be there yet."""
        found = self.environment.kubectl("get", f"job/{name}", "--ignore-not-found", "--output=json") or "{}"
        conditions = json.loads(found).get("status", {}).get("conditions") or ()
        return any(each["type"] == "Failed" and each["status"] == "True" for each in conditions)

    def map_of_migrations(self, database: str = "kiro") -> str:
        """Return the ConfigMap that brings the migrations of a database to the Job."""
        return self.environment.kubectl("get", "configmap", f"migrations-{database}", "--output=yaml")

    def answer(self, service: str, path: str) -> str:
        """Return what a service answers through Tilt's forward, empty where it does not."""
        try:
            return requests.get(f"http://localhost:{self.ports[service]}{path}", timeout=10).text
        except requests.RequestException:
            return ""


@contextlib.contextmanager
def project(cluster: ReferenceCluster, folder: Path) -> Iterator[Project]:
    """Give a copy of the repository for Tilt; whatever it deployed is removed afterwards."""
    copy = folder / "kiro"
    _copy(copy)
    services = [each.name for each in read(ROOT / "pyproject.toml", environ={}).services.values() if each.local_port]
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(reserved_port()) for name in services}
        tilt_port = stack.enter_context(reserved_port())
        namespace = f"kiro-tilt-{tilt_port}"
        given = {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "TILT_DEV_DIR": str(folder / "tilt-dev"),
            "TILT_PORT": str(tilt_port),
            "TILT_DISABLE_ANALYTICS": "1",
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DEVENV_TARGET": "cluster",
            "PYTEST_DEVENV_CONTEXT": cluster.context,
            "PYTEST_DEVENV_NAMESPACE": namespace,
            "PYTEST_DEVENV_DEADLINE": "60s",
        }
        made = Project(copy, ReferenceEnvironment(cluster, namespace, ROOT / "k8s"), given, ports)
        try:
            yield made
        finally:
            done = made.run(*made.tilt_words(*DOWN))
            assert done.returncode == 0, done.stdout + done.stderr


def _copy(folder: Path) -> None:
    """Copy what is part of the repository, and what its images are built from where there is no package index."""
    listed = subprocess.check_output(
        ["/usr/bin/env", "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT
    )
    for name in listed.decode().split("\0"):
        path = Path(name)
        is_test = path.name.startswith("test_") and path.parts[0] in {"app", "checks"} and path.name not in KEPT
        if name and (ROOT / name).is_file() and not is_test:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    job = folder / "k8s" / "base" / "migration.yaml"
    text = job.read_text()
    assert text.count("backoffLimit: 4") == 1
    job.write_text(text.replace("backoffLimit: 4", "backoffLimit: 1"))  # who waits for the end of retries is a test
    if engine.is_bare():
        standins.ensure()
        for house in (wheels.for_backend(), wheels.for_tools()):
            shutil.copytree(house, folder / "wheels", dirs_exist_ok=True)


@contextlib.contextmanager
def up(made: Project) -> Iterator[Callable[[], Tilt]]:
    """Run `tilt up` while the block runs; give what waits for that Tilt to answer, and returns it."""
    log = made.folder.parent / "tilt.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            made.tilt_words("up", "--stream"),
            cwd=made.folder,
            env=made.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield lambda: _answering(made.folder, process)
    except AssertionError as error:
        error.add_note(log.read_text(errors="replace")[-3000:])
        raise
    finally:
        process.terminate()
        process.wait(60)


def _answering(folder: Path, process: subprocess.Popen[bytes]) -> Tilt:
    end = time.monotonic() + COMMAND_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(NoTiltError):
            return running(folder)
        time.sleep(0.5)
    msg = f"Tilt has ended with {process.returncode}" if process.returncode else f"no Tilt within {COMMAND_S} s"
    raise AssertionError(msg)


def is_up(tilt: Tilt) -> bool:
    """Tell whether everything has come up that comes up by itself."""
    resources = tilt.resources()
    return len(resources) > 1 and all(each.is_ready or each.manual for each in resources.values())


def wait_until(holds: Callable[[], bool], what: str, *, deadline_s: float = 180) -> None:
    """Wait for a condition; fail where it does not come true in time."""
    end = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > end:
            msg = f"{what}: not within {deadline_s:g} s"
            raise AssertionError(msg)
        time.sleep(0.3)
