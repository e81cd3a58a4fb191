"""The fixtures `cluster` and `isolated_namespace` in runs of a project, on a control plane of each run's own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.targets.embedded.instance import STATE_VARIABLE
from tests.integration.targets.remains import processes_in, remains_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(300), pytest.mark.usefixtures("assets")]

TABLE = """
[tool.pytest-devenv]
name = "shop"
namespace = "shop"
contexts = ["kind-*"]
start_s = 120
"""
ON_CONTROLPLANE = ("--devenv-cluster=controlplane", "-p", "no:cacheprovider")


@pytest.fixture
def shop(pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Give a project whose environment would be in a cluster, and a folder of its own for what runs."""
    (pytester.path / "pyproject.toml").write_text(TABLE)
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    for variable in ("CI", "KUBECONFIG"):
        monkeypatch.delenv(variable, raising=False)
    return pytester


def run(shop: pytest.Pytester, *words: str) -> pytest.RunResult:
    """Run pytest on the project in a process of its own."""
    return shop.runpytest_subprocess(*ON_CONTROLPLANE, *words, timeout=200)


def test_a_project_s_tests_have_a_cluster(shop: pytest.Pytester, tmp_path: Path) -> None:
    """A test applies to the environment's namespace and to one of its own, and nothing is left of the run."""
    shop.makepyfile(
        """
        MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}

        def test_the_namespace_of_the_settings(cluster):
            assert (cluster.namespace, cluster.context) == ("shop", "devenv-controlplane")
            assert cluster.platform.name == "controlplane"
            cluster.apply(MAP)
            assert cluster.core.read_namespaced_config_map("settings", "shop").data == {"a": "b"}

        def test_a_namespace_of_its_own(isolated_namespace, cluster):
            assert isolated_namespace.namespace.startswith("devenv-shop-")
            isolated_namespace.apply(MAP)
            assert isolated_namespace.get("configmap/settings")["data"] == {"a": "b"}
        """
    )
    run(shop, "-p", "no:xdist").assert_outcomes(passed=2)
    assert remains_in(tmp_path / "state") == []


def test_the_workers_of_xdist_share_one(shop: pytest.Pytester, tmp_path: Path) -> None:
    """However many processes a run has, it has one control plane."""
    shop.makepyfile(
        """
        import json, os, pathlib, pytest

        @pytest.mark.parametrize("number", range(4))
        def test_server(isolated_namespace, number):
            told = {"server": isolated_namespace.api.server, "worker": os.environ["PYTEST_XDIST_WORKER"]}
            pathlib.Path(f"told-{number}.json").write_text(json.dumps(told))
        """
    )
    run(shop, "-n", "2").assert_outcomes(passed=4)
    told = [json.loads(file.read_text()) for file in shop.path.glob("told-*.json")]
    assert len({each["server"] for each in told}) == 1
    assert remains_in(tmp_path / "state") == []


def test_a_killed_pytest_leaves_nothing_after_the_next(shop: pytest.Pytester, tmp_path: Path) -> None:
    """What a run left that was killed with SIGKILL is ended by the next run of any kind."""
    shop.makepyfile(
        """
        import pathlib, time

        def test_hangs(cluster):
            pathlib.Path("up").touch()
            time.sleep(600 if not pathlib.Path("again").exists() else 0)
        """
    )
    first = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *ON_CONTROLPLANE, "-p", "no:xdist"],
        cwd=shop.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (shop.path / "up").exists():
        with pytest.raises(subprocess.TimeoutExpired):
            first.wait(0.2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    left = {process.pid for process in processes_in(tmp_path / "state")}
    assert left
    (shop.path / "again").touch()
    run(shop, "-p", "no:xdist").assert_outcomes(passed=1)
    assert remains_in(tmp_path / "state") == []


def test_where_there_is_no_cluster_the_fixture_says_how_to_have_one(shop: pytest.Pytester) -> None:
    """On another target the test errors with the option that gives it a cluster."""
    shop.makepyfile("def test_it(cluster):\n    pass\n")
    result = shop.runpytest_subprocess("-p", "no:cacheprovider", "--devenv-target=addresses", timeout=100)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*expected an environment in a cluster, found the target addresses: set by --devenv-target*",
            "*remedy: run with --devenv-target=cluster, or --devenv-cluster=controlplane for an API alone*",
        ]
    )


def test_missing_programs_are_named_in_the_run(
    shop: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without the programs of a control plane says which are missing and how they are had, and leaves nothing."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    shop.makepyfile("def test_it(cluster):\n    pass\n")
    result = run(shop, "-p", "no:xdist")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*found no etcd and no kube-apiserver, looked in KUBEBUILDER_ASSETS=*", "*setup-envtest*"]
    )
    assert remains_in(tmp_path / "state") == []
