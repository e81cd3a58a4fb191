"""What the API server refuses, as verdicts: may not look is `unknown`, and whoever may is named the right to grant."""

from __future__ import annotations

import re
import shlex
from http import HTTPStatus
from typing import TYPE_CHECKING

from pytest_devenv.verdict import failed, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_devenv.clients.kubernetes import ApiError, UnreachableError
    from pytest_devenv.errors import TargetError
    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.verdict import Verdict

_USER = re.compile(r'User "(?P<name>[^"]+)"')
_ACCOUNT = re.compile(r"system:serviceaccount:(?P<namespace>[^:]+):(?P<name>[^:]+)")
_PART = re.compile(r"^  (?P<part>expected|found|where): (?P<text>.*)$", re.MULTILINE)
_WHOLE_CLUSTER = frozenset({"nodes", "nodes/proxy", "storageclasses.storage.k8s.io"})


def refused(error: ApiError, kubectl: Kubectl) -> Verdict:
    """Return the verdict on one look that the API server refused."""
    if error.status == HTTPStatus.FORBIDDEN:
        return forbidden((error,), kubectl)
    return said(error)


def forbidden(errors: Sequence[ApiError], kubectl: Kubectl) -> Verdict:
    """Return that these could not be looked at, and the RBAC rule by which they can."""
    first = errors[0]
    user = _user(first)
    asked = ", ".join(f"{error.verb} {error.resource}" for error in errors)
    return unknown(
        f"{user or 'this user'} may not {asked} in namespace {kubectl.namespace}",
        where=_parts(first).get("where", kubectl.namespace),
        remedy=grant([(error.verb, error.resource) for error in errors], user, kubectl),
    )


def grant(rights: Sequence[tuple[str, str]], user: str | None, kubectl: Kubectl) -> str:
    """Return the commands that grant these rights, each a verb and a resource; what may be listed may be got too."""
    commands: list[str] = []
    verbs = dict.fromkeys(verb for verb, _ in rights)
    for verb in verbs:
        for everywhere in (False, True):
            resources = [
                each
                for asked, each in dict.fromkeys(rights)
                if asked == verb and (each in _WHOLE_CLUSTER) is everywhere
            ]
            if resources:
                commands += _role(verb, resources, user, kubectl, everywhere=everywhere)
    return " && ".join(commands)


def _role(verb: str, resources: list[str], user: str | None, kubectl: Kubectl, *, everywhere: bool) -> list[str]:
    word, run = ("clusterrole", kubectl.anywhere) if everywhere else ("role", kubectl)
    name = f"pytest-devenv-{verb}-{re.sub(r'[^a-z0-9]+', '-', resources[0].partition('.')[0])}"
    account = None if user is None else _ACCOUNT.fullmatch(user)
    if account is not None:
        to = f"--serviceaccount={account['namespace']}:{account['name']}"
    else:
        to = "--user=…" if user is None else f"--user={user}"
    verbs = "get,list" if verb == "list" else verb  # who forwards to a workload gets it too
    return [
        run("create", word, name, f"--verb={verbs}", f"--resource={','.join(resources)}"),
        run("create", f"{word}binding", name, f"--{word}={name}", to),
    ]


def said(error: TargetError | ApiError | UnreachableError) -> Verdict:
    """Return a failure with the parts that an error of the client already has, in its own words."""
    parts = _parts(error)
    return failed(
        str(error).partition("\n")[0],
        expected=parts.get("expected", "an answer of the API server"),
        found=parts.get("found", str(error).partition("\n")[0]),
        where=parts.get("where", "the API server"),
        remedy=error.remedy or "look again: pytest -m health",
    )


def may_not_see(what: str, error: ApiError) -> str:
    """Return one line on a piece of evidence that this user may not read."""
    if error.status == HTTPStatus.FORBIDDEN:
        return f"{what} may not be read: not allowed to {error.verb} {shlex.quote(error.resource)}"
    return f"{what} could not be read: {error.status} {error.reason}"


def _parts(error: Exception) -> dict[str, str]:
    return {match["part"]: match["text"] for match in _PART.finditer(str(error))}


def _user(error: Exception) -> str | None:
    match = _USER.search(str(error))
    return None if match is None else match["name"]
