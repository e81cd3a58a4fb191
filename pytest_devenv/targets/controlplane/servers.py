"""The command lines of a control plane's programs, for data that need not survive the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.targets.embedded.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.targets.controlplane.binaries import Programs

ETCD_SOCKET = "etcd:0"  # etcd before 3.5 wants a port in every URL; the name of the file is both
_PEER_SOCKET = "peer:0"
_SERVICES = "10.0.0.0/24"
SERVICE_HOSTS = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.0.0.1")

# All of them run in the folder that holds `pki/`, so that sockets and files are named relative to it: the path of a
# socket may only have about a hundred characters.


def etcd(programs: Programs) -> list[str]:
    """Return etcd's: on sockets in a folder that nobody else enters, without waiting for the disk."""
    return [
        str(programs.etcd),
        "--name=devenv",
        "--data-dir=etcd",
        f"--listen-client-urls=unix://{ETCD_SOCKET}",
        f"--advertise-client-urls=unix://{ETCD_SOCKET}",
        f"--listen-peer-urls=unix://{_PEER_SOCKET}",
        f"--initial-advertise-peer-urls=unix://{_PEER_SOCKET}",
        f"--initial-cluster=devenv=unix://{_PEER_SOCKET}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(programs: Programs, port: int) -> list[str]:
    """Return the API server's. Where nothing makes service accounts, pods must do without one."""
    command = [
        str(programs.apiserver),
        f"--etcd-servers=unix://{ETCD_SOCKET}",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",
        f"--secure-port={port}",
        "--endpoint-reconciler-type=none",
        "--tls-cert-file=pki/apiserver.crt",
        "--tls-private-key-file=pki/apiserver.key",
        "--client-ca-file=pki/ca.crt",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=pki/service-account.crt",
        "--service-account-signing-key-file=pki/service-account.key",
        f"--service-cluster-ip-range={_SERVICES}",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--profiling=false",
    ]
    if programs.controller_manager is None:
        command.append("--disable-admission-plugins=ServiceAccount")
    return command


def controller_manager(program: Path, kubeconfig: str) -> list[str]:
    """Return the controller manager's, which signs what a cluster's would sign."""
    return [
        str(program),
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        "--root-ca-file=pki/ca.crt",
        "--service-account-private-key-file=pki/service-account.key",
        "--cluster-signing-cert-file=pki/ca.crt",
        "--cluster-signing-key-file=pki/ca.key",
        f"--service-cluster-ip-range={_SERVICES}",
        "--profiling=false",
    ]


def scheduler(program: Path, kubeconfig: str) -> list[str]:
    """Return the scheduler's."""
    return [
        str(program),
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]
