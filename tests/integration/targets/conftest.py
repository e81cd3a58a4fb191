"""A folder for embedded environments, and the shop to make them of."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_devenv.targets.embedded.instance import STATE_VARIABLE
from tests.faults.project import PASSWORD, Shop, copied
from tests.integration.targets.remains import processes_in

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder for the environments of this process and its children, which another account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="devenv-targets-"))
    folder.chmod(0o711)
    monkeypatch.setenv(STATE_VARIABLE, str(folder))
    yield folder
    for process in processes_in(folder):
        with contextlib.suppress(psutil.Error):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def shop(tmp_path: Path, state: Path) -> Shop:
    """Give a copy of the shop, to bring up below `state`."""
    return copied(tmp_path / "shop", state, SHOP_PASSWORD=PASSWORD)
