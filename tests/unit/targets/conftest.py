"""Settings as a table makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_devenv.settings.read import read

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.settings import Settings


class SettingsOf(Protocol):
    """What reads a table, with the environment variables given by keyword."""

    def __call__(self, table: str, **environ: str) -> Settings:
        """Return the settings that the table makes."""


@pytest.fixture
def settings_of(tmp_path: Path) -> SettingsOf:
    """Give what reads a table, with the environment variables given by keyword."""

    def make(table: str, **environ: str) -> Settings:
        file = tmp_path / "pytest-devenv.toml"
        file.write_text(f'name = "shop"\n{table}')
        return read(file, environ=environ)

    return make
