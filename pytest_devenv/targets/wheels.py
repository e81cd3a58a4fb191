"""Wheels kept in our own cache, out of the project's environment: what they would register there costs every run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Sequence

CACHE_VARIABLE = "PYTEST_DEVENV_CACHE"
_INSTALL_S = 120


def cache_folder() -> Path:
    """Return the folder that keeps programs and wheels between runs; PYTEST_DEVENV_CACHE names another."""
    named = os.environ.get(CACHE_VARIABLE)
    if named is not None:
        folder = Path(named)
    else:
        import platformdirs

        folder = Path(platformdirs.user_cache_dir("pytest-devenv"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"expected to make the folder {folder} for what is kept between runs, found: {error.strerror}"
        raise TargetError(msg, remedy=f"name a folder that you may write in {CACHE_VARIABLE}") from error
    return folder


def install(requirements: Sequence[str], folder: Path, *, expected: str, remedy: str) -> None:
    """Install wheels without their dependencies into a folder of their own, whole or not at all.

    Raises TargetError, which begins with `expected`: what else would have served.
    """
    wanted = " and ".join(requirements)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        target = Path(scratch) / "wheels"
        command = [*_installer(remedy), "--no-deps", "--only-binary", ":all:", "--target", str(target), *requirements]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
        except subprocess.TimeoutExpired as error:
            msg = f"{expected}, or {wanted} installed within {_INSTALL_S} s; found the installer still at it"
            raise TargetError(msg, remedy=remedy) from error
        if result.returncode != 0:
            tail = "\n    ".join(result.stderr.strip().splitlines()[-5:])
            msg = f"{expected}, or {wanted} from the package index; found neither:\n    {tail}"
            raise TargetError(msg, remedy=remedy)
        try:
            target.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def _installer(remedy: str) -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    msg = "expected pip or uv, to put wheels into the cache; found neither"
    raise TargetError(msg, remedy=remedy)
