"""The fixtures of the tests of migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
