"""Which target a run looks at, and why."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError
from pytest_devenv.settings import ClusterSource, TargetName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig
    from pytest_devenv.settings import Settings

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class Choice:
    """The target, and one line that says why.

    For a cluster: where it comes from, and the context that is pinned. Inside a pod there is none; the others come
    from who makes the cluster.
    """

    target: TargetName
    why: str
    cluster: ClusterSource | None = None
    kubeconfig: Kubeconfig | None = None

    @property
    def context(self) -> str | None:
        """The name of the kube context, where there is one by now."""
        return None if self.kubeconfig is None else self.kubeconfig.context


def choose(settings: Settings, *, environ: Mapping[str, str] = os.environ) -> Choice:
    """Choose the target: the one that is set, or for `auto` the one that fits this machine.

    A current kube context is used when the settings allow it, and never replaced by another target: that nobody
    notices a cluster which cannot be reached is what this is to prevent. Nothing is asked of a cluster, and no plugin
    is run. Raises TargetError where the context is not allowed, not there, or the kubeconfig cannot be read.
    """
    if settings.target not in {TargetName.AUTO, TargetName.CLUSTER}:
        return Choice(settings.target, f"set by {_source(settings, 'target')}")
    asked = settings.target is TargetName.CLUSTER
    if settings.cluster is not ClusterSource.CONTEXT:
        why = f"{settings.cluster} set by {_source(settings, 'cluster')}"
        return Choice(TargetName.CLUSTER, why, settings.cluster)
    if settings.context is not None:
        return _of_context(settings, settings.context, f"kube context {settings.context}", environ)
    if "KUBERNETES_SERVICE_HOST" in environ and _SERVICE_ACCOUNT.exists():
        return Choice(TargetName.CLUSTER, "inside a pod", ClusterSource.CONTEXT)
    from pytest_devenv.clients.kubernetes.kubeconfig import contexts, current_context, kubeconfig_files

    context = current_context(environ)
    if context is not None:
        return _of_context(settings, context, f"current kube context {context}", environ)
    if not asked:
        return Choice(TargetName.EMBEDDED, "no current kube context")
    looked = ", ".join(map(str, kubeconfig_files(environ))) or "no file, as neither KUBECONFIG nor HOME is set"
    msg = (
        f"the target is a cluster, set by {_source(settings, 'target')}: expected a current kube context, found none, "
        f"looked in {looked}"
    )
    none = "start a cluster, such as minikube start, or have the run make one: --devenv-cluster=kind"
    one = "choose one: kubectl config use-context NAME" if contexts(kubeconfig_files(environ)) else none
    raise TargetError(msg, remedy=_others(settings, environ) or one)


def _of_context(settings: Settings, context: str, word: str, environ: Mapping[str, str]) -> Choice:
    """Return a context as the choice. Raises TargetError for one that the settings do not allow, or nobody knows."""
    from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig, contexts, kubeconfig_files
    from pytest_devenv.guard import allows_context

    files = kubeconfig_files(environ)
    if not allows_context(settings.contexts, context):
        raise _refused(settings, context, word, environ)
    if settings.context is not None and context not in contexts(files):
        known = ", ".join(contexts(files)) or "no context at all"
        msg = (
            f"expected the kube context {context}, set by {_source(settings, 'context')}, "
            f"in {', '.join(map(str, files)) or 'a kubeconfig'}, found {known}"
        )
        raise TargetError(msg, remedy=_others(settings, environ) or "see them all: kubectl config get-contexts")
    why = f"{word}, allowed by {settings.file.name}"
    return Choice(TargetName.CLUSTER, why, ClusterSource.CONTEXT, Kubeconfig(files, context, why))


def _refused(settings: Settings, context: str, word: str, environ: Mapping[str, str]) -> TargetError:
    allowed = ", ".join(settings.contexts) or "none"
    kind = word.removesuffix(f" {context}")
    source = "" if settings.context is None else f", set by {_source(settings, 'context')}"
    msg = f"the {kind} is {context!r}{source}: expected one that contexts allows ({allowed}), looked in {settings.file}"
    other = _others(settings, environ)
    choose_one = "choose --devenv-target=embedded or addresses" if other is None else other
    remedy = f"{choose_one}, or, if it is a development cluster, add {context!r} to contexts in {settings.file.name}"
    return TargetError(msg, remedy=remedy)


def _others(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """Return how to choose a context that is there and allowed; None where there is none."""
    from pytest_devenv.clients.kubernetes.kubeconfig import contexts, kubeconfig_files
    from pytest_devenv.guard import allows_context

    fitting = [each for each in contexts(kubeconfig_files(environ)) if allows_context(settings.contexts, each)]
    return f"choose --devenv-context={fitting[0]}" if fitting else None


def _source(settings: Settings, key: str) -> str:
    return settings.sources.get(key, settings.file.name)
