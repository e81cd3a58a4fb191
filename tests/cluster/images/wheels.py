"""Wheels for builds that reach no package index: fetched once for what is asked for, and kept."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.images.place import ROOT, folder, recent
from tests.cluster.kind.say import run, step
from tests.cluster.kind.versions import key

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = "3.11"  # Debian's, and so the stand-in's
PIP = "pip==25.3"
_ALSO = "async-timeout>=4"  # redis requires it of a Python older than 3.11.3, as Debian's is
_FETCH_S = 600
_OF_BACKEND = "app/backend/requirements.txt"


def for_backend() -> Path:
    """Return the folder of all that the backend needs."""
    return _house("backend", [*(ROOT / _OF_BACKEND).read_text().split(), _ALSO])


def for_tools() -> Path:
    """Return the folder of all that is installed for the tools, and of what builds pytest-devenv's own wheel."""
    words = (sys.executable, ROOT / "k8s" / "tools" / "requirements.py", ROOT / "pyproject.toml", ROOT / _OF_BACKEND)
    return _house("tools", [*run(*words).split(), *run(*words, "--build").split(), _ALSO])


def pip() -> Path:
    """Return pip's own wheel."""
    return next(_house("pip", [PIP]).glob("pip-*.whl"))


def _house(name: str, asked: Sequence[str]) -> Path:
    """Return the folder of the wheels that were asked for, with all that they require. Raises StepError."""
    made = folder() / f"wheels-{name}-{key(PYTHON, *asked)}"
    if made.is_dir():
        return recent(made)
    with step(f"fetch the wheels of {name}"), tempfile.TemporaryDirectory(dir=folder()) as scratch:
        whole = Path(scratch) / "wheels"
        options = ("--quiet", "--disable-pip-version-check", "--only-binary=:all:", f"--python-version={PYTHON}")
        command = (sys.executable, "-m", "pip", "download", *options, f"--dest={whole}", *asked)
        run(*command, env={**os.environ, "PYTHONWARNINGS": "ignore"}, deadline_s=_FETCH_S)
        shutil.move(whole, made)
    return recent(made)
