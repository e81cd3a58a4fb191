"""The cluster of the tests, and the kind provider that makes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import TargetError
from pytest_devenv.settings import ClusterSource, Kind, Settings, TargetName
from pytest_devenv.targets import kind
from pytest_devenv.targets.choose import choose
from pytest_devenv.targets.kind import programs
from pytest_devenv.targets.opening import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.kubernetes import Kubeconfig
    from tests.cluster.conftest import ReferenceCluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
_ENGINE_S = 120


def settings(*, load: tuple[str, ...] = ()) -> Settings:
    """Return the settings of an environment that no other has the name of."""
    here = Path(__file__).parent
    name = f"kind-{uuid.uuid4().hex[:8]}"
    return Settings(
        root=here,
        file=here / "pyproject.toml",
        name=name,
        target=TargetName.CLUSTER,
        cluster=ClusterSource.KIND,
        kind=Kind(load=load),
    )


def clusters() -> tuple[str, ...]:
    """Return the kind clusters that the container engine runs."""
    return programs.clusters(programs.find())


def docker(*words: str, stdin: str = "") -> str:
    """Return what the container engine answers."""
    command = ["docker", *words]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=_ENGINE_S, check=True).stdout


def images(cluster: Kubeconfig) -> str:
    """Return the images of a cluster's only node."""
    node = f"{cluster.context.removeprefix('kind-')}-control-plane"
    return docker("exec", node, "ctr", "--namespace=k8s.io", "images", "list", "--quiet")


@pytest.fixture
def image() -> Iterator[str]:
    """Give an image that only the container engine has, with nothing in it."""
    name = f"devenv-test:{uuid.uuid4().hex[:8]}"
    docker("import", "-", name, stdin="\0" * 10240)  # an archive that ends where it begins
    yield name
    docker("image", "rm", name)


def test_every_node_is_ready(reference_cluster: ReferenceCluster) -> None:
    """The cluster that the tests are given takes pods."""
    path = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'
    found = reference_cluster.kubectl("get", "nodes", "-o", f"jsonpath={path}").split()
    assert found
    assert set(found) == {"True"}


def test_a_cluster_ends_with_the_last_run_that_uses_it(image: str) -> None:
    """A cluster is made with its images loaded, reused by a second run, and deleted when nobody uses it any more."""
    environment = settings(load=(image,))
    name = kind.cluster_name(environment)
    with kind.provided(environment) as made:
        assert made.why == f"kind cluster {name}, made for this run"
        assert made.context == f"kind-{name}"
        assert image in images(made)
        with opened(environment, choose(environment)) as reused:
            assert reused.why == f"kind cluster {name}, reused"
            assert reused.cluster is not None
            assert reused.cluster.context == made.context
            assert reused.cluster.api.list("/api/v1/nodes")
        assert name in clusters()
    assert name not in clusters()
    assert not made.files[0].exists()


def test_what_a_killed_run_left_is_taken_over_and_a_kept_cluster_stays() -> None:
    """A run that was killed leaves its cluster to the next one, which may keep it; a kept one is deleted by name."""
    environment = settings()
    name = kind.cluster_name(environment)
    program = dedent(
        f"""
        import os, signal
        from pathlib import Path
        from pytest_devenv.settings import Settings
        from pytest_devenv.targets import kind

        root = Path({str(environment.root)!r})
        with kind.provided(Settings(root=root, file=root / "pyproject.toml", name={environment.name!r})):
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    killed = subprocess.run([sys.executable, "-c", program], timeout=500, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert name in clusters()
    with kind.provided(environment, keep=True):
        pass
    with kind.provided(environment):
        pass
    assert name in clusters()
    kind.remove(environment)
    assert name not in clusters()


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no container engine answers, nothing is tried, and the message says what to start."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(TargetError) as raised, kind.provided(settings()):
        pass
    assert str(raised.value) == (
        "kind runs its nodes in a container engine: expected Docker, Podman or nerdctl to answer, found: "
        "Cannot connect to the Docker daemon at unix:///nonexistent/docker.sock. Is the docker daemon running?\n"
        "  remedy: start it (`docker info` shows whether it answers), or choose --devenv-target=embedded, "
        "which needs none"
    )


def test_pytest_kind_beside_us_is_as_it_is(tmp_path: Path) -> None:
    """A project that has pytest-kind keeps its options and its fixture as they are, and our own are there too."""
    folder = programs.fetch()
    paths = [str(folder)] if folder is not None else []
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "--fixtures", "--cluster-name=theirs"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=_ENGINE_S,
        check=False,
    )
    assert "kind_cluster [session scope]" in found.stdout, found.stdout + found.stderr
    assert "isolated_namespace" in found.stdout


def test_a_run_without_an_engine_does_not_know(tmp_path: Path) -> None:
    """Where no container engine answers, a run has one verdict, `unknown`, that all others wait for."""
    table = '[tool.pytest-devenv]\nname = "shop"\n[tool.pytest-devenv.services.redis]\nkind = "redis"\n'
    (tmp_path / "pyproject.toml").write_text(table)
    words = ("-m", "health", "--devenv-cluster=kind", "--devenv-report=report.json", "-p", "no:cacheprovider")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=tmp_path,
        env={**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock", "PYTEST_DEVENV_TARGET": "cluster"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    checks = json.loads((tmp_path / "report.json").read_text())["checks"]
    verdicts = {each["probe"]: each["verdict"] for each in checks}
    root = verdicts.pop("cluster.answers[cluster]")
    assert root["state"] == "unknown"
    assert root["summary"].startswith("kind runs its nodes in a container engine: expected Docker, Podman or nerdctl")
    assert "docker info" in root["remedy"]
    assert verdicts["redis.answers[redis]"]["cause"] == "cluster.answers[cluster]"
    assert {each["state"] for each in verdicts.values()} <= {"blocked", "off"}
