"""The fixtures of the tests of migrations."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.integration.migrate.revisions import JOBS
from tests.integration.migrate.sandbox import engine

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.migrate import Engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder for migrations."""
    path = tmp_path / "migrations"
    path.mkdir()
    return path


@pytest.fixture
def sqlx(folder: Path) -> Engine:
    """Give the engine for plain SQL in sqlx's layout, on that folder."""
    return engine(folder)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a folder for Alembic with the reference environment's env.py and no revision."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    for name in ("alembic.ini", "env.py", "script.py.mako"):
        shutil.copy(JOBS / name, folder / name)
    (folder / "versions").mkdir()
    return folder
