"""What the tests of whole environments share: a folder for those that they leave running."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_devenv.targets.embedded.instance import STATE_VARIABLE
from tests.integration.targets.remains import processes_in

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder for what this process and its children keep of environments, which another account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="devenv-state-"))
    folder.chmod(0o711)
    monkeypatch.setenv(STATE_VARIABLE, str(folder))
    yield folder
    for process in processes_in(folder):
        with contextlib.suppress(psutil.Error):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)
