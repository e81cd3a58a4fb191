"""What the project's own hooks add: every probe that no other check asserts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.checks.asserting import EVERY_OTHER, asserts, holds

if TYPE_CHECKING:
    from pytest_devenv.run import Devenv

pytestmark = pytest.mark.health


@asserts(EVERY_OTHER)
def test_project_probe(devenv: Devenv, probe: str) -> None:
    """What the project's own probe looks at is as it should be."""
    holds(devenv.verdict(probe))
