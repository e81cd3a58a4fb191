"""The reference environment, brought up once, and the same with an application that was edited."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_devenv.targets.environment import Environment
    from tests.checks.mutants import Edit

ROOT = Path(__file__).parents[2]
_STARTS_WITHIN_S = 60.0
_LONGEST_RUN_S = 300.0
_LISTENS = re.compile(r"running on (http://[^\s/]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a run of the checks found: the names of those that passed and failed, without their parameters."""

    passed: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]
    output: str


@dataclass(frozen=True, slots=True)
class Kiro:
    """The running reference environment, as the addresses of its servers."""

    environment: Environment

    @contextlib.contextmanager
    def with_edits(self, service: str, folder: Path, *edits: Edit) -> Iterator[Mapping[str, str]]:
        """Run one service of an edited copy of app/, and give what a run of the checks needs to use it.

        Everything else is the environment's own.
        """
        app = shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__", "tests"))
        for edit in edits:
            edit.apply(app)
        given = {"PATH": os.environ["PATH"], **self.environment.variables[service]}
        with _serving(service, folder, given) as url:
            yield {**self.addresses, f"PYTEST_DEVENV_{service.upper()}_URL": url}

    @property
    def addresses(self) -> Mapping[str, str]:
        """The variables that say where everything is."""
        urls = {
            f"PYTEST_DEVENV_{name.upper().replace('-', '_')}_URL": endpoint.url().reveal()
            for name, endpoint in self.environment.endpoints.items()
        }
        return {**urls, "JWT_SECRET": self.environment.variables["backend"]["JWT_SECRET"]}

    def check(self, addresses: Mapping[str, str], junit: Path, *arguments: str) -> Checked:
        """Run checks against these addresses."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # else each run rewrites the assertions of all plugins anew
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={junit}", *arguments],
            cwd=ROOT,
            env={**inherited, "PYTEST_DEVENV_TARGET": "addresses", **addresses},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_RUN_S,
            check=False,
        )
        assert junit.exists(), done.stdout + done.stderr
        return _checked(junit, done.stdout)


def _checked(junit: Path, output: str) -> Checked:
    names: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    for case in ET.parse(junit).iter("testcase"):  # noqa: S314  # pytest has just written it
        tags = {each.tag for each in case}
        state = "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"
        names[state].add(case.attrib["name"].partition("[")[0])
    passed, failed, skipped = map(frozenset, names.values())
    return Checked(passed, failed, skipped, output)


@contextlib.contextmanager
def _serving(service: str, folder: Path, given: Mapping[str, str]) -> Iterator[str]:
    """Run a service of the application in this folder on a free port, and give its URL."""
    log = folder / "log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", f"app.{service}", "--port", "0"],
            cwd=folder,
            env={**given, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        yield _url_in(log, process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _url_in(log: Path, process: subprocess.Popen[bytes]) -> str:
    gives_up_at = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < gives_up_at and process.poll() is None:
        found = _LISTENS.search(log.read_text(encoding="utf-8"))
        if found:
            return found[1]
        time.sleep(0.05)
    message = f"the edited application does not listen; its log:\n{log.read_text(encoding='utf-8')}"
    raise AssertionError(message)
