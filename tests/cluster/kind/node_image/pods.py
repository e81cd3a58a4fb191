"""The images of the pods that a cluster itself is made of: each holds a program and the libraries that it loads.

Their names are those that kubeadm and kind's manifests ask for, so that neither notices the difference.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.kind import binaries, engine, versions
from tests.cluster.kind.packages import find
from tests.cluster.kind.say import StepError, run

_HERE = Path(__file__).parent
_LIBRARIES = "devenv/libraries"
_IPTABLES = ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore")
_SHELL = ("dash", "cat", "chmod", "ls", "mkdir", "mv", "rm", "sleep")
_LIBRARY = re.compile(r"/\S+")


@dataclass(slots=True)
class Image:
    """An image to be built: what it stands on, its files by their path in it, links by their path, and what it runs."""

    name: str
    base: str = _LIBRARIES
    files: dict[str, Path] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    lines: str = ""

    def add_programs(self, *programs: Path) -> None:
        """Add programs of this machine where they lie, with the libraries that they load."""
        for program in programs:
            for file in (program, *_libraries_of(program)):
                self.files[str(file)] = file

    def build(self, folder: Path) -> None:
        """Build it in the engine."""
        root = folder / "root"
        for empty in ("tmp", "run"):
            (root / empty).mkdir(parents=True)
        for place, file in self.files.items():
            target = root / place.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        for place, text in self.texts.items():
            target = root / place.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        for place, target_name in self.links.items():
            (root / place.lstrip("/")).symlink_to(target_name)
        (folder / "Dockerfile").write_text(f"FROM {self.base}\nCOPY root/ /\n{self.lines}")
        engine.docker("build", "--quiet", "--network=none", f"--tag={self.name}", folder)


def build(scratch: Path, programs: Path) -> list[str]:
    """Build the images that pods run, and return their names."""
    libraries = _libraries(programs)
    wanted = [*_of_kubeadm(scratch, programs), *_of_kind(programs)]
    for number, image in enumerate((libraries, *wanted)):
        image.build(scratch / str(number))
    return [image.name for image in wanted]


def manifests() -> dict[str, str]:
    """Return what kind applies to a new cluster, by the file's name in the node: its network, and its storage class."""
    return {
        "default-cni.yaml": _constants("const_cni.go")["defaultCNIManifest"],
        "default-storage.yaml": _constants("const_storage.go")["defaultStorageManifest"],
    }


def _libraries(programs: Path) -> Image:
    """Return the image that the others stand on: the C library, certificates, and the names of two accounts."""
    image = Image(_LIBRARIES, base="scratch", lines="ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")
    for library in (*_libraries_of(programs / "kube-apiserver"), *_libraries_of(programs / "coredns")):
        image.files[str(library)] = library
    image.files["/etc/ssl/certs/ca-certificates.crt"] = Path("/etc/ssl/certs/ca-certificates.crt")
    image.texts["/etc/passwd"] = "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n"
    image.texts["/etc/nsswitch.conf"] = "hosts: files dns\n"
    return image


def _of_kubeadm(scratch: Path, programs: Path) -> list[Image]:
    """Return the images that kubeadm asks for: it says their names itself."""
    said = run(programs / "kubeadm", "config", "images", "list", f"--kubernetes-version=v{versions.KUBERNETES}")
    images = []
    for name in said.split():
        program = name.rpartition("/")[2].partition(":")[0]
        if program == "pause":  # which is for containerd to ask for, and it asks for another release
            images.append(_pause(scratch / program))
            continue
        image = Image(name, files={f"/usr/local/bin/{program}": programs / program})
        if program == "coredns":
            image.lines = 'ENTRYPOINT ["/usr/local/bin/coredns"]\n'  # the others are called by their names
        elif program == "kube-proxy":
            _add_iptables(image)
        images.append(image)
    return images


def _of_kind(programs: Path) -> list[Image]:
    """Return the images of kind's manifests: of the network, of volumes, and of the shell that makes volumes."""
    network, storage = _constants("const_cni.go"), _constants("const_storage.go")
    shell = Image(storage["storageHelperImage"], links={"/bin/sh": "dash"})
    shell.add_programs(*(Path("/bin") / name for name in _SHELL))
    kindnetd = Image(network["kindnetdImage"], base=shell.name, lines='CMD ["/bin/kindnetd"]\n')
    kindnetd.add_programs(Path(find("ip") or "/bin/ip"))
    kindnetd.files |= {"/bin/kindnetd": _HERE / "kindnetd.sh", "/bin/kubectl": programs / "kubectl"}
    provisioner = Image(storage["storageProvisionerImage"])
    provisioner.files["/usr/local/bin/local-path-provisioner"] = programs / "local-path-provisioner"
    return [shell, kindnetd, provisioner]


def _add_iptables(image: Image) -> None:
    """Add what kube-proxy calls to have the kernel forward Services to pods: iptables, in its nftables variant."""
    program = Path(find("xtables-nft-multi") or "/usr/sbin/xtables-nft-multi")
    extensions = sorted(next(Path("/usr/lib").glob("*-linux-gnu/xtables")).glob("*.so"))
    image.add_programs(program, Path(find("nft") or "/usr/sbin/nft"), *extensions)
    image.links |= {f"/usr/sbin/{name}": program.name for name in _IPTABLES}


def _pause(scratch: Path) -> Image:
    """Return the image of the process that keeps a pod's namespaces, under the name that kind's containerd asks for."""
    scratch.mkdir(parents=True)
    run("go", "build", "-ldflags", "-s -w", "-o", scratch / "pause", _HERE / "pause.go", cwd=scratch)
    configuration = binaries.source_of(binaries.KIND) / "images/base/files/etc/containerd/config.toml"
    name = tomllib.loads(configuration.read_text())["plugins"]["io.containerd.grpc.v1.cri"]["sandbox_image"]
    return Image(name, base="scratch", files={"/pause": scratch / "pause"}, lines='ENTRYPOINT ["/pause"]\n')


def _libraries_of(program: Path) -> list[Path]:
    """Return the shared libraries that a program loads; none for one that is linked statically."""
    try:
        said = run("ldd", program)
    except StepError:
        return []
    return [Path(path) for path in sorted(set(_LIBRARY.findall(said)))]


def _constants(file: str) -> dict[str, str]:
    """Return the texts that a source file of kind declares, by name; what they refer to is put in."""
    source = (binaries.source_of(binaries.KIND) / "pkg/build/nodeimage" / file).read_text()
    images = dict(re.findall(r'const (\w+Image) = "([^"]+)"', source))
    found = dict(images)
    for name, body in re.findall(r"const (\w+Manifest) = `(.*?)`\s*(?:\n\n|\Z)", source, re.DOTALL):
        text = body
        for other, value in images.items():
            text = text.replace(f"` + {other} + `", value)
        found[name] = text
    return found
