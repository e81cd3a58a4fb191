"""The door of the settings: which file configures the environment, and the frozen tree that it makes."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_devenv.settings.locate import find

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_devenv.settings.model import Settings

__all__ = ["find", "read"]


def read(
    file: Path,
    *,
    overrides: Mapping[str, tuple[object, str]] = MappingProxyType({}),
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return what a file configures, validated once, with the source of every value.

    `overrides` gives, by key path, the values that go before the file's, each with its source
    (`{"target": ("embedded", "--devenv-target")}`, see `options.overrides`). `environ` is where the options that are
    not among them, and the URLs of services, are looked up. Raises `ConfigError`, which says every problem at once.
    """
    from pytest_devenv.settings.load import load

    return load(file, overrides, environ)
