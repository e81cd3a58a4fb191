"""The page, a small project with loops, and a folder for what loops keep."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_devenv.targets.embedded.instance import STATE_VARIABLE
from tests.faults.project import Shop
from tests.integration.targets.remains import processes_in

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parent / "page"


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder for what this process and its children keep of environments and loops."""
    folder = Path(tempfile.mkdtemp(prefix="devenv-loops-"))
    folder.chmod(0o711)
    monkeypatch.setenv(STATE_VARIABLE, str(folder))
    yield folder
    for process in processes_in(folder):
        with contextlib.suppress(psutil.Error):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def page(tmp_path: Path, state: Path) -> Shop:
    """Give a copy of the page's project, whose environments and history are below `state`."""
    shutil.copytree(SOURCE, tmp_path / "page", ignore=shutil.ignore_patterns("__pycache__"))
    return Shop(tmp_path / "page", state)
