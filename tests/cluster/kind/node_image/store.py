"""The images of a cluster's own pods, put into the node where its containerd finds them.

containerd keeps images in a folder. One of our own, started for a moment on a folder of its own, takes them in; the
folder is then what the node starts with.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from tests.cluster.kind import engine
from tests.cluster.kind.packages import find
from tests.cluster.kind.place import running
from tests.cluster.kind.say import StepError, run, succeeds

if TYPE_CHECKING:
    from pathlib import Path

_START_S = 30
_PINNED = "io.cri-containerd.pinned=pinned"  # the kubelet never removes it to make room


def fill(folder: Path, images: list[str], scratch: Path) -> None:
    """Fill the folder that is to be a node's /var/lib/containerd with images of the engine."""
    scratch.mkdir()
    archive = scratch / "images.tar"
    engine.docker("save", "--output", archive, *images)
    socket = running() / "store.sock"  # the path of a socket may not be longer than 107 characters
    configuration = scratch / "config.toml"
    configuration.write_text(
        "version = 2\n"
        f'root = "{scratch / "root"}"\n'
        f'state = "{scratch / "state"}"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{socket}"\n'
        f'[ttrpc]\naddress = "{socket}.ttrpc"\n'
    )
    with (scratch / "log").open("wb") as log:
        containerd = subprocess.Popen(
            [find("containerd") or "containerd", "--config", configuration],
            stdout=log,
            stderr=log,
            env=engine.marked(),
        )
    try:
        ctr = (find("ctr") or "ctr", f"--address={socket}", "--namespace=k8s.io")
        deadline = time.monotonic() + _START_S
        while not succeeds(*ctr, "version"):
            if containerd.poll() is not None or time.monotonic() > deadline:
                msg = f"expected containerd to answer within {_START_S} s, found:\n{(scratch / 'log').read_text()}"
                raise StepError(msg)
            time.sleep(0.1)
        run(*ctr, "images", "import", "--no-unpack", archive)
        for image in images:
            run(*ctr, "images", "label", image, _PINNED)
    finally:
        containerd.terminate()
        containerd.wait(timeout=_START_S)
    archive.unlink()
    folder.parent.mkdir(parents=True)
    shutil.copytree(scratch / "root", folder, symlinks=True)
