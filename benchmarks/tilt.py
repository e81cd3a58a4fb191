"""How long an edit of the reference environment takes under Tilt until it is live; needs the Tilt that runs it.

`tilt up` first; then `PYTEST_DEVENV_TARGET=cluster python -m benchmarks tilt`, with the namespace where it is another.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import Row
from pytest_devenv.clients.tilt.client import running
from pytest_devenv.clients.tilt.program import NoTiltError

ROOT = Path(__file__).parents[1]
RUNS = 15
BOUNDS_S = {"backend-data": 0.4, "backend-code": 1.2}
_LONGEST_S = 900


def rows() -> list[Row]:
    """Return the medians of each loop and of its stages."""
    try:
        running(ROOT)
    except NoTiltError as error:
        return [Row("an edit under Tilt", float("nan"), "", note=error.message)]
    command = [str(Path(sys.executable).with_name("pytest-devenv")), "loop", "--runs", str(RUNS), "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=_LONGEST_S)
    found: list[Row] = []
    for loop in json.loads(done.stdout)["loops"]:
        name = loop["loop"]
        found.append(Row(f"{name}: edit to live", loop["total_s"]["median"], "s", BOUNDS_S.get(name)))
        found += [Row(f"{name}: {stage}", each["median"], "s") for stage, each in loop["stages_s"].items()]
        found.append(Row(f"{name}: looking added at most", 1000 * loop["observer"]["added_s"]["median"], "ms"))
    return found
