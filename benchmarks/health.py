"""How long it takes to know: cold, attached to what runs, and beside a shell script that looks as much."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.environments import ROOT, built, environment
from benchmarks.measure import RUNS, Command, Row, in_turn, median_difference_ms, median_ms

_NEEDED = ("curl", "psql", "redis-cli")


def rows() -> list[Row]:
    """Return the figures for the reference environment on this machine, installed as its users do: no tool of ours."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        requirements = ROOT / "app" / "backend" / "requirements.txt"
        wheels = built(scratch / "wheels")
        python = environment(scratch / "venv", wheels, "pytest-devenv[embedded,alembic]", "-r", str(requirements))
        own = python.parent
        return [*_cold(own, scratch), *_attached(own, scratch), _memory(python, scratch)]


def _health(name: str, own: Path, scratch: Path, *more: str) -> Command:
    words = [str(own / "pytest"), "-q", "-m", "health", "--devenv-target=embedded", *more]
    return Command(name, words, ROOT, {"PYTEST_DEVENV_STATE": str(_state(scratch))})


def _state(scratch: Path) -> Path:
    scratch.chmod(0o711)
    return scratch / "state"


def _cold(own: Path, scratch: Path) -> list[Row]:
    report = scratch / "cold.json"
    times = in_turn([_health("cold", own, scratch, f"--devenv-report={report}")], runs=RUNS)
    found = json.loads(report.read_text())
    return [
        Row("cold: environment up, migrated and checked", median_ms(times, "cold") / 1000, "s", 3),
        Row("checks in it", len(found["checks"]), "checks"),
    ]


def _attached(own: Path, scratch: Path) -> list[Row]:
    state = {"PYTEST_DEVENV_STATE": str(_state(scratch))}
    project = scratch / "project"
    project.mkdir()
    (project / "test_empty.py").write_text("def test_empty(): pass\n")
    env = [str(own / "pytest-devenv"), "env"]
    subprocess.run([*env, "up"], cwd=ROOT, env={**os.environ, **state}, check=True, capture_output=True)
    try:
        up = json.loads(
            subprocess.run(
                [*env, "status", "--json"], cwd=ROOT, env={**os.environ, **state}, check=True, capture_output=True
            ).stdout
        )
        report = scratch / "attached.json"
        commands = [
            Command("pytest itself", [str(own / "pytest"), "-q", "-p", "no:devenv"], project, {}),
            _health("attached", own, scratch, f"--devenv-report={report}"),
        ]
        missing = [name for name in _NEEDED if shutil.which(name) is None]
        if not missing:
            commands.append(_script(up, scratch))
        times = in_turn(commands, runs=RUNS)
        looks = _looks(commands[1], report)
    finally:
        subprocess.run([*env, "down"], cwd=ROOT, env={**os.environ, **state}, check=True, capture_output=True)
    found = [
        Row("pytest itself, on one empty test", median_ms(times, "pytest itself"), "ms"),
        Row("attached: all health checks", median_difference_ms(times, "attached", "pytest itself"), "ms more", 500),
        Row("all looks at once, over the sum of their own times", looks, "ratio", 1 / 3),
    ]
    if missing:
        found.append(Row("the same looks as a shell script", float("nan"), "", note=f"{', '.join(missing)} missing"))
    else:
        ratio = statistics.median(a / b for a, b in zip(times["script"], times["attached"], strict=True))
        found.append(Row("the same looks, one after the other in a shell script", median_ms(times, "script"), "ms"))
        found.append(Row("that script, over the attached run", ratio, "times as long"))
    return found


def _looks(attached: Command, report: Path) -> float:
    """Return what all looks took at once over the sum of their own times: the median, since one run is off by half."""
    ratios: list[float] = []
    for _ in range(RUNS):
        attached.run()
        looks = json.loads(report.read_text())["looks"]
        ratios.append(float(looks["batch_wall_s"] / looks["sum_s"]))
    return statistics.median(ratios)


def _script(up: dict[str, object], scratch: Path) -> Command:
    """Return the shell script with the addresses and credentials that the services got."""
    state = next(_state(scratch).glob("*/state.json"))
    endpoints = json.loads(state.read_text())["endpoints"]
    database, redis = endpoints["postgres"], endpoints["redis"]
    env = {
        "PGHOST": database["host"],
        "PGPORT": str(database["port"]),
        "PGUSER": database["user"],
        "PGPASSWORD": database["password"],
        "REDIS_PORT": str(redis["port"]),
        "REDISCLI_AUTH": redis["password"],
        "BACKEND": f"http://{endpoints['backend']['host']}:{endpoints['backend']['port']}",
        "FRONTEND": f"http://{endpoints['frontend']['host']}:{endpoints['frontend']['port']}",
    }
    assert up["up"], "the environment is up"  # noqa: S101  # a benchmark of nothing would look fast
    return Command("script", ["bash", str(ROOT / "benchmarks" / "looks.sh")], ROOT, env)


def _memory(python: Path, scratch: Path) -> Row:
    """Return the peak memory of the pytest process alone, not of the servers that it starts."""
    code = (
        "import resource, sys, pytest; status = pytest.main(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(status)"
    )
    result = subprocess.run(
        [str(python), "-c", code, "-q", "-m", "health", "--devenv-target=embedded"],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DEVENV_STATE": str(_state(scratch))},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return Row("memory of the pytest process in a health run", int(result.stdout.split()[-1]) / unit, "MB", 80)
