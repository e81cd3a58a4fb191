"""The node image: what kind starts as a container, and calls a node of the cluster.

Kept in the cache as a compressed archive, and made anew when a version or a file in this folder changes. It is made in
the engine, of nothing but Debian's packages and the programs built from Go modules:

- `base`: Debian with systemd, containerd and the kubelet's surroundings, and kind's own files over it;
- `pods`: the images of the pods that make a cluster a cluster, each a program and the libraries that it loads;
- `store`: these images, put where the node's containerd finds them without asking any registry.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.cluster.kind import binaries, engine, versions
from tests.cluster.kind.node_image import base, pods, store
from tests.cluster.kind.packages import find
from tests.cluster.kind.place import home, recent
from tests.cluster.kind.say import StepError, step

_HERE = Path(__file__).parent
_PIPE_S = 600
_KEPT = 2


def tag() -> str:
    """Return the image's name in the engine, which changes with everything that it is made of."""
    files = sorted(file for file in _HERE.iterdir() if file.is_file())
    content = versions.key(versions.DEBIAN, binaries.folder().name, *(file.read_bytes() for file in files))
    return f"devenv/node:v{versions.KUBERNETES}-{content}"


def ensure() -> str:
    """Have the image in the engine, from the cache or made now, and return its name; raises StepError."""
    image = tag()
    archive = home() / f"node-{image.partition(':')[2]}.tar.zst"
    if not engine.docker("image", "ls", "--quiet", image).strip():
        if archive.exists():
            with step(f"load the node image {image} from the cache"):
                _pipe([find("zstd") or "zstd", "-dc", archive], ["docker", "load", "--quiet"])
        else:
            _build(image)
            with step("keep the node image in the cache"):
                unfinished = archive.with_suffix(".making")
                _pipe(["docker", "save", image], [find("zstd") or "zstd", "-q", "-T0", "-3", "-f", "-o", unfinished])
                unfinished.rename(archive)
    if archive.exists():
        recent(archive, "node-*", kept=_KEPT)
    return image


def _build(image: str) -> None:
    programs = binaries.folder()
    for left in home().glob("image-*"):  # by one that was killed: nobody else is at it, place.alone() sees to that
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=home(), prefix="image-") as folder:
        scratch = Path(folder)
        with step("make a Debian with systemd and containerd, for nodes"):
            base_image = base.build(scratch / "base")
        with step("make the images of Kubernetes' own pods"):
            images = pods.build(scratch / "pods", programs)
        with step("put them into the node image"):
            root = scratch / "node" / "root"
            for program in ("kubeadm", "kubelet", "kubectl"):
                (root / "usr/bin").mkdir(parents=True, exist_ok=True)
                shutil.copy2(programs / program, root / "usr/bin" / program)
            (root / "kind/manifests").mkdir(parents=True)
            (root / "kind/version").write_text(f"v{versions.KUBERNETES}")
            for name, text in pods.manifests().items():
                (root / "kind/manifests" / name).write_text(text)
            (root / "etc/cni/net.d").mkdir(parents=True)
            store.fill(root / "var/lib/containerd", images, scratch / "store")
            (scratch / "node/Dockerfile").write_text(f"FROM {base_image}\nCOPY root/ /\n")
            engine.docker("build", "--quiet", "--network=none", f"--tag={image}", scratch / "node")


def _pipe(first: list[str | Path], second: list[str | Path]) -> None:
    """Run two programs, the output of the one being the input of the other; raises StepError."""
    environment = engine.environment()
    with subprocess.Popen(first, env=environment, stdout=subprocess.PIPE) as source:
        sink = subprocess.run(second, env=environment, stdin=source.stdout, timeout=_PIPE_S, check=False)
    if source.returncode != 0 or sink.returncode != 0:
        msg = f"exit status {source.returncode} of {first[0]}, {sink.returncode} of {second[0]}"
        raise StepError(msg)
