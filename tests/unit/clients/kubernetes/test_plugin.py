"""Credentials that a program gives: run once, kept while they last, ended when they take too long."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.kubernetes import plugin as plugins
from pytest_devenv.clients.kubernetes.access import of_context
from pytest_devenv.clients.kubernetes.credentials import Credentials
from pytest_devenv.errors import TargetError
from tests.unit.clients.kubernetes.samples import config, written

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.kubernetes.access import Access

VERSION = "client.authentication.k8s.io/v1"


def access_with(folder: Path, script: str, **more: Any) -> Access:  # noqa: ANN401  # keys of a kubeconfig's exec
    """Return the access of a context whose plugin is this Python script."""
    (folder / "login.py").write_text(script)
    spec = {"apiVersion": VERSION, "command": sys.executable, "args": [str(folder / "login.py")], **more}
    return of_context(config(written(folder / "config", user={"exec": spec})))


def giving(status: dict[str, str], *, version: str = VERSION) -> str:
    """Return a script that gives these credentials, and notes each of its runs beside itself."""
    answer = json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})
    return f"open(__file__ + '.runs', 'a').write('x')\nprint({answer!r})\n"


def runs(folder: Path) -> int:
    """Return how often the script has run."""
    file = folder / "login.py.runs"
    return len(file.read_text()) if file.exists() else 0


def stamp(seconds: float) -> str:
    """Return the time so many seconds from now, as Kubernetes writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("version", [VERSION, f"{VERSION}beta1"])
def test_a_token_is_kept_while_it_lasts(tmp_path: Path, version: str) -> None:
    """One run serves every request until the credentials say that they end."""
    script = giving({"token": "abc", "expirationTimestamp": stamp(3600)}, version=version)
    credentials = Credentials(access_with(tmp_path, script, apiVersion=version))
    assert [credentials.current().authorization for _ in range(3)] == ["Bearer abc"] * 3
    assert runs(tmp_path) == 1


def test_a_token_about_to_end_is_asked_for_anew(tmp_path: Path) -> None:
    """What is over, or will be at once, is not used again."""
    credentials = Credentials(access_with(tmp_path, giving({"token": "abc", "expirationTimestamp": stamp(1)})))
    credentials.current()
    credentials.current()
    assert runs(tmp_path) == 2


def test_a_refused_token_is_asked_for_anew(tmp_path: Path) -> None:
    """After a refusal the plugin is asked once more; there is nothing else to try without one."""
    credentials = Credentials(access_with(tmp_path, giving({"token": "abc"})))
    assert not credentials.renew()
    credentials.current()
    assert credentials.renew()
    credentials.current()
    assert runs(tmp_path) == 2


def test_a_certificate_may_be_given(tmp_path: Path) -> None:
    """A plugin may give a certificate and its key in the place of a token."""
    script = giving({"clientCertificateData": "me", "clientKeyData": "my key"})
    credential = Credentials(access_with(tmp_path, script)).current()
    assert credential.certificate == (b"me", b"my key")
    assert credential.authorization is None


def test_a_plugin_is_told_what_it_logs_in_to(tmp_path: Path) -> None:
    """It gets its own variables and, where its entry wants that, the cluster; and it learns that nobody is there."""
    script = (
        "import json, os\n"
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "spec = info['spec']\n"
        "token = f\"{info['apiVersion']} {spec['interactive']} {spec['cluster']['server']} {os.environ['REGION']}\"\n"
        "print(json.dumps({'apiVersion': info['apiVersion'], 'kind': 'ExecCredential', 'status': {'token': token}}))\n"
    )
    access = access_with(tmp_path, script, provideClusterInfo=True, env=[{"name": "REGION", "value": "here"}])
    token = Credentials(access).current().authorization
    assert token == f"Bearer {VERSION} False https://127.0.0.1:6443 here"


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (
            "import sys\nprint('log in first', file=sys.stderr)\nsys.exit(3)",
            "that it ended with status 3: log in first",
        ),
        ("print('sesame-1')", f"an answer that is no ExecCredential of {VERSION} with a token or a certificate"),
        (giving({}), f"an answer that is no ExecCredential of {VERSION} with a token or a certificate"),
        (
            giving({"token": "sesame-1"}, version="v7"),
            f"an answer that is no ExecCredential of {VERSION} with a token or a certificate",
        ),
    ],
    ids=["status", "no-json", "empty", "version"],
)
def test_a_plugin_that_gives_nothing_is_told(tmp_path: Path, script: str, found: str) -> None:
    """The error names the plugin, the user and the file, and nothing of what was printed."""
    with pytest.raises(TargetError) as caught:
        Credentials(access_with(tmp_path, script)).current()
    assert caught.value.message == (
        "no credentials for context kind-shop\n"
        f"  expected: credentials from the plugin {sys.executable}\n"
        f"  found: {found}\n"
        f"  where: the user kind-shop, {tmp_path / 'config'}"
    )
    assert "sesame" not in str(caught.value)
    assert caught.value.remedy == f"log in again, or see what {sys.executable} says when you run it by hand"


def test_a_plugin_that_is_not_installed_is_told_with_its_hint(tmp_path: Path) -> None:
    """Whoever wrote the kubeconfig knows how the plugin is installed."""
    access = access_with(tmp_path, "", command="no-such-login", installHint="apt install no-such-login")
    with pytest.raises(TargetError) as caught:
        Credentials(access).current()
    assert "found: No such file or directory: no-such-login" in caught.value.message
    assert caught.value.remedy == "apt install no-such-login"


def test_a_plugin_that_hangs_is_ended(tmp_path: Path) -> None:
    """At its deadline a plugin is ended with what it has started, and the error says how long was waited."""
    script = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    access = access_with(tmp_path, script)
    assert access.login.plugin is not None
    with pytest.raises(TargetError, match=r"found: no answer within 0\.5 s"):
        plugins.run(access.login.plugin, access, deadline_s=0.5)
