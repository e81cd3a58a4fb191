"""The wheels of this project, built as they are published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = (ROOT, ROOT / "entry")


def built(folder: Path) -> Path:
    """Build the code's wheel and that of its entry point into a folder, and return it: pip's `--find-links`."""
    for source in DISTRIBUTIONS:
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
        subprocess.run(build, check=True, capture_output=True, timeout=120)
    return folder
