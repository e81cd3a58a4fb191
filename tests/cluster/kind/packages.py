"""What Debian has: the container engine and the tools around it."""

from __future__ import annotations

import os
import shutil

from tests.cluster.kind.say import StepError, run, step

# By the program that each package brings.
PACKAGES = {
    "dockerd": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mmdebstrap": "mmdebstrap",
    "zstd": "zstd",
}
_PATH = "/usr/sbin:/sbin"  # where a package puts servers, and not every user looks
_INSTALL_S = 600


def find(program: str) -> str | None:
    """Return the path of a program, None where it is not installed."""
    return shutil.which(program) or shutil.which(program, path=_PATH)


def ensure() -> None:
    """Install the packages that are missing; needs root and apt-get. Raises StepError."""
    missing = sorted({package for program, package in PACKAGES.items() if find(program) is None})
    if not missing:
        return
    if shutil.which("apt-get") is None:
        msg = f"missing, and there is no apt-get to install them: {', '.join(missing)}"
        raise StepError(msg)
    with step(f"install Debian packages: {', '.join(missing)}"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run("apt-get", "update", "-q", env=quiet, deadline_s=_INSTALL_S)
        # The engine is started by us, not by the package.
        options = ("-o", "Dpkg::Use-Pty=0", "-qy", "--no-install-recommends")
        run("apt-get", "install", *options, *missing, env={**quiet, "RUNLEVEL": "1"}, deadline_s=_INSTALL_S)
