"""The fixture `keeps_budget`: measured, judged by the median, and noted in the report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

LIMITS = """
[tool.pytest-devenv.budgets]
waiting = { limit = "20s", rounds = 3 }
memory = { limit = "1MiB" }
"""
WAITS = """
import pytest

@pytest.mark.perf
def test_waits(keeps_budget):
    keeps_budget("waiting", lambda: None)
"""


def given(*values: float) -> str:
    """Return a check that measures these values, one after another."""
    return f"""
import pytest

@pytest.mark.perf
def test_memory(keeps_budget):
    values = iter({list(values)})
    keeps_budget("memory", lambda: next(values))
"""


def measured(project: Project, check: str, *words: str) -> dict[str, Any]:
    """Run a project's check and return what stands in the report."""
    project.configure(LIMITS)
    project.pytester.makepyfile(test_speed=check)
    project.run("-m", "perf", "--devenv-report=report.json", *words)
    report: dict[str, Any] = json.loads((project.path / "report.json").read_text())
    return report


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["alone", "workers"])
def test_what_keeps_its_budget_stands_in_the_report(project: Project, words: tuple[str, ...]) -> None:
    """The check of the project is one of the report's, with its median, range, limit and rounds."""
    report = measured(project, WAITS, *words)
    (check,) = report["checks"]
    assert (check["nodeid"], check["probe"], check["mark"]) == (
        "test_speed.py::test_waits",
        "budget.is_kept[waiting]",
        "perf",
    )
    facts = check["verdict"]["facts"]
    assert (facts["limit"], facts["unit"], facts["rounds"]) == (20.0, "s", 3)
    assert 0 < facts["lowest"] <= facts["median"] <= facts["highest"]
    assert report["state"] == "pass"


def test_what_is_over_its_budget_fails_with_all_that_is_known(project: Project) -> None:
    """The failure says what was allowed, what was measured, where, and which setting allows it."""
    report = measured(project, given(0, *[2.0**21] * 5))
    verdict = report["checks"][0]["verdict"]
    assert verdict["state"] == "fail"
    assert verdict["summary"] == "memory is over its budget: 2 MiB instead of 1 MiB"
    assert verdict["expected"] == "a median of at most 1 MiB for 5 rounds"
    assert verdict["found"] == "a median of 2 MiB, from 2 MiB to 2 MiB"
    assert verdict["where"] == "test_speed.py::test_memory"
    assert verdict["remedy"].startswith("pytest test_speed.py::test_memory  # ")
    assert "budgets.memory.limit (pyproject.toml:" in verdict["remedy"]
    assert report["roots"][0]["probe"] == "budget.is_kept[memory]"
    assert report["exit_code"] == 1


def test_the_median_decides_and_the_first_round_does_not_count(project: Project) -> None:
    """Two slow rounds of five, and a first one that is slow, are no failure."""
    report = measured(project, given(2.0**30, 2.0**21, 1, 2, 3, 2.0**21))
    assert report["state"] == "pass"
    assert report["checks"][0]["verdict"]["facts"]["median"] == 3


def test_a_failure_of_its_own_is_told_as_any_other(project: Project) -> None:
    """A check that measures well and then fails is shown by pytest, and not as well in the report."""
    project.configure(LIMITS)
    project.pytester.makepyfile(test_speed=WAITS + "    assert 'the answer' == 'another'\n")
    result = project.run("-m", "perf", "--devenv-report=report.json")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: assert 'the answer' == 'another'"])
    assert json.loads((project.path / "report.json").read_text())["checks"] == []


def test_a_budget_fails_in_an_ordinary_run_too(project: Project) -> None:
    """Without the packaged checks the failure is pytest's own, with the same words."""
    project.configure(LIMITS)
    project.pytester.makepyfile(test_speed=given(*[2.0**21] * 6))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*memory is over its budget: 2 MiB instead of 1 MiB*"])


def test_a_budget_that_is_not_set_names_those_that_are(project: Project) -> None:
    """A mistyped name is corrected."""
    project.configure(LIMITS)
    project.pytester.makepyfile(test_speed=WAITS.replace('"waiting"', '"waitin"'))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*expected the name of a budget, found 'waitin'; there are: waiting, memory; *", "*did you mean waiting?*"]
    )


def test_a_second_budget_in_one_check_is_refused(project: Project) -> None:
    """A check has one budget, so that its verdict is about one thing."""
    project.configure(LIMITS)
    project.pytester.makepyfile(test_speed=WAITS + '    keeps_budget("memory", lambda: 1)\n')
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*expected one budget for a check, found memory after waiting*"])
