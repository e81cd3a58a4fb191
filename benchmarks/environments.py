"""Virtual environments as users have them: what they install, and nothing of this project's own tools."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def built(folder: Path) -> Path:
    """Build this project's wheels into a folder, and return it: pip's `--find-links`."""
    for source in (ROOT, ROOT / "entry"):
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(source)]
        subprocess.run(build, check=True, capture_output=True)
    return folder


def environment(folder: Path, wheels: Path, *requirements: str) -> Path:
    """Make a virtual environment with these packages and return its python."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--find-links", str(wheels), *requirements]
    subprocess.run(install, check=True)
    return python
