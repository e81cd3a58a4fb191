"""The reference environment for the tests of its checks, brought up once."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.page.chromium import missing
from pytest_devenv.run import Devenv
from pytest_devenv.settings.read import read
from pytest_devenv.targets.embedded.instance import STATE_VARIABLE
from tests.checks.kiro import ROOT, Kiro

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def kiro() -> Iterator[Kiro]:
    """Give the reference environment, running on this machine beside whatever else does."""
    state = Path(tempfile.mkdtemp(prefix="devenv-checks-"))
    state.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE_VARIABLE, str(state))
        settings = read(ROOT / "pyproject.toml", overrides={"target": ("embedded", "the tests")})
        with Devenv(settings, {}) as devenv:
            yield Kiro(devenv.environment)
    shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="session")
def chromium() -> None:
    """Skip, or with CI=true fail, where there is no Chromium."""
    if (remedy := missing()) is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"Chromium is missing: {remedy}")
