"""The image of the tools holds what the checks import."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.manifests.written import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECKS = sorted((ROOT / "checks").rglob("*.py"))
COPIED = {"app", "checks", "migrations", "pytest_devenv", "seeds"}


def imported(file: Path) -> Iterator[str]:
    """Yield the packages that a module imports when it is imported itself."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("file", CHECKS, ids=lambda file: file.name)
def test_what_a_check_imports_is_installed(file: Path) -> None:
    """A check that cannot be imported would fail every health run in the cluster."""
    words = (sys.executable, ROOT / "k8s" / "tools" / "requirements.py")
    asked = subprocess.check_output([*words, "pyproject.toml", "app/backend/requirements.txt"], cwd=ROOT, text=True)
    installed = {re.split(r"[^A-Za-z0-9._-]", line)[0] for line in asked.split()}
    distributions = importlib.metadata.packages_distributions()
    for name in set(imported(file)) - COPIED - set(sys.stdlib_module_names):
        assert installed & set(distributions[name]), f"{name} is not in k8s/tools/requirements.py"
