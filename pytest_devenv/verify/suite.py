"""A stage of the project's own checks: pytest runs them as somebody at a terminal would, and its JUnit file is read."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pytest_devenv.options import INSTANCE
from pytest_devenv.probes.redact import redacted
from pytest_devenv.verdict import Evidence, Verdict, failed, off, passed, unknown
from pytest_devenv.verify.stages import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.settings import Stage
    from pytest_devenv.targets.embedded.instance import Instance
    from pytest_devenv.targets.environment import Environment

_NO_TESTS = 5  # pytest's exit code
_LINES = 25
_ENDING_S = 10.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that did not pass: its id, as pytest takes it, and the first line of what it said."""

    nodeid: str
    said: str


def run(stage: Stage, environment: Environment, *, instance: Instance | None, deadline_s: float) -> tuple[Verdict, int]:
    """Run the checks of a stage against this very environment; return the verdict, and how many ran.

    `instance` is the embedded environment that this process owns, which the run joins.
    """
    words = [*stage.checks, *(() if stage.marks is None else ("-m", stage.marks))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "junit.xml")
        command = [sys.executable, "-m", "pytest", *words, f"--junitxml={file}", "-o", "junit_family=xunit1"]
        code, output = _ended(command, environment, instance, deadline_s)
        ran, failures = _read(file)
    again = shlex.join(["pytest", *words])
    text = redacted(output, environment)
    where = f"{again}, in {environment.settings.root}"
    if code is None:
        return _late(stage, deadline_s, again, where, text), ran
    if failures:
        return _failing(failures, ran, where, text), ran
    if code == _NO_TESTS:
        return _empty(stage, environment, again, where), 0
    if code != 0:
        last = " ".join(text.strip().splitlines()[-1:])
        return unknown(f"pytest did not run: {last}", where=where, remedy=again, evidence=_tail(text)), ran
    return passed(f"{ran} tests pass", tests=ran), ran


def _ended(
    command: list[str], environment: Environment, instance: Instance | None, deadline_s: float
) -> tuple[int | None, str]:
    """Run pytest to its end; return its exit code, None where it was ended for being late, and what it printed."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        child = subprocess.Popen(
            command,
            cwd=environment.settings.root,
            env=_variables(os.environ, instance),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = child.wait(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(child)
        output.seek(0)
        return code, output.read()


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a run that is still at it, also after Ctrl-C, of which a session of its own hears nothing."""
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGINT)
    try:
        child.wait(timeout=_ENDING_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _variables(environ: Mapping[str, str], instance: Instance | None) -> dict[str, str]:
    joined = {} if instance is None else {INSTANCE: str(instance.folder)}
    return {**environ, **joined}


def _read(file: Path) -> tuple[int, list[Failure]]:
    """Return how many tests ran, and those that failed or broke. The file is pytest's own."""
    try:
        cases = list(ET.parse(file).iter("testcase"))  # noqa: S314  # written by the run above
    except (OSError, ET.ParseError):
        return 0, []
    ran = [case for case in cases if case.find("skipped") is None]
    failures = [
        Failure(_nodeid(case), _first_line(problem))
        for case in ran
        if (problem := next((each for each in case if each.tag in {"failure", "error"}), None)) is not None
    ]
    return len(ran), failures


def _nodeid(case: ET.Element) -> str:
    """Return pytest's id of a test: the file, the classes in it, the name."""
    file, name, classes = case.get("file"), case.get("name", ""), case.get("classname", "")
    if not file:
        return f"{classes}::{name}" if name else classes
    inner = classes.removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
    return "::".join([file, *(each for each in inner.split(".") if each), *([name] if name else [])])


def _first_line(problem: ET.Element) -> str:
    lines = (problem.get("message") or problem.text or "").strip().splitlines()
    return " ".join(lines[0].split())[:300] if lines else problem.tag


def _failing(failures: list[Failure], ran: int, where: str, text: str) -> Verdict:
    first = failures[0]
    others = "\n".join(f"{each.nodeid}: {each.said}" for each in failures[1:])
    return failed(
        f"{len(failures)} of {ran} tests fail, the first is {first.nodeid}",
        expected="every test of the stage passes",
        found=first.said,
        where=where,
        remedy=f"mend what it says, then: {shlex.join(['pytest', first.nodeid])}",
        evidence=(*((Evidence("these fail too", others),) if others else ()), *_tail(text)),
        tests=ran,
    )


def _empty(stage: Stage, environment: Environment, again: str, where: str) -> Verdict:
    if stage is DEFAULT:
        return off("the project has no check of its own that is marked e2e, and its settings describe no stage")
    key = f"verify.{stage.name} in {environment.settings.file.name}"
    return failed(
        f"the stage {stage.name} selects no test",
        expected="at least one test",
        found="none",
        where=where,
        remedy=f"correct {key}, then see: {again} --collect-only",
    )


def _late(stage: Stage, deadline_s: float, again: str, where: str, text: str) -> Verdict:
    return failed(
        f"the stage {stage.name} does not end",
        expected=f"its end within {deadline_s:g} s",
        found="pytest still at it",
        where=where,
        remedy=f"see what it waits for: {again} -v; or give it longer: --timeout",
        evidence=_tail(text),
    )


def _tail(text: str) -> tuple[Evidence, ...]:
    lines = text.strip().splitlines()[-_LINES:]
    return (Evidence("last lines of pytest", "\n".join(lines)),) if lines else ()
