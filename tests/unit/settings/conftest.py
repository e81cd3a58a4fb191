"""A folder to configure, and what reading it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import ConfigError
from pytest_devenv.settings import Settings
from pytest_devenv.settings.read import read

if TYPE_CHECKING:
    from pathlib import Path

Read = Callable[..., Settings]
Problems = Callable[..., str]


@pytest.fixture
def settings_of(tmp_path: Path) -> Read:
    """Read a pytest-devenv.toml with this text."""

    def write_and_read(
        text: str,
        *,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, tuple[object, str]] | None = None,
    ) -> Settings:
        file = tmp_path / "pytest-devenv.toml"
        file.write_text(dedent(text))
        return read(file, environ=environ or {}, overrides=overrides or {})

    return write_and_read


@pytest.fixture
def problems_of(settings_of: Read, tmp_path: Path) -> Problems:
    """Return the message that refuses this text, with the folder's own path as DIR."""

    def refuse(text: str, **given: object) -> str:
        with pytest.raises(ConfigError) as refused:
            settings_of(text, **given)
        return str(refused.value).replace(str(tmp_path), "DIR")

    return refuse
