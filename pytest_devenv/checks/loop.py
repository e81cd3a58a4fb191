"""How long does an edit take until it is live? These edit a file of the project, and put it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.checks.asserting import asserts, holds

if TYPE_CHECKING:
    from pytest_devenv.run import Devenv

pytestmark = pytest.mark.loop


@asserts("loop.keeps_its_budget")
def test_edit_is_live_within_its_budget(devenv: Devenv, probe: str) -> None:
    """An edit is live, and every stage on the way is over, within the loop's budget."""
    holds(devenv.verdict(probe))
