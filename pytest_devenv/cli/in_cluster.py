"""Opening the environment of a cluster, for commands about what runs there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_devenv.errors import GuardError, TargetError
from pytest_devenv.settings import TargetName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.kubernetes.cluster import Cluster
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment


@contextmanager
def in_cluster(settings: Settings) -> Iterator[tuple[Environment, Cluster]]:
    """Give the environment and its cluster. Raises TargetError for an environment on any other target."""
    from pytest_devenv.targets.choose import choose
    from pytest_devenv.targets.opening import opened

    choice = choose(settings)
    if choice.target is not TargetName.CLUSTER:
        msg = f"expected an environment in a cluster, found the target {choice.target}: {choice.why}"
        raise TargetError(msg, remedy="PYTEST_DEVENV_TARGET=cluster")
    with opened(settings, choice) as environment:
        cluster = environment.cluster
        assert cluster is not None, choice  # noqa: S101  # the target is one
        yield environment, cluster


def judge(settings: Settings, what: str) -> None:
    """Refuse an environment in which nothing is changed; `what` are those that would be. Raises GuardError."""
    if not settings.environment.changeable:
        msg = f"expected environment development or test, found {settings.environment}, looked in {settings.file}"
        raise GuardError(msg, remedy=f"change {what} of other environments by their own means")
