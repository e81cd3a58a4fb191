"""The shop that the faults are done to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.faults.deployed import standing_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.conftest import ReferenceCluster
    from tests.cluster.faults.deployed import Deployed


@pytest.fixture(scope="session")
def standing(reference_cluster: ReferenceCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Give a shop that is up; who breaks it mends it."""
    with standing_in(reference_cluster, tmp_path_factory.mktemp("standing")) as shop:
        yield shop


@pytest.fixture
def shop(standing: Deployed) -> Iterator[Deployed]:
    """Give the shop as its manifests say; whatever a test changes is undone."""
    yield standing
    standing.restore()
