"""Fixtures for seeds without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.seed.workshop import Workshop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Give an empty folder of seeds."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    return Workshop(folder)
