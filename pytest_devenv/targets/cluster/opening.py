"""Opening an environment in a cluster: who to ask, how each service is reached, and with which password."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.api import connect, connect_in_pod
from pytest_devenv.clients.kubernetes.cluster import Cluster
from pytest_devenv.clients.kubernetes.platform import platform_of
from pytest_devenv.settings import ClusterSource, TargetName
from pytest_devenv.targets.cluster import endpoints, passwords
from pytest_devenv.targets.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.kubernetes.api import Api
    from pytest_devenv.clients.kubernetes.forward import Forward
    from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.choose import Choice
    from pytest_devenv.targets.embedded.instance import Instance

DEFAULT_NAMESPACE = "default"


@contextlib.contextmanager
def environment(
    settings: Settings, choice: Choice, *, instance: Instance | None = None, keep: bool = False
) -> Iterator[Environment]:
    """Give the environment of the chosen cluster; forwards, and a cluster that was made for it, end with it.

    Raises TargetError where the context cannot be used, or the cluster not be made. One that does not answer is none
    of that: whoever looks at it will say so.
    """
    with contextlib.ExitStack() as stack:
        kubeconfig = choice.kubeconfig
        if choice.cluster in {ClusterSource.KIND, ClusterSource.CONTROLPLANE}:
            kubeconfig = stack.enter_context(_provided(settings, choice.cluster, instance, keep=keep))
        api = _connected(settings, kubeconfig)
        stack.callback(api.close)
        namespace = settings.namespace or api.access.namespace or DEFAULT_NAMESPACE
        found = passwords.found(settings, api, namespace)
        cluster = Cluster(api, namespace, api.context, platform_of(api), kubeconfig)
        forwards: dict[str, Forward] = {}
        if kubeconfig is None:
            reached = endpoints.inside(settings, namespace, found.passwords)
        else:
            reached, forwards = endpoints.outside(settings, cluster, found.passwords, stack)
        yield Environment(
            settings=settings,
            target=TargetName.CLUSTER,
            why=choice.why if kubeconfig is None else kubeconfig.why,
            endpoints=MappingProxyType(reached),
            faults=MappingProxyType(found.faults),
            cluster=replace(cluster, forwards=MappingProxyType(forwards)),
        )


def _connected(settings: Settings, kubeconfig: Kubeconfig | None) -> Api:
    if kubeconfig is None:
        return connect_in_pod(deadline_s=settings.deadline_s)
    return connect(kubeconfig, deadline_s=settings.deadline_s)


def _provided(
    settings: Settings, source: ClusterSource | None, instance: Instance | None, *, keep: bool
) -> contextlib.AbstractContextManager[Kubeconfig]:
    """Return what makes the cluster, or joins the one that this run has made already."""
    if source is ClusterSource.KIND:
        from pytest_devenv.targets import kind

        return kind.provided(settings, keep=keep)
    from pytest_devenv.targets import controlplane

    return controlplane.provided(settings, instance=instance)
