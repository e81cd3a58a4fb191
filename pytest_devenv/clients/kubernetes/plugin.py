"""Programs that give credentials, run with a deadline: https://kubernetes.io/docs/reference/access-authn-authz/."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes.access import Access, Plugin

LONGEST_S = 30.0
_NOT_EXECUTABLE = (FileNotFoundError, PermissionError, NotADirectoryError)


@dataclass(frozen=True, slots=True)
class Given:
    """What a plugin gave: a token, a certificate with its key in PEM, or all, and until when they may be kept."""

    token: str | None
    certificate: bytes | None
    key: bytes | None
    expires: datetime | None


def run(plugin: Plugin, access: Access, *, deadline_s: float = LONGEST_S) -> Given:
    """Run a plugin and return what it gives. Raises TargetError where it cannot be run, or gives nothing of use."""
    environment = {**os.environ, **plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(_info(plugin, access))}
    try:
        process = subprocess.Popen(
            [plugin.command, *plugin.args],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except _NOT_EXECUTABLE as error:
        hint = f"install {plugin.command}" if plugin.hint is None else " ".join(plugin.hint.split())
        raise _failed(plugin, access, f"{error.strerror}: {plugin.command}", hint) from error
    with process:
        try:
            out, err = process.communicate(timeout=deadline_s)
        except subprocess.TimeoutExpired as error:
            _end(process)
            found = f"no answer within {deadline_s:g} s"
            raise _failed(plugin, access, found, _by_hand(plugin)) from error
        except BaseException:
            _end(process)
            raise
    if process.returncode != 0:
        said = err.decode(errors="replace").strip().splitlines()
        last = f": {said[-1]}" if said else ""
        raise _failed(plugin, access, f"that it ended with status {process.returncode}{last}", _by_hand(plugin))
    return _parsed(plugin, access, out)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the plugin and whatever it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _info(plugin: Plugin, access: Access) -> dict[str, Any]:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.provides_cluster:
        cluster: dict[str, Any] = {"server": access.server}
        if access.authority is not None:
            cluster["certificate-authority-data"] = base64.b64encode(access.authority.read()).decode()
        if access.insecure:
            cluster["insecure-skip-tls-verify"] = True
        if access.server_name is not None:
            cluster["tls-server-name"] = access.server_name
        spec["cluster"] = cluster
    return {"apiVersion": plugin.version, "kind": "ExecCredential", "spec": spec}


def _parsed(plugin: Plugin, access: Access, out: bytes) -> Given:
    try:
        given = _given(json.loads(out), plugin.version)
    except (ValueError, KeyError, TypeError, AttributeError):
        given = None
    if given is None:
        found = f"an answer that is no ExecCredential of {plugin.version} with a token or a certificate"
        raise _failed(plugin, access, found, _by_hand(plugin))  # what it printed may hold a credential, and is not told
    return given


def _given(answer: dict[str, Any], version: str) -> Given | None:
    status = answer["status"]
    token, certificate, key = (status.get(name) for name in ("token", "clientCertificateData", "clientKeyData"))
    if answer.get("kind") != "ExecCredential" or answer.get("apiVersion") != version:
        return None
    if not token and not (certificate and key):
        return None
    stamp = status.get("expirationTimestamp")
    return Given(
        token or None,
        certificate.encode() if certificate else None,
        key.encode() if key else None,
        None if stamp is None else datetime.fromisoformat(stamp),
    )


def _by_hand(plugin: Plugin) -> str:
    return f"log in again, or see what {plugin.command} says when you run it by hand"


def _failed(plugin: Plugin, access: Access, found: str, remedy: str) -> TargetError:
    msg = (
        f"no credentials for context {access.context}\n"
        f"  expected: credentials from the plugin {plugin.command}\n"
        f"  found: {found}\n"
        f"  where: the user {access.login.name}, {access.source}"
    )
    return TargetError(msg, remedy=remedy)
