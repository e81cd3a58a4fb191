"""What the checks of this environment need, before any of them runs."""

from __future__ import annotations

import subprocess
import sys

from tests.checks.kiro import ROOT

COLLECT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"hypothesis", "jsonschema", "playwright"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import pytest

sys.exit(pytest.main(["checks", "--collect-only", "-q", "-p", "no:hypothesispytest", "-p", "no:cacheprovider"]))
"""


def test_collecting_needs_nothing_that_only_some_checks_use() -> None:
    """`make health` collects them all, and installs neither Hypothesis nor Playwright."""
    done = subprocess.run(
        [sys.executable, "-c", COLLECT], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "checks/test_operations.py::test_operation_succeeds[login]" in done.stdout
