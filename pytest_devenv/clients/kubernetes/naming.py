"""What a request asks for, in the words of RBAC: verb, resource, namespace."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

_CORE = 2  # api, version
_GROUPED = 3  # apis, group, version
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the API server's authorizer sees it: https://kubernetes.io/docs/reference/access-authn-authz/."""

    verb: str
    resource: str
    namespace: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        subject = self.resource if self.name is None else f"{self.resource} {self.name}"
        inside = self.namespace is not None and self.resource != "namespaces"
        return f"{self.verb} {subject}" + (f" in namespace {self.namespace}" if inside else "")


def asked(method: str, path: str, *, watch: bool = False) -> Asked:
    """Return what a request to `path` asks for; a path that names no resource is its own resource."""
    parts = [unquote(part) for part in path.partition("?")[0].split("/") if part]
    if parts[:1] == ["api"] and len(parts) > _CORE:
        group, rest = "", parts[_CORE:]
    elif parts[:1] == ["apis"] and len(parts) > _GROUPED:
        group, rest = parts[1], parts[_GROUPED:]
    else:
        return Asked(method.lower(), path)
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace, rest = rest[1], rest[2:] or rest
    resource, name, *below = [*rest, ""]
    kind = f"{resource}.{group}" if group else resource
    below = [each for each in below if each]
    verb = "watch" if watch else _VERBS.get(method, "get" if name else "list")
    if method == "DELETE" and not name:
        verb = "deletecollection"
    return Asked(verb, "/".join([kind, *below]), namespace, name or None)
