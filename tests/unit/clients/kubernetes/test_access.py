"""What a context says of its server and its user, and what of it is refused."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.kubernetes.access import in_pod, of_context
from pytest_devenv.errors import TargetError
from pytest_devenv.secret import Secret
from tests.unit.clients.kubernetes.samples import config, written

if TYPE_CHECKING:
    from pathlib import Path

V1 = "client.authentication.k8s.io/v1"


def encoded(text: str) -> str:
    """Return a text as a kubeconfig holds it."""
    return base64.b64encode(text.encode()).decode()


def test_data_goes_before_a_file(tmp_path: Path) -> None:
    """Of a certificate that is given twice the data counts, as kubectl has it."""
    file = written(
        tmp_path / "config",
        cluster={"certificate-authority": "ca.crt", "certificate-authority-data": encoded("the authority")},
        user={"client-certificate-data": encoded("me"), "client-key-data": encoded("my key")},
    )
    access = of_context(config(file))
    assert access.authority is not None
    assert access.authority.read() == b"the authority"
    assert access.login.certificate is not None
    assert access.login.certificate.read() == b"me"


def test_what_a_cluster_says_of_tls_is_kept(tmp_path: Path) -> None:
    """The name to expect, a proxy, and that nothing is to be checked are taken as they are written."""
    file = written(
        tmp_path / "config",
        cluster={
            "tls-server-name": "kubernetes",
            "proxy-url": "http://127.0.0.1:3128",
            "insecure-skip-tls-verify": True,
        },
    )
    access = of_context(config(file))
    assert (access.server_name, access.proxy, access.insecure) == ("kubernetes", "http://127.0.0.1:3128", True)


def test_an_identity_to_act_as_becomes_headers(tmp_path: Path) -> None:
    """Impersonation is kept whole: user, groups, and what else is known of them."""
    user = {"token": "t", "as": "jane", "as-groups": ["dev", "ops"], "as-user-extra": {"reason": ["on call"]}}
    access = of_context(config(written(tmp_path / "config", user=user)))
    assert access.login.acts_as == {
        "Impersonate-User": ("jane",),
        "Impersonate-Group": ("dev", "ops"),
        "Impersonate-Extra-reason": ("on call",),
    }


def test_a_plugin_is_read_and_not_run(tmp_path: Path) -> None:
    """A command with a folder in it is seen from its file; arguments and variables are kept."""
    user = {
        "exec": {
            "apiVersion": V1,
            "command": "./bin/login",
            "args": ["--once"],
            "env": [{"name": "REGION", "value": "here"}],
            "interactiveMode": "Never",
            "provideClusterInfo": True,
        }
    }
    plugin = of_context(config(written(tmp_path / "config", user=user))).login.plugin
    assert plugin is not None
    assert (plugin.command, plugin.args) == (str(tmp_path / "bin" / "login"), ("--once",))
    assert (dict(plugin.env), plugin.version, plugin.provides_cluster) == ({"REGION": "here"}, V1, True)


@pytest.mark.parametrize(
    ("cluster", "user", "said"),
    [
        ({}, {"auth-provider": {"name": "gcp"}}, "found the auth-provider gcp, which Kubernetes gave up in 1.26"),
        ({"proxy-url": "socks5://127.0.0.1:1"}, {}, "expected proxy-url to be an http:// proxy, found one of socks5"),
        (
            {"insecure-skip-tls-verify": True, "certificate-authority": "ca"},
            {},
            "expected insecure-skip-tls-verify to be it, or a certificate-authority, found both",
        ),
        ({"certificate-authority-data": "%%%"}, {}, "expected certificate-authority-data to be base64"),
        ({"server": "ftp://somewhere"}, {}, "expected server to be a URL of an API server, found 'ftp://somewhere'"),
        (
            {},
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "x"}},
            f"expected exec.apiVersion to be {V1} or {V1}beta1, found 'client.authentication.k8s.io/v1alpha1'",
        ),
        (
            {},
            {"exec": {"apiVersion": V1, "command": "x", "interactiveMode": "Always"}},
            "expected exec.interactiveMode to be Never or IfAvailable, as nobody is asked here, found 'Always'",
        ),
        ({}, {"exec": {"apiVersion": V1}}, "expected exec to be a command, found none"),
    ],
    ids=["auth-provider", "proxy", "insecure", "base64", "server", "version", "interactive", "command"],
)
def test_what_cannot_be_heeded_is_refused(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], said: str
) -> None:
    """What we would not do as it is written is an error that names the entry, the key and the file."""
    file = written(tmp_path / "config", cluster=cluster, user=user)
    with pytest.raises(TargetError) as caught:
        of_context(config(file))
    assert said in caught.value.message
    assert caught.value.message.endswith(f"looked in {file}")
    assert caught.value.remedy is not None
    assert caught.value.remedy.endswith(f"of kind-shop in {file}")


def test_a_pod_has_the_access_of_its_service_account(tmp_path: Path) -> None:
    """Inside a pod, server, authority, token and namespace are those that Kubernetes mounts there."""
    for name, text in (("token", "of the pod"), ("ca.crt", "authority"), ("namespace", "shop\n")):
        (tmp_path / name).write_text(text)
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    access = in_pod(environ, folder=tmp_path)
    assert (access.server, access.namespace, access.context) == ("https://[fd00::1]:6443", "shop", None)
    assert access.login.token_file == tmp_path / "token"


def test_outside_a_pod_there_is_none(tmp_path: Path) -> None:
    """Without a mounted token there is nobody to be."""
    with pytest.raises(TargetError, match="expected to run in a pod with a service account"):
        in_pod({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, folder=tmp_path)


def test_no_secret_is_in_a_repr(tmp_path: Path) -> None:
    """Whatever prints an access prints no token, password, key or variable of a plugin."""
    user = {
        "token": "tkn-1",
        "username": "jane",
        "password": "pw-2",
        "client-key-data": encoded("key-3"),
        "exec": {"apiVersion": V1, "command": "x", "env": [{"name": "A", "value": "var-4"}]},
    }
    access = of_context(config(written(tmp_path / "config", user=user)))
    assert access.login.token == Secret("tkn-1")
    assert not [word for word in ("tkn-1", "pw-2", "key-3", "var-4") if word in repr(access)]
