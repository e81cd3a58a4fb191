"""The cluster of the tests, and the kind provider that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cluster.conftest import ReferenceCluster

pytestmark = pytest.mark.cluster


def test_every_node_is_ready(reference_cluster: ReferenceCluster) -> None:
    """The cluster that the tests are given takes pods."""
    path = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'
    found = reference_cluster.kubectl("get", "nodes", "-o", f"jsonpath={path}").split()
    assert found
    assert set(found) == {"True"}
