"""The kubectl lines that remedies name, pinned to the context and the namespace of this run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes import Cluster
    from pytest_devenv.settings import Settings

_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Where kubectl's commands go: `begins` is how each begins, such as `kubectl --context kind-shop`.

    Inside a pod there is no context. `manifests` is the folder that everything is deployed from, where the settings
    name one; `up` is the command that deploys it instead, where it goes into another namespace than theirs.
    """

    begins: str
    context: str | None
    namespace: str
    manifests: str | None = None
    up: str | None = None

    def __call__(self, *words: str) -> str:
        """Return a command on what is in the namespace."""
        return self.anywhere("--namespace", self.namespace, *words)

    def anywhere(self, *words: str) -> str:
        """Return a command on what belongs to the whole cluster."""
        return f"{self.begins} {shlex.join(words)}"

    def deploy(self, otherwise: str) -> str:
        """Return what deploys the environment as its manifests say, where the settings name them."""
        if self.manifests is None:
            return otherwise
        return self.up or self("apply", "-k", self.manifests)


def kubectl_of(settings: Settings, cluster: Cluster) -> Kubectl:
    """Return kubectl as it has to be called for this environment."""
    access = cluster.api.access
    return Kubectl(
        access.kubectl, access.context, cluster.namespace, settings.manifests, _moved_by_tilt(settings, access.context)
    )


def _moved_by_tilt(settings: Settings, context: str | None) -> str | None:
    """Return the command of Tilt where a run chose the namespace: kubectl refuses manifests of another one."""
    source = settings.sources.get("namespace", _DEFAULT)
    here = source == _DEFAULT or source.startswith(settings.file.name)
    if here or context is None or not (settings.root / "Tiltfile").is_file():
        return None
    return shlex.join(["tilt", "up", f"--context={context}"])
