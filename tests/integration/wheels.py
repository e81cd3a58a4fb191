"""The wheels of this project, built as they are published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = (ROOT, ROOT / "entry")
UNCOMPILED = {"PIP_NO_COMPILE": "1"}
"""For installs that a few runs use: what they import is compiled then, which is a tenth of what pip would compile."""


def built(folder: Path) -> Path:
    """Build the code's wheel and that of its entry point into a folder, and return it: pip's `--find-links`."""
    for source in DISTRIBUTIONS:
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
        subprocess.run(build, check=True, capture_output=True, timeout=120)
    return folder
