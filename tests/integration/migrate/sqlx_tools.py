"""sqlx's own tools for the tests, in the user's cache.

`python -m tests.integration.migrate.sqlx_tools` builds them; it needs cargo, and takes a few minutes once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

HOW = "python -m tests.integration.migrate.sqlx_tools (needs cargo, takes a few minutes once)"
_SOURCE = Path(__file__).parent / "sqlx_program"
_CLI_VERSION = "0.9.0"


def cli() -> Path | None:
    """Return sqlx-cli, None where it is not there."""
    return _existing(_cache() / f"sqlx-cli-{_CLI_VERSION}" / "bin" / "sqlx")


def program() -> Path | None:
    """Return the program that migrates itself, built of its present source; None where it is not there."""
    return _existing(_cache() / f"sqlx-program-{_key()}" / "release" / "sqlx-program")


def build() -> None:
    """Build both, into the cache."""
    cache, cargo = _cache(), shutil.which("cargo")
    if cargo is None:
        raise SystemExit("sqlx's tools are built by cargo, and there is none on PATH: install Rust")
    if cli() is None:
        command = [cargo, "install", "sqlx-cli", "--version", _CLI_VERSION, "--locked", "--no-default-features"]
        command += ["--features", "postgres,rustls", "--root", str(cache / f"sqlx-cli-{_CLI_VERSION}")]
        subprocess.run(command, check=True)
    if program() is None:
        source = cache / "sqlx-program-source"
        shutil.copytree(_SOURCE, source, dirs_exist_ok=True)
        target = cache / f"sqlx-program-{_key()}"
        environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
        subprocess.run([cargo, "build", "--release"], cwd=source, env=environment, check=True)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "pytest-devenv" / "test-tools"


def _key() -> str:
    files = (_SOURCE / "Cargo.toml", _SOURCE / "src" / "main.rs")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None


if __name__ == "__main__":
    build()
