"""Which target a run looks at, and why."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.kubeconfig import current_context
from pytest_devenv.errors import TargetError
from pytest_devenv.guard import allows_context
from pytest_devenv.settings import TargetName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.settings import Settings

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class Choice:
    """The target, one line that says why, and the kube context where there is one."""

    target: TargetName
    why: str
    context: str | None = None


def choose(settings: Settings, *, environ: Mapping[str, str] = os.environ) -> Choice:
    """Choose the target: the one that is set, or for `auto` the one that fits this machine.

    A current kube context is used when the settings allow it, and never replaced by another target: that nobody
    notices a cluster which cannot be reached is what this is to prevent. Raises TargetError where the context is not
    allowed or the kubeconfig cannot be read.
    """
    if settings.target is not TargetName.AUTO:
        source = settings.sources.get("target", settings.file.name)
        return Choice(settings.target, f"set by {source}")
    if "KUBERNETES_SERVICE_HOST" in environ and _SERVICE_ACCOUNT.exists():
        return Choice(TargetName.CLUSTER, "inside a pod")
    context = current_context(environ)
    if context is None:
        return Choice(TargetName.EMBEDDED, "no current kube context")
    if allows_context(settings.contexts, context):
        return Choice(TargetName.CLUSTER, f"current kube context {context}, allowed by {settings.file.name}", context)
    allowed = ", ".join(settings.contexts) or "none"
    msg = (
        f"the current kube context is {context!r}: expected one that contexts allows ({allowed}), "
        f"looked in {settings.file}"
    )
    raise TargetError(
        msg,
        remedy="choose --devenv-target=embedded or addresses, "
        f"or, if it is a development cluster, add {context!r} to contexts in {settings.file.name}",
    )
