"""What the API server refuses, and why it could not be reached at all."""

from __future__ import annotations

import shlex
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes.access import Access
    from pytest_devenv.clients.kubernetes.naming import Asked

_STARTS = (
    ("kind-", "docker start {name}-control-plane"),
    ("k3d-", "k3d cluster start {name}"),
    ("minikube", "minikube start"),
    ("colima", "colima start --kubernetes"),
    ("microk8s", "microk8s start"),
    ("docker-desktop", "start Docker Desktop, with Kubernetes switched on in its settings"),
    ("rancher-desktop", "start Rancher Desktop"),
    ("orbstack", "orb start k8s"),
)


class ApiError(TargetError):
    """The API server answered, and not with what was asked for.

    `status` is HTTP's, `reason` Kubernetes' own word such as NotFound. `verb`, `resource` and `namespace` say what was
    asked in the words of RBAC, so that whoever may not look can name the right that is missing.
    """

    def __init__(self, message: str, *, remedy: str | None, status: int, reason: str, asked: Asked) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.reason = reason
        self.verb = asked.verb
        self.resource = asked.resource
        self.namespace = asked.namespace

    @property
    def forbidden(self) -> bool:
        """Whether this identity may not do what was asked."""
        return self.status == HTTPStatus.FORBIDDEN

    @property
    def missing(self) -> bool:
        """Whether what was asked for is not there."""
        return self.status == HTTPStatus.NOT_FOUND


class UnreachableError(TargetError):
    """The API server did not answer: nothing listens, nothing came in time, or its certificate is not the right one."""


def refused(asked: Asked, *, status: int, reason: str, said: str, place: str, access: Access, renewal: str) -> ApiError:
    """Make the error of an answer that is none of the wanted ones.

    `said` is the server's own message, `place` the request and its server, `renewal` how this identity gets new
    credentials.
    """
    space = "" if asked.namespace is None else f" --namespace {shlex.quote(asked.namespace)}"
    see = f"{asked.resource}/{asked.name}" if asked.name and "/" not in asked.resource else asked.resource
    match status:
        case HTTPStatus.UNAUTHORIZED:
            summary = "the API server does not accept these credentials"
            expected, remedy = "credentials that the API server knows", renewal
        case HTTPStatus.FORBIDDEN:
            summary = f"not allowed to {asked}"
            expected = f"the right to {asked.verb} {asked.resource}"
            remedy = f"have it granted, then see: {access.kubectl} auth can-i {_right(asked)}{space}"
        case HTTPStatus.NOT_FOUND:
            summary = f"{asked.resource} {asked.name} is not there" if asked.name else f"{asked.resource} is not there"
            expected, remedy = (
                f"an answer to {asked}",
                f"{access.kubectl} get {shlex.quote(asked.resource.partition('/')[0])}{space}",
            )
        case _:
            summary = f"the API server refused to {asked}"
            expected, remedy = f"an answer to {asked}", f"{access.kubectl} get {shlex.quote(see)}{space}"
    found = f"{status} {reason}" + (f": {' '.join(said.split())}" if said else "")
    msg = f"{summary}\n  expected: {expected}\n  found: {found}\n  where: {place}"
    return ApiError(msg, remedy=remedy, status=status, reason=reason, asked=asked)


def unreachable(error: Exception, access: Access, *, deadline_s: float, trust: str) -> UnreachableError:
    """Make the error of a server that did not answer. `trust` says where the certificate authority is configured."""
    server, start = access.server, starts(access)
    match error:
        case ssl.SSLCertVerificationError():
            found = f"a certificate that is not to be trusted: {error.verify_message or error.reason}"
            remedy = f"have the cluster's kubeconfig written anew: the certificate authority is from {trust}"
        case ssl.SSLError():
            found = f"no TLS that fits: {error.reason or error}"
            remedy = f"see that {server} is the API server's address: {access.kubectl} cluster-info"
        case TimeoutError():
            found, remedy = f"no answer within {max(0.1, round(deadline_s, 1)):g} s", start
        case ConnectionRefusedError():
            found, remedy = "connection refused: nothing listens there", start
        case socket.gaierror():
            found = f"a name that is not known: {error.strerror}"
            remedy = (
                f"connect to the cluster's network (VPN, DNS), or correct its address: {access.kubectl} config view"
            )
        case OSError():
            found, remedy = error.strerror or str(error) or type(error).__name__, start
        case _:
            found, remedy = f"{type(error).__name__}: {error}", start
    place = f"  where: {said(access.context)}"
    msg = f"the API server does not answer\n  expected: an answer of {server}\n  found: {found}\n{place}"
    return UnreachableError(msg, remedy=remedy)


def _right(asked: Asked) -> str:
    """Return a right as `kubectl auth can-i` takes it; what stands behind a slash would be a name there."""
    resource, _, below = asked.resource.partition("/")
    if not resource:
        return shlex.join([asked.verb, asked.resource])
    return shlex.join([asked.verb, resource, *([f"--subresource={below}"] if below else [])])


def starts(access: Access) -> str:
    """Return how a cluster of a context by this name is usually started."""
    context = access.context or ""
    for prefix, command in _STARTS:
        if context.startswith(prefix):
            return command.format(name=shlex.quote(context.removeprefix(prefix)))
    return f"start the cluster, then see: {access.kubectl} get --raw /readyz"


def said(context: str | None) -> str:
    """Return the context as messages name it; there is none inside a pod."""
    return "the pod's own service account" if context is None else f"context {context}"
