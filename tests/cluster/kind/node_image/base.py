"""The base of a node: Debian with systemd and a container engine, and kind's own files over it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster.kind import binaries, engine, versions
from tests.cluster.kind.packages import find
from tests.cluster.kind.say import run

BASE = "devenv/node-base"
_PACKAGES = (
    ("systemd", "dbus", "kmod", "mount", "util-linux", "procps"),  # a machine
    ("containerd", "runc", "containernetworking-plugins"),  # its containers, and their network
    ("iptables", "nftables", "conntrack", "iproute2", "ethtool", "socat"),  # what kubelet and kube-proxy call
    ("bash", "jq", "tar", "pigz", "curl", "ca-certificates", "e2fsprogs"),  # what kind's scripts call
)
_DEBIAN_S = 900


def build(scratch: Path) -> str:
    """Build the image and return its name. Docker is only asked to build, so nothing in it reaches the network."""
    scratch.mkdir()
    debian = _debian(scratch / "debian.tar")
    context = scratch / "context"
    shutil.copytree(binaries.source_of(binaries.KIND) / "images/base/files", context / "files")
    _make_writable(context)
    shutil.copyfile(Path(__file__).parent / "base.Dockerfile", context / "Dockerfile")
    engine.docker("build", "--quiet", "--network=none", f"--build-arg=DEBIAN={debian}", f"--tag={BASE}", context)
    return BASE


def _debian(archive: Path) -> str:
    """Return the image that holds nothing but packages, made where the engine has none of these."""
    include = ",".join(name for group in _PACKAGES for name in group)
    image = f"devenv/debian:{versions.DEBIAN}-{versions.key(include)}"
    if not engine.docker("image", "ls", "--quiet", image).strip():
        command = (find("mmdebstrap") or "mmdebstrap", "--quiet", "--variant=minbase", f"--include={include}")
        run(*command, versions.DEBIAN, archive, deadline_s=_DEBIAN_S)
        engine.docker("import", archive, image)
        archive.unlink()
    return image


def _make_writable(folder: Path) -> None:
    """Undo that Go keeps its modules read-only, so that the copy can be removed again."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
