"""The shop, which is looked at while its cluster is away."""

from tests.cluster.faults.conftest import standing

__all__ = ["standing"]
