"""A kind cluster of this machine, through pytest-kind: made or reused, loaded with images, deleted or kept."""

from pytest_devenv.targets.kind.provider import cluster_name, provided, reached, remove

__all__ = ["cluster_name", "provided", "reached", "remove"]
