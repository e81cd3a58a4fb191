"""How a control plane comes up, is not left behind, and what is said where it does not come up."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.kubernetes import Cluster, Kubeconfig, connect
from pytest_devenv.errors import TargetError
from pytest_devenv.fixtures.cluster import ClusterHandle
from pytest_devenv.settings import Settings
from pytest_devenv.targets.controlplane import provided
from pytest_devenv.targets.controlplane.binaries import ASSETS_VARIABLE
from pytest_devenv.targets.controlplane.start import HOME, start
from pytest_devenv.targets.embedded import instance as instances
from tests.cluster.controlplane.conftest import DEPLOYMENT, NAMESPACE, START_S
from tests.integration.targets.persons import as_ordinary_user, give
from tests.integration.targets.remains import processes_in, remains_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.kubernetes import Api
    from pytest_devenv.targets.controlplane.binaries import Programs
    from pytest_devenv.targets.controlplane.start import ControlPlane

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(300)]

BRING_UP = """
import sys, time
from pathlib import Path
from pytest_devenv.clients.kubernetes import connect
from pytest_devenv.settings import Settings
from pytest_devenv.targets.controlplane import provided

settings = Settings(root=Path.cwd(), file=Path.cwd() / "pyproject.toml", name="shop", start_s=120)
with provided(settings) as config:
    print(connect(config, deadline_s=30).get("/version")["major"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder for the environments of this process and its children, which another account may write to."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv(instances.STATE_VARIABLE, str(folder))
    return folder


@pytest.fixture
def own(state: Path, settings: Settings) -> Iterator[instances.Instance]:
    """Give an empty instance; whatever runs in it is ended."""
    made = instances.create(settings)
    assert made.folder.parent == state
    yield made
    made.destroy()


@contextlib.contextmanager
def asked(kubeconfig: Path, context: str) -> Iterator[Api]:
    """Give the API that a kubeconfig leads to."""
    api = connect(Kubeconfig((kubeconfig,), context, "a test"), deadline_s=30)
    try:
        yield api
    finally:
        api.close()


def test_it_is_a_real_api_with_a_namespace_and_an_administrator(plane: ControlPlane) -> None:
    """What is ready says so, has the namespace that the settings name, and its administrator may do everything."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "*", "resource": "*", "group": "*"}},
    }
    with asked(plane.kubeconfig, plane.context) as api:
        assert api.text("/readyz") == "ok"
        assert api.get(f"/api/v1/namespaces/{NAMESPACE}")["status"]["phase"] == "Active"
        answer = api.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert answer["status"]["allowed"] is True


def test_nobody_else_reads_its_keys_or_reaches_its_store(plane: ControlPlane) -> None:
    """Keys and kubeconfig are their owner's alone, and etcd, which asks nobody who he is, is in a folder of his."""
    assert stat.S_IMODE(plane.home.stat().st_mode) == 0o700
    files = [plane.kubeconfig, *(plane.home / "pki").glob("*.key")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    processes = [process for process in processes_in(plane.home.parent.parent) if process.name() == "etcd"]
    assert processes
    assert not [
        each for process in processes for each in process.net_connections(kind="tcp") if each.status == "LISTEN"
    ]


def test_its_server_is_known_by_its_authority_alone(plane: ControlPlane) -> None:
    """A client that trusts the system's authorities does not take it for anybody."""
    host, _, port = plane.server.removeprefix("https://").partition(":")
    context = ssl.create_default_context()
    with socket.create_connection((host, int(port)), timeout=30) as plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname=host)


@pytest.mark.usefixtures("assets")
def test_the_session_s_end_is_its_end(state: Path, settings: Settings) -> None:
    """When the run is over no process and no folder is left."""
    with provided(settings) as config, asked(config.files[0], config.context) as api:
        assert api.text("/livez") == "ok"
        assert {process.name() for process in processes_in(state)} >= {"etcd", "kube-apiserver"}
    assert remains_in(state) == []


@pytest.mark.usefixtures("assets")
def test_the_processes_of_one_run_share_one(state: Path, settings: Settings, own: instances.Instance) -> None:
    """The first of a run's processes starts it, and the next ones join it."""
    with provided(settings, instance=own) as first, provided(settings, instance=own) as second:
        assert first == second
        assert [process.name() for process in processes_in(state)].count("kube-apiserver") == 1


@pytest.fixture
def open_assets(assets: Programs) -> Iterator[Path]:
    """Give a folder with copies of the programs that every account can execute."""
    folder = Path(tempfile.mkdtemp(prefix="devenv-assets-"))
    folder.chmod(0o755)
    for name in ("etcd", "kube-apiserver"):
        program = assets.named(name)
        assert program is not None
        shutil.copy(program, folder / name)
    yield folder
    shutil.rmtree(folder)


def test_an_ordinary_user_needs_no_root(state: Path, tmp_path: Path, open_assets: Path) -> None:
    """Who is not root has a control plane too, in folders of his own."""
    home = tmp_path / "home"
    home.mkdir()
    for path in (state, home):
        give(path)
    found = subprocess.run(
        as_ordinary_user([sys.executable, "-c", BRING_UP]),
        cwd=home,
        env={
            **os.environ,
            "HOME": str(home),
            "PYTHONPATH": str(Path(__file__).parents[3]),
            ASSETS_VARIABLE: str(open_assets),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "1\n"), found.stderr
    assert remains_in(state) == []


@pytest.mark.usefixtures("assets")
def test_a_killed_run_is_swept_by_the_next(state: Path, settings: Settings) -> None:
    """After SIGKILL the servers run on, until whoever makes an environment next ends them and removes their folder."""
    run = subprocess.Popen(
        [sys.executable, "-c", BRING_UP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=settings.root
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "1\n"
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert {process.name() for process in processes_in(state)} >= {"etcd", "kube-apiserver"}
    instances.create(settings).destroy()
    assert remains_in(state) == []


def test_a_server_that_ends_is_named_with_its_log(own: instances.Instance, assets: Programs, tmp_path: Path) -> None:
    """Where the API server ends at once, it is named, with what it said last, and nothing of it runs on."""
    broken = tmp_path / "kube-apiserver"
    broken.write_text("#!/bin/sh\necho 'the etcd is of another house' >&2\nexit 3\n")
    broken.chmod(0o755)
    programs = type(assets)(etcd=assets.etcd, apiserver=broken)
    with pytest.raises(TargetError) as caught:
        start(own.folder, namespace=None, start_s=START_S, found=programs)
    assert str(caught.value) == (
        "the control plane did not start: kube-apiserver\n"
        "  expected: kube-apiserver ready within 120 s\n"
        "  found: it ended with status 3\n"
        f"  where: {broken}; its log:\n    the etcd is of another house\n"
        "  remedy: mend what its log says, or name other programs in KUBEBUILDER_ASSETS"
    )
    assert processes_in(own.folder.parent) == []


def test_a_store_that_ends_is_named_with_its_log(own: instances.Instance, assets: Programs, tmp_path: Path) -> None:
    """Where etcd ends at once, nobody waits for an API server that could never come up."""
    broken = tmp_path / "etcd"
    broken.write_text("#!/bin/sh\necho 'no space left' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(
        TargetError, match=r"(?s)did not start: etcd\n.*it ended with status 1\n.*\n    no space left\n"
    ):
        start(own.folder, namespace=None, start_s=START_S, found=type(assets)(etcd=broken, apiserver=assets.apiserver))
    assert processes_in(own.folder.parent) == []


def test_a_server_that_never_becomes_ready_is_given_up(
    own: instances.Instance, assets: Programs, tmp_path: Path
) -> None:
    """A server that runs and does not answer is ended when its time is over."""
    silent = tmp_path / "kube-apiserver"
    silent.write_text("#!/bin/sh\nexec sleep 600\n")
    silent.chmod(0o755)
    with pytest.raises(TargetError, match=r"it runs, but did not become ready on port [0-9]+ in time"):
        start(own.folder, namespace=None, start_s=10, found=type(assets)(etcd=assets.etcd, apiserver=silent))
    assert processes_in(own.folder.parent) == []


def test_a_folder_that_is_taken_is_left_as_it_is(own: instances.Instance, assets: Programs) -> None:
    """What is in the folder is somebody's: it is named, and not started upon or removed."""
    taken = own.folder / HOME
    taken.mkdir()
    (taken / "kept").write_text("somebody's")
    with pytest.raises(TargetError, match=r"expected no control plane in .*, found one there, or what one left"):
        start(own.folder, namespace=None, start_s=START_S, found=assets)
    assert (taken / "kept").read_text() == "somebody's"


def test_controllers_act_where_their_programs_are(own: instances.Instance, assets: Programs) -> None:
    """With a controller manager namespaces have their account, deployments get pods and what is deleted goes away."""
    if assets.controller_manager is None or assets.scheduler is None:
        how = "kube-controller-manager and kube-scheduler are not among the programs: setup-envtest has none"
        if os.environ.get("CI") == "true":
            pytest.fail(how)
        pytest.skip(how)
    started = start(own.folder, namespace=NAMESPACE, start_s=START_S, found=assets)
    config = Kubeconfig((started.kubeconfig,), started.context, "a test")
    with asked(started.kubeconfig, started.context) as api:
        settings = Settings(root=own.folder, file=own.folder / "pyproject.toml", name="shop", deadline_s=30)
        cluster = ClusterHandle(Cluster(api, NAMESPACE, started.context, kubeconfig=config), settings)
        with cluster.isolated() as space:
            assert space.get("serviceaccount/default")
            space.apply(DEPLOYMENT)
            space.wait("deployment/backend", "jsonpath={.status.replicas}=2", deadline_s=120)
            assert all("nodeName" not in pod["spec"] for pod in space.objects("pods"))
        cluster.wait(f"namespace/{space.namespace}", "delete", deadline_s=120)
        cluster.close()


def test_kubectl_takes_its_kubeconfig(plane: ControlPlane, kubectl: str) -> None:
    """The kubeconfig is one that every client reads, kubectl among them."""
    shown = subprocess.run(
        [kubectl, "--kubeconfig", str(plane.kubeconfig), "get", "namespace", NAMESPACE, "-o", "json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(shown.stdout)["metadata"]["name"] == NAMESPACE
