"""Runs that share a suite: together they run every test once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.errors import ConfigError
from pytest_devenv.plugin.sharding import Shard, shard_of
from pytest_devenv.report.shards import merge

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

TESTS = "import pytest\n\n@pytest.mark.parametrize('number', range(20))\ndef test_number(number): pass\n"
IDS = [f"test_numbers.py::test_number[{number}]" for number in range(20)]


def test_the_parts_are_the_whole() -> None:
    """Every id is in exactly one part, and which one does not depend on the others."""
    for each in IDS:
        assert sum(Shard(index, 3).holds(each) for index in (1, 2, 3)) == 1
    assert {Shard(1, 3).holds(IDS[7]) for _ in range(3)} == {Shard(1, 3).holds(IDS[7])}
    assert [each for each in IDS if Shard(1, 1).holds(each)] == IDS


def test_a_pod_of_an_indexed_job_knows_its_part() -> None:
    """The completion index counts from 0, parts from 1; a part that is named does not ask for it."""
    assert shard_of("4", "--devenv-shard", {"JOB_COMPLETION_INDEX": "0"}) == Shard(1, 4)
    assert shard_of("4", "--devenv-shard", {"JOB_COMPLETION_INDEX": "3"}) == Shard(4, 4)
    assert shard_of("2/4", "--devenv-shard", {"JOB_COMPLETION_INDEX": "3"}) == Shard(2, 4)


@pytest.mark.parametrize("environ", [{}, {"JOB_COMPLETION_INDEX": "4"}, {"JOB_COMPLETION_INDEX": ""}])
def test_a_number_of_parts_alone_is_refused_elsewhere(environ: dict[str, str]) -> None:
    """Without an index, or with one that is too high, nobody knows which part is meant."""
    with pytest.raises(ConfigError, match="expected: JOB_COMPLETION_INDEX from 0 to 3") as refused:
        shard_of("4", "--devenv-shard", environ)
    assert refused.value.remedy is not None
    assert "--devenv-shard=1/4" in refused.value.remedy


def test_runs_share_the_tests_of_any_project(pytester: pytest.Pytester) -> None:
    """Also without a table: three runs together pass all 20 tests, and each says which part it is."""
    pytester.makepyfile(test_numbers=TESTS)
    passed = 0
    for index in (1, 2, 3):
        result = pytester.runpytest_subprocess(f"--devenv-shard={index}/3", timeout=180)
        result.stdout.fnmatch_lines([f"devenv: part {index} of 3 of the tests"])
        passed += result.parseoutcomes().get("passed", 0)
    assert passed == 20


def test_workers_run_the_part_and_no_more(pytester: pytest.Pytester) -> None:
    """Under xdist the workers of a run share its part."""
    pytester.makepyfile(test_numbers=TESTS)
    result = pytester.runpytest_subprocess("--devenv-shard=1/2", "-n2", timeout=180)
    result.assert_outcomes(passed=sum(Shard(1, 2).holds(each) for each in IDS))


def test_reports_of_the_parts_make_the_report_of_all(healthy: Project) -> None:
    """The packaged checks are shared as other tests are; merged, every check is there once, and all is healthy."""
    whole = healthy.report()
    parts: list[dict[str, Any]] = []
    for index in (1, 2):
        file = healthy.path / f"part-{index}.json"
        healthy.run("-m", "health", f"--devenv-shard={index}/2", f"--devenv-report={file}")
        parts.append(json.loads(file.read_text()))
    merged = merge(parts)
    assert sum(len(part["checks"]) for part in parts) == len(whole["checks"])
    assert {check["nodeid"] for check in merged["checks"]} == {check["nodeid"] for check in whole["checks"]}
    assert (merged["state"], merged["exit_code"]) == ("pass", 0)


def test_a_part_that_cannot_be_is_refused(pytester: pytest.Pytester) -> None:
    """The fifth of four parts ends the run before any test."""
    pytester.makepyfile(test_numbers=TESTS)
    result = pytester.runpytest_subprocess("--devenv-shard=5/4", timeout=180)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--devenv-shard*", "*expected: I/N, the Ith of N parts*"])
