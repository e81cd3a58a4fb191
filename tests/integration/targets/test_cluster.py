"""The cluster target before any cluster is asked: what is refused, and what is known where nobody answers."""

from __future__ import annotations

import base64
import contextlib
import os
import shlex
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.secret import Secret
from pytest_devenv.settings.read import read
from pytest_devenv.targets.choose import choose
from pytest_devenv.targets.opening import opened
from pytest_devenv.verdict import failed, unknown
from tests.integration.clients.kubernetes.listener import Answer, Listener, Request, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_devenv.targets.environment import Environment

SHOP = """
name = "shop"
target = "cluster"
contexts = ["kind-*"]
namespace = "shop-dev"

[services.postgres]
kind = "postgres"
workload = "statefulset/postgres"
user = "shop"
password = { secret = "postgres", key = "password", env = "SHOP_PASSWORD" }

[databases.shop]
service = "postgres"
"""
SECRET = "/api/v1/namespaces/shop-dev/secrets/postgres"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Give a project whose environment is in a cluster."""
    (tmp_path / "pytest-devenv.toml").write_text(SHOP)
    return tmp_path


@contextlib.contextmanager
def environment_at(shop: Path, answer: Callable[[Request], Answer]) -> Iterator[Environment]:
    """Give the project's environment in a cluster whose API answers so."""
    with Listener(shop, answer) as listener:
        kubeconfig = listener.kubeconfig(user={"token": "t"})
        settings = read(shop / "pytest-devenv.toml", environ={"PYTEST_DEVENV_CONTEXT": kubeconfig.context})
        choice = choose(settings, environ={"KUBECONFIG": str(kubeconfig.files[0])})
        with opened(settings, choice) as environment:
            yield environment


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "pytest", "-m", "health", "-p", "no:cacheprovider"],
        [sys.executable, "-m", "pytest", "-m", "health", "-p", "no:cacheprovider", "-n", "2"],
        [sys.executable, "-c", "from pytest_devenv.cli import main; main()", "db", "status"],
        [sys.executable, "-c", "from pytest_devenv.cli import main; main()", "env", "exec", "--", "true"],
    ],
    ids=["pytest", "xdist", "db", "exec"],
)
def test_a_context_that_is_not_allowed_is_not_even_connected_to(shop: Path, command: list[str]) -> None:
    """No connection is opened and no credential plugin is run: the run ends with the setting to change."""
    ran = shop / "plugin-ran"
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": ["-c", f"open({str(ran)!r}, 'w')"],
        "interactiveMode": "Never",
    }
    with Listener(shop, lambda _: Answer()) as listener:
        kubeconfig = listener.kubeconfig(user={"exec": plugin}, context="production")
        file = kubeconfig.files[0]
        file.write_text(f"{file.read_text()}current-context: production\n")
        environ = {**os.environ, "KUBECONFIG": str(file)}
        run = subprocess.run(command, cwd=shop, env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert (listener.connections, listener.requests) == (0, [])
    assert not ran.exists()
    assert run.returncode not in {0, 5}
    assert "the current kube context is 'production': expected one that contexts allows (kind-*)" in (
        run.stdout + run.stderr
    )
    assert "add 'production' to contexts in pytest-devenv.toml" in run.stdout + run.stderr


def test_a_password_is_read_from_its_secret(shop: Path) -> None:
    """The Secret that the settings name gives the password of the endpoint, which nothing prints."""
    secret = {"data": {"password": base64.b64encode(b"open sesame").decode()}}
    with environment_at(shop, lambda _: Answer(body=secret)) as environment:
        endpoint = environment.endpoints["postgres"]
        assert endpoint.password == Secret("open sesame")
        assert (endpoint.source, endpoint.host) == ("forward to statefulset/postgres", "127.0.0.1")
        assert "sesame" not in repr(environment)
        assert not environment.faults


def test_a_password_of_the_environment_needs_no_secret(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the variable gives goes before the Secret, which is not asked for."""
    monkeypatch.setenv("SHOP_PASSWORD", "of the variable")
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.path)
        return Answer()

    with environment_at(shop, answer) as environment:
        assert environment.endpoints["postgres"].password == Secret("of the variable")
    assert SECRET not in asked


def test_a_secret_that_may_not_be_read_leaves_the_service_unknown(shop: Path) -> None:
    """The right that is missing is named, and the variable that would do without it."""
    with environment_at(shop, lambda _: status(403, "Forbidden", "secrets is forbidden")) as environment:
        assert environment.cluster is not None
        assert environment.faults["postgres"] == unknown(
            "the password of postgres is not known: not allowed to get secrets postgres in namespace shop-dev",
            where="namespace shop-dev, context kind-shop",
            remedy="set SHOP_PASSWORD to the password or have that right granted, then see: "
            f"{environment.cluster.api.access.kubectl} --namespace shop-dev auth can-i get secrets/postgres",
        )


@pytest.mark.parametrize(
    ("answer", "summary", "found"),
    [
        (
            status(404, "NotFound", "no such secret"),
            "the Secret postgres with the password of postgres is not there",
            "no such Secret",
        ),
        (
            Answer(body={"data": {"user": "c2hvcA=="}}),
            "the password of postgres is not in the Secret postgres",
            "the keys user",
        ),
    ],
    ids=["secret", "key"],
)
def test_a_secret_that_is_not_whole_is_a_failure(shop: Path, answer: Answer, summary: str, found: str) -> None:
    """A Secret or a key that the settings name and nobody deployed is told with the command that shows it."""
    with environment_at(shop, lambda _: answer) as environment:
        fault = environment.faults["postgres"]
        assert fault == failed(
            summary,
            expected=fault.expected or "",
            found=found,
            where="namespace shop-dev, context kind-shop",
            remedy=fault.remedy or "",
        )
        assert f"--kubeconfig {shop / 'config'} --context kind-shop --namespace shop-dev" in (fault.remedy or "")


def test_a_cluster_that_is_away_does_not_keep_the_environment_from_opening(shop: Path) -> None:
    """Where nobody answers there are endpoints all the same: whoever connects hears a reset, and why is kept."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with Listener(shop, lambda _: Answer()) as listener:
            server = f"http://127.0.0.1:{closed.getsockname()[1]}"
            kubeconfig = listener.kubeconfig(cluster={"server": server})
        settings = read(shop / "pytest-devenv.toml", environ={"PYTEST_DEVENV_CONTEXT": "kind-shop"})
        choice = choose(settings, environ={"KUBECONFIG": str(kubeconfig.files[0])})
        with opened(settings, choice) as environment:
            assert environment.cluster is not None
            assert "connection refused" not in environment.faults["postgres"].summary
            endpoint = environment.endpoints["postgres"]
            forward = environment.cluster.forwards["postgres"]
            with (
                pytest.raises(ConnectionResetError),  # while it connects, where the reset is faster
                socket.create_connection((endpoint.host, endpoint.port), timeout=180) as connection,
            ):
                connection.recv(1)
            assert "the API server does not answer" in str(forward.problem)


def test_a_command_of_the_remedies_can_be_pasted(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reaches a forward's service anew says what this run's command line said."""
    monkeypatch.setenv("SHOP_PASSWORD", "p")
    with Listener(shop, lambda _: Answer()) as listener:
        kubeconfig = listener.kubeconfig()
        overrides: dict[str, tuple[object, str]] = {"context": ("kind-shop", "--devenv-context")}
        settings = read(shop / "pytest-devenv.toml", overrides=overrides, environ={})
        with opened(settings, choose(settings, environ={"KUBECONFIG": str(kubeconfig.files[0])})) as environment:
            anew = environment.endpoints["postgres"].anew
    assert shlex.split(anew or "") == ["PYTEST_DEVENV_CONTEXT=kind-shop", "pytest-devenv", "env", "exec"]


def test_a_database_command_says_why_nothing_was_reached(shop: Path) -> None:
    """A forward that leads nowhere is a broken connection to the driver; the command tells what broke it."""
    (shop / "migrations").mkdir()
    file = shop / "pytest-devenv.toml"
    file.write_text(f'{SHOP}migrations = {{ engine = "sqlx", path = "migrations" }}\n')
    with Listener(shop, lambda _: status(503, "ServiceUnavailable", "etcd is away")) as listener:
        kubeconfig = listener.kubeconfig()
        environ = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig.files[0]),
            "PYTEST_DEVENV_CONTEXT": "kind-shop",
            "PYTEST_DEVENV_DEADLINE": "2s",
            "SHOP_PASSWORD": "open-sesame",
        }
        words = [sys.executable, "-c", "from pytest_devenv.cli import main; main()", "db", "status"]
        run = subprocess.run(words, cwd=shop, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode != 0
    told = run.stdout + run.stderr
    assert "503 ServiceUnavailable: etcd is away" in told
    assert "open-sesame" not in told
