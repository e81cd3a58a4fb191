"""Starting a control plane: etcd, the API server on it, and then what acts upon its objects."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.platform import CONTROLPLANE_CONTEXT
from pytest_devenv.errors import TargetError
from pytest_devenv.targets.controlplane import servers
from pytest_devenv.targets.controlplane.administrator import Administrator
from pytest_devenv.targets.controlplane.binaries import ASSETS_VARIABLE, Programs, programs
from pytest_devenv.targets.controlplane.kubeconfig import write_kubeconfig, write_private
from pytest_devenv.targets.embedded.account import Account
from pytest_devenv.targets.embedded.child import TAIL_LINES, Child, end, spawn, wait_until
from pytest_devenv.targets.embedded.ports import HOST
from pytest_devenv.targets.embedded.startup import ServerStartError, start_on_free_port

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_devenv.targets.controlplane.certificates import Authority

HOME = "controlplane"
ADMINISTRATOR = "pytest-devenv"
ADMINISTRATORS = "system:masters"
_STATE = "state.json"
_DEFAULT = "default"
_LOG_LINES = 200


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A running control plane: its folder, its URL, and the namespace that its kubeconfigs name."""

    home: Path
    server: str
    namespace: str

    @property
    def context(self) -> str:
        """The context of its kubeconfigs."""
        return CONTROLPLANE_CONTEXT

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.home / "kubeconfig"

    def user(self, name: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig for a user of these groups, made where there is none yet.

        The user may do what RBAC allows, which is next to nothing until a role is bound to the name or to a group.
        """
        from pytest_devenv.targets.controlplane.certificates import read_authority

        signer = read_authority(self.home / "pki" / "ca.crt", self.home / "pki" / "ca.key")
        known = hashlib.sha256(json.dumps([name, *groups]).encode()).hexdigest()[:16]
        file = self.home / f"user-{known}"
        return file if file.exists() else _kubeconfig(self, signer, file, name, groups)


def running(instance: Path) -> ControlPlane | None:
    """Return the control plane that was started below an instance's folder, None where none was."""
    home = instance / HOME
    try:
        state = json.loads((home / _STATE).read_text())
    except FileNotFoundError:
        return None
    return ControlPlane(home, state["server"], state["namespace"])


def start(instance: Path, *, namespace: str | None, start_s: float, found: Programs | None = None) -> ControlPlane:
    """Start a control plane below an instance's folder; it is ready when this returns.

    Ready means: `/readyz` says so and the namespace is there, with its default service account where a controller
    manager makes one. Raises TargetError where a program is missing, with the log's tail where one does not come up;
    nothing of it runs on then.
    """
    found = programs() if found is None else found
    home = instance / HOME
    try:
        home.mkdir(mode=0o700)
    except FileExistsError as error:
        msg = f"expected no control plane in {home} yet, found one there, or what one left"
        raise TargetError(msg, remedy=f"see what is in it, then remove it: rm -r {home}") from error
    starting = _Start(instance, home, found, deadline=time.monotonic() + start_s)
    try:
        return starting.run(namespace if namespace is not None else _DEFAULT)
    except BaseException as error:
        starting.stop()
        shutil.rmtree(home, ignore_errors=True)
        if isinstance(error, ServerStartError):
            raise _told(error, found, start_s) from error
        raise


class _Start:
    """One start, and the processes that it has made so far."""

    def __init__(self, instance: Path, home: Path, found: Programs, *, deadline: float) -> None:
        self._instance = instance
        self._home = home
        self._programs = found
        self._deadline = deadline
        self._children: list[Child] = []

    def run(self, namespace: str) -> ControlPlane:
        etcd = self._spawn("etcd", servers.etcd(self._programs))
        signer = _write_certificates(self._home)  # while etcd comes up
        if not wait_until((self._home / servers.ETCD_SOCKET).is_socket, etcd, deadline=self._deadline):
            raise _ended(etcd)
        plane, administrator = self._apiserver(etcd, signer, namespace)
        self._act(plane, administrator)
        state = {"server": plane.server, "namespace": plane.namespace}
        (self._home / _STATE).write_text(json.dumps(state))
        return plane

    def stop(self) -> None:
        end([child.process for child in self._children])

    def _apiserver(self, etcd: Child, signer: Authority, namespace: str) -> tuple[ControlPlane, Administrator]:
        administrators: dict[int, Administrator] = {}

        def start(port: int) -> Child:
            administrators[port] = Administrator(self._home / "pki", port)
            return self._spawn("kube-apiserver", servers.apiserver(self._programs, port))

        def ready(child: Child, port: int) -> bool:
            def look() -> bool:
                if etcd.ended() is not None:
                    raise _ended(etcd)
                return administrators[port].is_ready()

            return wait_until(look, child, deadline=self._deadline)

        child, port = start_on_free_port(start, ready, deadline=self._deadline)
        plane = ControlPlane(self._home, f"https://{HOST}:{port}", namespace)
        _kubeconfig(plane, signer, plane.kubeconfig, ADMINISTRATOR, [ADMINISTRATORS])
        administrator = administrators[port]
        made = wait_until(lambda: administrator.provides_namespace(namespace), child, deadline=self._deadline)
        if not made:
            raise ServerStartError(child.name, f"it runs, but the namespace {namespace} is not there", child.tail())
        return plane, administrator

    def _act(self, plane: ControlPlane, administrator: Administrator) -> None:
        """Start what acts upon objects, as far as its programs are there."""
        if self._programs.scheduler is not None:
            self._spawn("kube-scheduler", servers.scheduler(self._programs.scheduler, plane.kubeconfig.name))
        if self._programs.controller_manager is None:
            return
        command = servers.controller_manager(self._programs.controller_manager, plane.kubeconfig.name)
        manager = self._spawn("kube-controller-manager", command)
        acts = wait_until(lambda: administrator.has_account(plane.namespace), manager, deadline=self._deadline)
        if not acts:
            raise _ended(manager)

    def _spawn(self, name: str, command: Sequence[str]) -> Child:
        child = spawn(name, command, instance=self._instance, account=Account(), env={}, cwd=self._home)
        self._children.append(child)
        return child


def _write_certificates(home: Path) -> Authority:
    """Write what the servers read, and what the administrator logs in with."""
    try:
        from pytest_devenv.targets.controlplane import certificates
    except ModuleNotFoundError as error:
        msg = "the control plane makes its own certificates: expected the package cryptography, found none"
        raise TargetError(msg, remedy="pip install 'pytest-devenv[controlplane]'") from error
    folder = home / "pki"
    folder.mkdir(mode=0o700)
    signer = certificates.authority("pytest-devenv")
    pairs = {
        "ca": signer.pair(),
        "apiserver": signer.server("localhost", HOST, "::1", *servers.SERVICE_HOSTS),
        "service-account": certificates.signing_key(),
        "administrator": signer.client(ADMINISTRATOR, [ADMINISTRATORS]),
    }
    for name, pair in pairs.items():
        write_private(folder / f"{name}.crt", pair.certificate)
        write_private(folder / f"{name}.key", pair.key)
    return signer


def _kubeconfig(plane: ControlPlane, signer: Authority, file: Path, user: str, groups: Sequence[str]) -> Path:
    return write_kubeconfig(
        file,
        server=plane.server,
        authority=signer.pair().certificate,
        user=user,
        login=signer.client(user, groups),
        namespace=plane.namespace,
    )


def _ended(child: Child) -> ServerStartError:
    status = child.ended()
    reason = "it runs, but did not become ready in time" if status is None else f"it ended with status {status}"
    return ServerStartError(child.name, reason, child.tail(_LOG_LINES))


def _told(error: ServerStartError, found: Programs, start_s: float) -> TargetError:
    """Say which program did not come up, and what its log says."""
    lines = error.log.partition("\nUsage:")[0].splitlines()[-TAIL_LINES:]  # a flag that is not known is said above it
    log = "".join(f"\n    {line}" for line in lines) or " it says nothing"
    msg = (
        f"the control plane did not start: {error.service}\n"
        f"  expected: {error.service} ready within {start_s:g} s\n"
        f"  found: {error.reason}\n"
        f"  where: {found.named(error.service)}; its log:{log}"
    )
    return TargetError(msg, remedy=f"mend what its log says, or name other programs in {ASSETS_VARIABLE}")
