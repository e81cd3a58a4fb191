"""What Debian has not: Kubernetes, etcd and kind, built from their Go modules, once for each set of versions."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.kind import versions
from tests.cluster.kind.place import home, recent
from tests.cluster.kind.say import StepError, run, step

if TYPE_CHECKING:
    from collections.abc import Iterable

_DOWNLOAD_S = 1200
_BUILD_S = 3600
_KEPT = 2
_STAGING = re.compile(r"(k8s\.io/[\w.-]+) v0\.0\.0\s")


@dataclass(frozen=True, slots=True)
class Source:
    """A Go module and the programs that are built of it: by the program's name, the package in the module."""

    module: str
    version: str
    programs: dict[str, str]


KUBERNETES = Source(
    "k8s.io/kubernetes",
    versions.KUBERNETES,
    {
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in (
            "kubeadm",  # turns a node into a cluster
            "kubelet",  # runs the pods of a node
            "kubectl",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
        )
    },
)
KIND = Source("sigs.k8s.io/kind", versions.KIND, {"kind": "sigs.k8s.io/kind"})
ETCD = Source("go.etcd.io/etcd/server/v3", versions.ETCD, {"etcd": "go.etcd.io/etcd/server/v3"})
COREDNS = Source("github.com/coredns/coredns", versions.COREDNS, {"coredns": "github.com/coredns/coredns"})
PROVISIONER = Source(
    "github.com/rancher/local-path-provisioner",
    versions.LOCAL_PATH_PROVISIONER,
    {"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
)
SOURCES = (KIND, ETCD, COREDNS, PROVISIONER, KUBERNETES)
EVERY = frozenset(program for source in SOURCES for program in source.programs)
CLIENTS = frozenset({"kind", "kubectl"})
CONTROL_PLANE = frozenset({"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"})


def folder() -> Path:
    """Return the folder of the built programs, made where it is not there."""
    made = home() / f"bin-{versions.key(*(f'{source.module}@{source.version}' for source in SOURCES))}"
    made.mkdir(exist_ok=True)
    return made


def ensure(programs: Iterable[str] = EVERY) -> Path:
    """Build those of these programs that are not there yet, and return their folder; raises StepError."""
    into = folder()
    missing = {program for program in programs if not (into / program).exists()}
    if missing and shutil.which("go") is None:
        msg = f"missing: {', '.join(sorted(missing))}; and Go {versions.GO} or later, to build them, is not on PATH"
        raise StepError(msg)
    for source in SOURCES:
        wanted = {program: package for program, package in source.programs.items() if program in missing}
        if wanted:
            with step(f"build {', '.join(wanted)} from {source.module} {source.version}"):
                _build(source, wanted, into)
    return recent(into, "bin-*", kept=_KEPT)


def source_of(source: Source) -> Path:
    """Return the folder that holds the module's source."""
    said = run(
        "go", "mod", "download", "-json", f"{source.module}@v{source.version}", cwd=home(), deadline_s=_DOWNLOAD_S
    )
    return Path(json.loads(said)["Dir"])


def _build(source: Source, wanted: dict[str, str], into: Path) -> None:
    scratch = into / ".making"
    scratch.mkdir(exist_ok=True)
    flags = ["-trimpath", "-ldflags", _linker_flags(source)]
    module = _required(source)
    if source is KUBERNETES:  # its commands share most of their packages: one build of all
        run("go", "build", *flags, "-o", f"{scratch}/", *wanted.values(), cwd=module, deadline_s=_BUILD_S)
    else:
        for program, package in wanted.items():
            run("go", "build", *flags, "-o", scratch / program, package, cwd=module, deadline_s=_BUILD_S)
    for program in wanted:
        (scratch / program).rename(into / program)  # whole or not at all
    scratch.rmdir()


def _required(source: Source) -> Path:
    """Return a module of our own that requires the source and nothing else, made where it is not there.

    `go install` would do, were it not that it refuses a module whose go.mod replaces others, which most of these do.
    """
    module = home() / "modules" / f"{source.module.replace('/', '-')}@{source.version}"
    if (module / "go.sum").exists():
        return module
    module.mkdir(parents=True, exist_ok=True)
    text = f"module devenv\n\ngo {versions.GO}\n"
    if source is KUBERNETES:
        text += f"\nrequire {source.module} v{source.version}\n\nreplace (\n{_staging_modules()})\n"
    (module / "go.mod").write_text(text)
    packages = [f"{package}@v{source.version}" for package in source.programs.values()]
    run("go", "get", "-tool", *packages, cwd=module, deadline_s=_DOWNLOAD_S)
    return module


def _staging_modules() -> str:
    """Return what Kubernetes' go.mod leaves open: its libraries are modules of the same release, named v0.0.0 there."""
    version = f"v{versions.KUBERNETES}"
    run("go", "mod", "download", f"{KUBERNETES.module}@{version}", cwd=home(), deadline_s=_DOWNLOAD_S)
    cache = Path(run("go", "env", "GOMODCACHE").strip())
    text = (cache / "cache" / "download" / KUBERNETES.module / "@v" / f"{version}.mod").read_text()
    at = f"v0.{versions.KUBERNETES.split('.', 1)[1]}"
    return "".join(f"\t{module} => {module} {at}\n" for module in sorted(set(_STAGING.findall(text))))


def _linker_flags(source: Source) -> str:
    """Return the flags that leave debugging symbols out and, for Kubernetes, say which release it is: kubeadm asks."""
    flags = ["-s", "-w"]
    if source is KUBERNETES:
        major, minor, _ = source.version.split(".")
        said = {
            "gitVersion": f"v{source.version}",
            "gitMajor": major,
            "gitMinor": minor,
            "gitTreeState": "clean",
            "gitCommit": "0" * 40,
            "buildDate": "2026-01-01T00:00:00Z",
        }
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
            flags += [f"-X {package}.{name}={value}" for name, value in said.items()]
    return " ".join(flags)


def on_path(programs: Iterable[str]) -> bool:
    """Tell whether every one of these programs is on PATH already."""
    return all(shutil.which(program, path=os.environ.get("PATH")) is not None for program in programs)
