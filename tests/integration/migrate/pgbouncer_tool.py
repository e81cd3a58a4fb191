"""PgBouncer for the tests: the system's, or Debian's packages unpacked in the user's cache and not installed.

`python -m tests.integration.migrate.pgbouncer_tool` fetches them; it needs apt-get and dpkg-deb.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

HOW = "apt-get install pgbouncer, or python -m tests.integration.migrate.pgbouncer_tool"
_PACKAGES = ("pgbouncer", "libevent-2.1-7", "libc-ares2")


def program() -> Path | None:
    """Return PgBouncer, None where it is not there."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if found is not None:
        return Path(found)
    unpacked = _cache() / "usr" / "sbin" / "pgbouncer"
    return unpacked if unpacked.exists() else None


def libraries() -> str:
    """Return where the libraries of the unpacked packages are."""
    return os.pathsep.join(str(path) for path in (_cache() / "usr" / "lib").glob("*-linux-gnu"))


def fetch() -> None:
    """Fetch and unpack the packages."""
    cache = _cache()
    packages = cache / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        raise SystemExit("apt-get and dpkg-deb are not here: install PgBouncer by your system's own means")
    download = [apt, "download", *_PACKAGES]
    if subprocess.run(download, cwd=packages, check=False).returncode != 0:
        subprocess.run([apt, "update"], check=True)  # a fresh machine has no list of packages yet
        subprocess.run(download, cwd=packages, check=True)
    for package in packages.glob("*.deb"):
        subprocess.run([dpkg, "-x", str(package), str(cache)], check=True)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "pytest-devenv" / "test-tools" / "pgbouncer"


if __name__ == "__main__" and program() is None:
    fetch()
