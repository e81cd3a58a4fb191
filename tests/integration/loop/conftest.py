"""The page, a small project with loops."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.project import Shop

SOURCE = Path(__file__).parent / "page"


@pytest.fixture
def page(tmp_path: Path, state: Path) -> Shop:
    """Give a copy of the page's project, whose environments and history are below `state`."""
    shutil.copytree(SOURCE, tmp_path / "page", ignore=shutil.ignore_patterns("__pycache__"))
    return Shop(tmp_path / "page", state)
