"""What a run that has nothing to do with us must not import."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.plugin.conftest import Project

HEAVY = ("psycopg", "redis", "requests", "kubernetes", "rich", "yaml", "click")
SPY = """
import json, sys

def pytest_unconfigure():
    names = sorted({name.split(".")[0] for name in sys.modules})
    ours = sorted(name for name in sys.modules if name.startswith("pytest_devenv"))
    with open("modules.json", "w") as file:
        json.dump({"names": names, "ours": ours}, file)
"""


def imported(pytester: pytest.Pytester) -> dict[str, list[str]]:
    """Run pytest on one empty test and return what was imported."""
    pytester.makeconftest(SPY)
    pytester.makepyfile("def test_empty(): pass\n")
    pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:anyio").assert_outcomes(passed=1)
    found: dict[str, list[str]] = json.loads((pytester.path / "modules.json").read_text())
    return found


def test_ordinary_project_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    """Where no table configures an environment, the plugin imports no client and no report."""
    found = imported(pytester)
    assert not set(HEAVY) & set(found["names"])
    assert found["ours"] == [
        "pytest_devenv",
        "pytest_devenv.errors",
        "pytest_devenv.fixtures",
        "pytest_devenv.hookspecs",
        "pytest_devenv.options",
        "pytest_devenv.plugin",
        "pytest_devenv.settings",
        "pytest_devenv.settings.locate",
    ]


def test_configured_project_imports_nothing_heavy_either(project: Project) -> None:
    """A table alone costs an ordinary run no client."""
    found = imported(project.pytester)
    assert not set(HEAVY) & set(found["names"])
