"""Debian's packages as folders: fetched, and unpacked without being installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.kind.say import run

if TYPE_CHECKING:
    from collections.abc import Iterable

# /bin and its like are links into /usr, in every package's eyes.
_MERGED = ("bin", "sbin", "lib", "lib64")
_USELESS = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/bug",
    "usr/share/info",
    "usr/lib/x86_64-linux-gnu/gconv",
    "usr/lib/aarch64-linux-gnu/gconv",
    "etc/init.d",
    "etc/logrotate.d",
)


def unpack(packages: Iterable[str], root: Path) -> None:
    """Unpack packages into a new folder, without what no program reads. Raises StepError."""
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    with tempfile.TemporaryDirectory() as scratch:
        run("apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *packages, cwd=Path(scratch))
        for archive in sorted(Path(scratch).glob("*.deb")):
            _unpack(archive, root)
    for path in _USELESS:
        shutil.rmtree(root / path, ignore_errors=True)


def _unpack(archive: Path, root: Path) -> None:
    """Unpack one package; what it puts below /lib goes where that link leads."""
    files = archive.with_suffix(".tar")
    with files.open("wb") as output:
        command = ("dpkg-deb", "--fsys-tarfile", str(archive))
        subprocess.run(command, stdout=output, check=True, timeout=60)
    run("tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", root, "-f", files)
