"""A reference application that is broken in one way fails the check that should see it, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.checks.mutants import BACKEND, PAGE, Edit, Mutant

if TYPE_CHECKING:
    from pathlib import Path

    from tests.checks.kiro import Checked, Kiro

pytestmark = pytest.mark.timeout(600)

OF_THE_BACKEND = ("checks", "-m", "e2e", "--ignore=checks/page")
OF_THE_PAGE = ("checks/page", "-m", "e2e")
QUICK = Edit("backend/passwords.py", "= 19_456, 2, 1", "= 64, 1, 1")
"""Each run hashes some two hundred times: with Argon2id's least cost that takes no time."""
FEW = {"KIRO_EXAMPLES": "3"}
"""The first of the examples that the checks have: a broken backend is seen by them too, in two thirds of the time."""


def assert_caught(checked: Checked, mutant: Mutant) -> None:
    """Assert that the checks that should see the mutant failed, and that all others passed."""
    assert checked.failed == mutant.caught_by, checked.output
    assert not checked.skipped, checked.output
    assert len(checked.passed) > len(checked.failed)


@pytest.mark.parametrize("mutant", BACKEND, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_broken_backend_is_caught(kiro: Kiro, tmp_path: Path, mutant: Mutant) -> None:
    """Each way of breaking the backend is seen by the checks that are about it, and by those alone."""
    with kiro.with_edits("backend", tmp_path, QUICK, *mutant.edits) as addresses:
        assert_caught(kiro.check({**addresses, **FEW}, tmp_path / "junit.xml", *OF_THE_BACKEND), mutant)


@pytest.mark.chromium
@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize("mutant", PAGE, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_broken_page_is_caught(kiro: Kiro, tmp_path: Path, mutant: Mutant) -> None:
    """Each way of breaking the page is seen by the checks that are about it, and by those alone."""
    with kiro.with_edits("frontend", tmp_path, *mutant.edits) as addresses:
        checked = kiro.check(addresses, tmp_path / "junit.xml", *OF_THE_PAGE)
    assert_caught(checked, mutant)
    assert "a screenshot of the failure: " in checked.output
