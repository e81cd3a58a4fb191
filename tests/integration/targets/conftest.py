"""The shop, to make environments of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.project import PASSWORD, Shop, copied

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, state: Path) -> Shop:
    """Give a copy of the shop, to bring up below `state`."""
    return copied(tmp_path / "shop", state, SHOP_PASSWORD=PASSWORD)
