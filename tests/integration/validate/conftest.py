"""The project that is validated."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.cli import main
from tests.integration.validate.project import FILES, Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only folder on PATH, with no program in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> Project:  # noqa: ARG001  # an empty PATH
    """Give the project whole, with nothing of this machine's own settings, and no kube context."""
    for variable in [each for each in os.environ if each.startswith("PYTEST_DEVENV_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    made = Project(tmp_path / "shop")
    for name, text in FILES.items():
        made.write(name, text)
    monkeypatch.chdir(made.folder)
    from click.testing import CliRunner

    assert CliRunner().invoke(main, ["db", "seed-sync"]).exit_code == 0
    return made
