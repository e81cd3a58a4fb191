"""A control plane for the tests of this folder, and the handle on it that the fixture `cluster` would give."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.kubernetes import Cluster, Kubeconfig, connect
from pytest_devenv.clients.kubernetes.platform import CONTROLPLANE
from pytest_devenv.errors import TargetError
from pytest_devenv.fixtures.cluster import ClusterHandle
from pytest_devenv.settings import Settings
from pytest_devenv.targets.controlplane.binaries import Programs, programs
from pytest_devenv.targets.controlplane.start import start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.targets.controlplane.start import ControlPlane
    from pytest_devenv.targets.embedded.instance import Instance

START_S = 120.0
NAMESPACE = "shop"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: backend}
spec:
  replicas: 2
  selector: {matchLabels: {app: backend}}
  template:
    metadata: {labels: {app: backend}}
    spec:
      containers: [{name: backend, image: "shop/backend:1"}]
"""


@pytest.fixture(scope="session")
def assets() -> Programs:
    """Give the programs of a control plane; where there are none, skip, and with CI=true fail."""
    try:
        return programs()
    except TargetError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def plane(assets: Programs, instance: Instance) -> ControlPlane:
    """Give a control plane that ends with the session. Nothing acts in it: tests say what a controller would."""
    alone = Programs(etcd=assets.etcd, apiserver=assets.apiserver)
    return start(instance.folder, namespace=NAMESPACE, start_s=START_S, found=alone)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of a project in the test's own folder."""
    return Settings(root=tmp_path, file=tmp_path / "pyproject.toml", name="shop", deadline_s=30)


@pytest.fixture
def cluster(plane: ControlPlane, settings: Settings) -> Iterator[ClusterHandle]:
    """Give the handle that tests of a project get, here as its administrator."""
    config = Kubeconfig(files=(plane.kubeconfig,), context=plane.context, why="a test")
    api = connect(config, deadline_s=settings.deadline_s)
    handle = ClusterHandle(
        Cluster(api=api, namespace=plane.namespace, context=plane.context, platform=CONTROLPLANE, kubeconfig=config),
        settings,
    )
    yield handle
    handle.close()
    api.close()


@pytest.fixture
def space(cluster: ClusterHandle) -> Iterator[ClusterHandle]:
    """Give the handle in a namespace of the test's own."""
    with cluster.isolated() as handle:
        yield handle


@pytest.fixture
def kubectl() -> str:
    """Give kubectl; where it is not there, skip, and with CI=true fail."""
    found = shutil.which("kubectl")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("kubectl is not on PATH")
        pytest.skip("kubectl is not on PATH")
    return found
