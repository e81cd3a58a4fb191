"""How one API server is reached and as whom: what a context of a kubeconfig says, or a pod's service account."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_devenv.clients.kubernetes.kubeconfig import entries
from pytest_devenv.errors import TargetError
from pytest_devenv.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig, Named

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER = "in-cluster"
_MODES = ("Never", "IfAvailable", "Always")
_EXEC_VERSIONS = tuple(f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1"))
_PROXIES = {"http"}


@dataclass(frozen=True, slots=True)
class Pem:
    """Certificates or a key, as a file to read when they are needed or as what the kubeconfig itself holds."""

    file: Path | None = None
    data: bytes | None = field(default=None, repr=False)

    def read(self) -> bytes:
        """Return the text in PEM. Raises OSError."""
        return self.file.read_bytes() if self.file is not None else self.data or b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A program that gives credentials: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    version: str
    provides_cluster: bool = False
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """As whom: any of a client certificate, a token, a file of one, a password, a plugin that gives credentials."""

    name: str
    certificate: Pem | None = None
    key: Pem | None = None
    token: Secret | None = None
    token_file: Path | None = None
    password: Secret | None = None
    plugin: Plugin | None = None
    acts_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Everything that a request needs to know; nothing of it has been used yet.

    `context` is None inside a pod. `kubectl` is how a line of kubectl's begins that looks at the same place.
    `authority` is what signs the server's certificate, None for the system's own;
    `source` says where all this stands.
    """

    context: str | None
    server: str
    namespace: str | None
    login: Login
    source: str
    authority: Pem | None = None
    insecure: bool = False
    server_name: str | None = None
    proxy: str | None = None
    kubectl: str = "kubectl"


def of_context(config: Kubeconfig) -> Access:
    """Return what a context says, nothing being run or asked for it.

    Raises TargetError for what cannot be used: a missing entry, data that is no base64, an authentication that
    Kubernetes itself has given up.
    """
    found = entries(config)
    cluster = found.cluster
    server = cluster.text("server")
    if server is None or urlsplit(server).scheme not in {"http", "https"} or urlsplit(server).hostname is None:
        raise _unusable(cluster, "server", "a URL of an API server", "none" if server is None else repr(server))
    proxy = cluster.text("proxy-url")
    if proxy is not None and urlsplit(proxy).scheme not in _PROXIES:
        raise _unusable(cluster, "proxy-url", "an http:// proxy", f"one of {urlsplit(proxy).scheme or 'no scheme'}")
    insecure = cluster.values.get("insecure-skip-tls-verify") is True
    authority = _pem(cluster, "certificate-authority")
    if insecure and authority is not None:
        raise _unusable(cluster, "insecure-skip-tls-verify", "it, or a certificate-authority", "both")
    return Access(
        context=config.context,
        server=server.rstrip("/"),
        namespace=found.namespace,
        login=_login(found.user),
        source=str(cluster.file),
        authority=authority,
        insecure=insecure,
        server_name=cluster.text("tls-server-name"),
        proxy=proxy,
        kubectl=config.kubectl,
    )


def in_pod(environ: Mapping[str, str] = os.environ, *, folder: Path = SERVICE_ACCOUNT) -> Access:
    """Return the access of the pod that this process runs in. Raises TargetError where it runs in none."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (folder / "token").exists():
        msg = f"expected to run in a pod with a service account, found no {folder / 'token'}"
        raise TargetError(msg, remedy="set automountServiceAccountToken: true for the pod, or choose a kube context")
    try:
        namespace = (folder / "namespace").read_text().strip() or None
    except OSError:
        namespace = None
    return Access(
        context=None,
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        namespace=namespace,
        login=Login(name="the pod's service account", token_file=folder / "token"),
        source=str(folder),
        authority=Pem(file=folder / "ca.crt"),
    )


def _login(user: Named) -> Login:
    provider = user.values.get("auth-provider")
    if provider is not None:
        name = provider.get("name") if isinstance(provider, dict) else None
        found = f"the auth-provider {name}, which Kubernetes gave up in 1.26"
        raise _unusable(user, "auth-provider", "an exec plugin, a token or a certificate", found)
    name, word = user.text("username"), user.text("password")
    token = user.text("token")
    return Login(
        name=user.name,
        certificate=_pem(user, "client-certificate"),
        key=_pem(user, "client-key"),
        token=None if token is None else Secret(token),
        token_file=user.path("tokenFile"),
        password=None if name is None else Secret(f"{name}:{word or ''}"),
        plugin=_plugin(user),
        acts_as=_acts_as(user),
    )


def _pem(entry: Named, key: str) -> Pem | None:
    """Return the data of a key, else the file that it names; data goes before, as in kubectl."""
    data = entry.text(f"{key}-data")
    if data is None:
        file = entry.path(key)
        return None if file is None else Pem(file=file)
    try:
        return Pem(data=base64.b64decode("".join(data.split()), validate=True))
    except (binascii.Error, ValueError) as error:
        raise _unusable(entry, f"{key}-data", "base64", f"something else ({error})") from error


def _plugin(user: Named) -> Plugin | None:
    given = user.values.get("exec")
    if given is None:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("command"), str) or not given["command"]:
        raise _unusable(user, "exec", "a command", "none")
    version, mode = given.get("apiVersion"), given.get("interactiveMode", "IfAvailable")
    if version not in _EXEC_VERSIONS:
        raise _unusable(user, "exec.apiVersion", " or ".join(_EXEC_VERSIONS), repr(version))
    if mode not in _MODES or mode == "Always":
        raise _unusable(user, "exec.interactiveMode", "Never or IfAvailable, as nobody is asked here", repr(mode))
    command = given["command"]
    if os.sep in command:
        command = str(user.file.absolute().parent / command)
    env = given.get("env")
    hint = given.get("installHint")
    return Plugin(
        command=command,
        args=tuple(map(str, given.get("args") or ())),
        env={
            each["name"]: str(each.get("value", ""))
            for each in (env if isinstance(env, list) else ())
            if isinstance(each, dict) and isinstance(each.get("name"), str)
        },
        version=version,
        provides_cluster=given.get("provideClusterInfo") is True,
        hint=hint.strip() if isinstance(hint, str) and hint.strip() else None,
    )


def _acts_as(user: Named) -> dict[str, tuple[str, ...]]:
    """Return the headers of an identity that this user impersonates."""
    given: dict[str, tuple[str, ...]] = {}
    for key, header in (("as", "Impersonate-User"), ("as-uid", "Impersonate-Uid")):
        if (value := user.text(key)) is not None:
            given[header] = (value,)
    if groups := _texts(user.values.get("as-groups")):
        given["Impersonate-Group"] = groups
    extra = user.values.get("as-user-extra")
    for key, values in extra.items() if isinstance(extra, dict) else ():
        given[f"Impersonate-Extra-{key}"] = _texts(values)
    return given


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401  # whatever a YAML file holds
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _unusable(entry: Named, key: str, expected: str, found: str) -> TargetError:
    msg = f"the kubeconfig's entry {entry.name} cannot be used: expected {key} to be {expected}, found {found}"
    return TargetError(f"{msg}, looked in {entry.file}", remedy=f"correct {key} of {entry.name} in {entry.file}")
