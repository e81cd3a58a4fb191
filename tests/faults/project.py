"""The shop: a small example project, and whole runs of pytest on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.integration.targets.persons import as_ordinary_user
from tests.integration.targets.remains import remains_in

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = Path(__file__).parent / "shop"
PASSWORD = "pw-0f-the-shop-8Kq2"
TOKEN = "t0ken-of-the-shop-4711"
SECRETS = (PASSWORD, TOKEN)
LONGEST_RUN_S = 60.0
UNRELATED = ("-p", "no:hypothesispytest", "-p", "no:anyio")
EVERYTHING = ("-vv", "--showlocals", "-ra", "--tb=long")


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of pytest left behind: its exit code, its texts, its report, and how long it took."""

    exit_code: int
    output: str
    junit: str
    report: dict[str, Any]
    took_s: float

    @property
    def states(self) -> dict[str, str]:
        """The verdict of every check, by the id of its probe."""
        return {check["probe"]: check["verdict"]["state"] for check in self.report["checks"]}

    @property
    def passed(self) -> set[str]:
        """The probes that passed."""
        return {probe for probe, state in self.states.items() if state == "pass"}

    def verdict(self, probe: str) -> dict[str, Any]:
        """Return one check's verdict."""
        (found,) = [check["verdict"] for check in self.report["checks"] if check["probe"] == probe]
        return dict(found)

    def only_root(self, probe: str, state: str = "fail") -> dict[str, Any]:
        """Return the verdict of the one root of everything that is not well, after asserting that it is the only one.

        Whatever else did not pass is blocked by it, pytest failed, and the report and its texts agree.
        """
        assert {each: found for each, found in self.states.items() if found in {"fail", "unknown"}} == {probe: state}
        blocked = [each["verdict"] for each in self.report["checks"] if each["verdict"]["state"] == "blocked"]
        assert {each["cause"] for each in blocked} <= {probe}
        assert [each["probe"] for each in self.report["roots"]] == [probe]
        assert self.exit_code == 1
        assert self.report["exit_code"] == 1
        assert self.report["state"] == state
        verdict = self.verdict(probe)
        assert verdict["remedy"]
        assert [step["remedy"] for step in self.report["next_steps"]] == [verdict["remedy"]]
        assert self.report["counts"]["blocked"] == len(blocked)
        return verdict


@dataclass(frozen=True, slots=True)
class Shop:
    """A copy of the example project, the folder that its embedded environments live in, and what its runs are given.

    `reports` is where its runs put their files, relative to the project; `ordinary` has an ordinary user run them.
    """

    folder: Path
    state: Path
    given: Mapping[str, str] = field(default_factory=dict)
    reports: Path = Path()
    ordinary: bool = False

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables of its runs."""
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("PYTEST") and key not in {"KUBECONFIG", "NO_COLOR", "FORCE_COLOR", "COLUMNS"}
        }
        return {**inherited, "PYTEST_DEVENV_STATE": str(self.state), "PYTHONDONTWRITEBYTECODE": "1", **self.given}

    def given_too(self, **more: str) -> Self:
        """Return the same shop, whose runs are given these variables too."""
        return replace(self, given={**self.given, **more})

    def edit(self, old: str, new: str, *, file: str = "pyproject.toml") -> None:
        """Replace a text of one of its files, which must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new))

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a run that tells as much as pytest can be made to tell."""
        reports = (f"--devenv-report={self.reports / 'report.json'}", f"--junitxml={self.reports / 'junit.xml'}")
        command = [sys.executable, "-m", "pytest", *UNRELATED, *EVERYTHING, *reports, *arguments]
        return as_ordinary_user(command) if self.ordinary else command

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run and return at once; `end` waits for it."""
        for name in ("report.json", "junit.xml"):
            (self.folder / self.reports / name).unlink(missing_ok=True)
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, within_s: float = LONGEST_RUN_S) -> Run:
        """Run pytest to its end; assert that it ended in time, told no secret and left nothing running."""
        began = time.monotonic()
        return self.end(self.begin(*(arguments or ("-m", "health"))), began=began, within_s=within_s)

    def end(self, process: subprocess.Popen[str], *, began: float, within_s: float = LONGEST_RUN_S) -> Run:
        """Wait for the end of a run that has begun, and assert the same of it."""
        try:
            output, _ = process.communicate(timeout=within_s)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        took_s = time.monotonic() - began
        made = Run(
            exit_code=process.returncode,
            output=output,
            junit=self._text("junit.xml"),
            report=json.loads(self._text("report.json") or "{}"),
            took_s=took_s,
        )
        self.assert_no_secret(made.output, made.junit, json.dumps(made.report, ensure_ascii=False))
        assert remains_in(self.state) == []
        return made

    def assert_no_secret(self, *texts: str) -> None:
        """Assert that none of the texts holds a secret of the shop."""
        for secret in SECRETS:
            for text in texts:
                assert secret not in text

    def _text(self, name: str) -> str:
        try:
            return (self.folder / self.reports / name).read_text()
        except FileNotFoundError:
            return ""


def copied(folder: Path, state: Path, **given: str) -> Shop:
    """Copy the example project into `folder`."""
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return Shop(folder, state, given)
