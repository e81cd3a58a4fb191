"""The kubectl lines that remedies name, pinned to the context and the namespace of this run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes import Cluster
    from pytest_devenv.settings import Settings


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Where kubectl's commands go; without a context, as in a pod, kubectl finds its own way.

    `manifests` is the folder that everything is deployed from, where the settings name one.
    """

    context: str | None
    namespace: str
    manifests: str | None = None

    def __call__(self, *words: str) -> str:
        """Return a command on what is in the namespace."""
        return shlex.join(["kubectl", *self._pinned, "--namespace", self.namespace, *words])

    def anywhere(self, *words: str) -> str:
        """Return a command on what belongs to the whole cluster."""
        return shlex.join(["kubectl", *self._pinned, *words])

    def deploy(self, otherwise: str) -> str:
        """Return what deploys the environment as its manifests say, where the settings name them."""
        return otherwise if self.manifests is None else self("apply", "-k", self.manifests)

    @property
    def _pinned(self) -> tuple[str, ...]:
        return () if self.context is None else ("--context", self.context)


def kubectl_of(settings: Settings, cluster: Cluster) -> Kubectl:
    """Return kubectl as it has to be called for this environment."""
    context = None if cluster.kubeconfig is None else cluster.context
    return Kubectl(context, cluster.namespace, settings.manifests)
