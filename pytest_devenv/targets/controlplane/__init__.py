"""A control plane of our own: a real Kubernetes API for tests that need no pods, made by the run and ended with it."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.controlplane.start import ControlPlane
    from pytest_devenv.targets.embedded.instance import Instance

__all__ = ["provided"]


@contextlib.contextmanager
def provided(settings: Settings, *, instance: Instance | None = None) -> Iterator[Kubeconfig]:
    """Give the kubeconfig of a control plane that is ready; it ends with this.

    `instance` is for the processes of one run: the first one starts it, the others join, and its owner ends it. What a
    run that was killed left is ended by the next one that makes anything on this machine. Raises TargetError where it
    cannot be started.
    """
    from pytest_devenv.targets.controlplane.start import running, start
    from pytest_devenv.targets.embedded import instance as instances

    if instance is not None:
        with instances.locked(instance.folder / "controlplane.lock", deadline_s=10 * settings.start_s):
            plane = running(instance.folder) or start(
                instance.folder, namespace=settings.namespace, start_s=settings.start_s
            )
        yield _kubeconfig(plane)
        return
    key = f"{instances.project_key(settings)}-controlplane-{uuid.uuid4().hex[:8]}"
    own = instances.create(settings, name=key)
    with contextlib.ExitStack() as stack:
        stack.callback(own.destroy)
        yield _kubeconfig(start(own.folder, namespace=settings.namespace, start_s=settings.start_s))


def _kubeconfig(plane: ControlPlane) -> Kubeconfig:
    return Kubeconfig(files=(plane.kubeconfig,), context=plane.context, why="a control plane of this run")
