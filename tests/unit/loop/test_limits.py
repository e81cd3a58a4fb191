"""What a run with loops in its settings pays for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOOK = """
import sys
from pathlib import Path
from pytest_devenv.every import every_probe
from pytest_devenv.settings import TargetName
from pytest_devenv.settings.read import read
probes = every_probe(read(Path(sys.argv[1])), TargetName(sys.argv[2]))
print(*(each for each in probes if each.startswith("loop.")))
print(*(each for each in sys.modules if each == "sqlite3" or each.startswith("pytest_devenv.loop.")))
"""


def seen(target: str) -> tuple[set[str], set[str]]:
    """Return the probes of the reference environment's loops on a target, and the modules that they have brought."""
    words = [sys.executable, "-c", LOOK, str(ROOT / "pyproject.toml"), target]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    probes, modules = (set(line.split()) for line in done.stdout.splitlines())
    return probes, modules


def test_a_loop_is_there_before_anything_that_times_it() -> None:
    """Each run knows the loops of its target, and imports nothing that times them, nor what keeps their history."""
    here, modules = seen("embedded")
    assert "loop.keeps_its_budget[backend-code]" in here
    assert modules == {"pytest_devenv.loop.limits"}
    there, modules = seen("cluster")
    assert there - here == {"loop.keeps_its_budget[migrations]"}
    assert modules == {"pytest_devenv.loop.limits"}
