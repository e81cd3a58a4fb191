"""Another project, which installs pytest-devenv and writes no test for its environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.wheels import ROOT, UNCOMPILED, built

LIBRARY = ROOT / "tests" / "projects" / "library"
PROBES = {
    "postgres.accepts_queries[store]",
    "redis.answers[cache]",
    "http.answers[catalogue]",
    "migrations.all_applied[books]",
    "secret.is_present[session-secret]",
}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Copy the project to where nothing of ours is near."""
    return Path(shutil.copytree(LIBRARY, tmp_path / "library"))


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the built wheels, with what the embedded target needs, into a virtual environment of their own."""
    folder = built(tmp_path_factory.mktemp("wheels"))
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=120)
    python = folder / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--find-links", str(folder), "pytest-devenv[embedded]"]
    subprocess.run(install, env={**os.environ, **UNCOMPILED}, check=True, timeout=300)
    return python


def in_project(python: Path, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest of that environment in the project."""
    return subprocess.run(
        [str(python), "-m", "pytest", *words],
        cwd=project,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def is_healthy(python: Path, project: Path) -> dict[str, Any]:
    """Run the health checks and return their report; they must pass."""
    result = in_project(python, project, "-m", "health", "--devenv-report=report.json")
    assert result.returncode == 0, result.stdout + result.stderr
    report: dict[str, Any] = json.loads((project / "report.json").read_text())
    return report


@pytest.fixture(params=["editable", "wheel"])
def python(request: pytest.FixtureRequest) -> Path:
    """Give the interpreter of an editable install, and that of a built wheel's."""
    if request.param == "editable":
        return Path(sys.executable)
    installed: Path = request.getfixturevalue("installed")
    return installed


@pytest.mark.timeout(400)
def test_health_needs_a_table_and_nothing_more(python: Path, library: Path) -> None:
    """With a table in its pyproject.toml, `pytest -m health` starts, migrates and looks at the environment."""
    report = is_healthy(python, library)
    passed = {entry["probe"] for entry in report["checks"] if entry["verdict"]["state"] == "pass"}
    assert passed >= PROBES
    assert len(passed) == len(report["checks"])


@pytest.mark.timeout(400)
def test_ordinary_runs_stay_as_they_were(python: Path, library: Path) -> None:
    """`pytest` there runs the project's own test, and starts nothing."""
    result = in_project(python, library)
    assert result.returncode == 0
    assert "1 passed" in result.stdout
    assert "devenv:" not in result.stdout


@pytest.mark.timeout(400)
def test_the_command_is_installed(installed: Path, library: Path) -> None:
    """The wheel brings the `pytest-devenv` command, which reads the same table."""
    command = [str(installed.with_name("pytest-devenv")), "config", "--json"]
    result = subprocess.run(command, cwd=library, capture_output=True, text=True, timeout=180, check=True)
    assert "library" in result.stdout
    assert "for-development-only" not in result.stdout


@pytest.mark.timeout(400)
def test_the_wheels_carry_only_the_package(installed: Path) -> None:
    """Tests, the reference environment and its settings stay out of the wheels."""
    files = installed_files(installed, "pytest-devenv-core")
    assert {file.split("/")[0] for file in files if not file.startswith(("pytest_devenv", ".."))} == set()


@pytest.mark.timeout(400)
def test_what_brings_the_entry_point_brings_no_code(installed: Path) -> None:
    """Pytest reads every file name of a distribution with a plugin in each run, so that one has none of our modules."""
    files = installed_files(installed, "pytest-devenv")
    assert files
    assert {file.split("/")[0] for file in files} == {"pytest_devenv-0.1.0.dist-info"}


def installed_files(python: Path, distribution: str) -> list[str]:
    """Return the files of an installed distribution, as pip lists them."""
    listing = [str(python), "-m", "pip", "show", "--files", distribution]
    files = subprocess.run(listing, capture_output=True, text=True, timeout=180, check=True).stdout.split("Files:")[1]
    return [line.strip() for line in files.splitlines() if line.strip()]
