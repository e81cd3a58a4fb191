"""What a project adds by hooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "extending.md"
PROBES = """
from pytest_devenv.probes.probe import Probe
from pytest_devenv.verdict import failed, off, passed, unknown

VERDICTS = {{
    "good": passed("all is well"),
    "bad": failed("the cache is cold", expected="entries", found="none", where="here", remedy="warm it"),
    "dark": unknown("no right to look", remedy="grant it"),
    "none": off("not configured"),
}}

def look(environment):
    return VERDICTS["{verdict}"]

def fast(environment):
    return VERDICTS["good"]

def pytest_devenv_probes(settings):
    return [
        Probe(name="cache.is_warm", subject="cache", look=look),
        Probe(name="cache.is_fast", subject="cache", look=fast, requires=("cache.is_warm[cache]",)),
    ]
"""


def test_probe_of_a_project_is_asserted(healthy: Project) -> None:
    """A probe that a hook adds has a check, and stands in the report."""
    (healthy.path / "conftest.py").write_text(PROBES.format(verdict="good"))
    result = healthy.run("-m", "health", "-v")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["devenv/project.py::test_project_probe?cache.is_warm-cache? PASSED*"])


def test_failing_probe_of_a_project_blocks_what_requires_it(healthy: Project) -> None:
    """It fails with its remedy, and what requires it is skipped, naming it."""
    (healthy.path / "conftest.py").write_text(PROBES.format(verdict="bad"))
    result = healthy.run("-m", "health")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*1 root failure blocks 1 check*"])
    result.stdout.fnmatch_lines_random(["*expected *entries*", "*found *none*", "*warm it*"])
    result.assert_outcomes(failed=1, skipped=1, passed=result.parseoutcomes()["passed"])


def test_probe_that_cannot_look_is_an_error(healthy: Project) -> None:
    """Could not look is neither a failure nor a pass: pytest reports an error."""
    (healthy.path / "conftest.py").write_text(PROBES.format(verdict="dark"))
    outcomes = healthy.run("-m", "health").parseoutcomes()
    assert (outcomes.get("errors"), outcomes.get("failed"), outcomes.get("skipped")) == (1, None, 1)


def test_probe_that_is_off_is_skipped_with_its_reason(healthy: Project) -> None:
    """What is not configured is a skip, and lets through what requires it."""
    (healthy.path / "conftest.py").write_text(PROBES.format(verdict="none"))
    result = healthy.run("-m", "health", "-rs")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["SKIPPED*not configured*"])


def test_blocked_check_alone_fails_with_the_roots_evidence(healthy: Project) -> None:
    """Where the root is not in the run, what it blocks must not look better than it is."""
    (healthy.path / "conftest.py").write_text(PROBES.format(verdict="bad"))
    result = healthy.run("devenv/project.py::test_project_probe[cache.is_fast-cache]")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines_random(["*blocked*cache.is_warm*", "*warm it*"])


def test_run_in_which_nothing_passed_is_no_success(healthy: Project) -> None:
    """A run whose every check was skipped verified nothing, and exits non-zero."""
    (healthy.path / "conftest.py").write_text(PROBES.format(verdict="none"))
    result = healthy.run("devenv/project.py::test_project_probe[cache.is_warm-cache]")
    result.assert_outcomes(skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*nothing could be verified*"])


def test_rerun_of_a_check_looks_again(healthy: Project) -> None:
    """A plugin that reruns a failed check gets a fresh look, not the verdict of before."""
    (healthy.path / "conftest.py").write_text(
        """
import pytest
from _pytest.runner import runtestprotocol
from pytest_devenv.probes.probe import Probe
from pytest_devenv.verdict import failed, passed

looks = []

def look(environment):
    looks.append(1)
    if len(looks) == 1:
        return failed("not yet", expected="1", found="0", where="here", remedy="wait")
    return passed("now")

def pytest_devenv_probes(settings):
    return [Probe(name="late.comes", subject="late", look=look)]

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    if "late" not in item.nodeid:
        return None
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
    )
    healthy.run("devenv/project.py::test_project_probe[late.comes-late]").assert_outcomes(passed=1)


def test_service_of_a_hook_is_looked_at(healthy: Project) -> None:
    """A service that a hook adds has the probes of its kind."""
    (healthy.path / "conftest.py").write_text(
        """
from pytest_devenv.settings import Service, ServiceKind

def pytest_devenv_services(settings):
    return [Service(name="found", kind=ServiceKind.HTTP, url="http://127.0.0.1:9")]
"""
    )
    result = healthy.run("-m", "health", "-v")
    result.stdout.fnmatch_lines(["devenv/health.py::test_service_answers?found? FAILED*"])


def test_service_of_a_hook_needs_a_new_name(healthy: Project) -> None:
    """A hook cannot replace a service of the settings."""
    (healthy.path / "conftest.py").write_text(
        """
from pytest_devenv.settings import Service, ServiceKind

def pytest_devenv_services(settings):
    return [Service(name="db", kind=ServiceKind.HTTP)]
"""
    )
    result = healthy.run("-m", "health")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*a hook adds the service db: expected a new name*"])


def test_probe_of_a_hook_needs_a_new_id(healthy: Project) -> None:
    """A hook cannot replace a packaged probe, and so hide what it would find."""
    (healthy.path / "conftest.py").write_text(PROBES.format(verdict="good").replace("cache.is_warm", "redis.answers"))
    result = healthy.run("-m", "health")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*a hook adds the probe redis.answers?cache?: expected a new id*"])


def test_section_of_a_hook_follows_the_report(healthy: Project) -> None:
    """What a project has to say stands below the report."""
    (healthy.path / "conftest.py").write_text(
        'def pytest_devenv_report_sections(run):\n    return [("weather", f"{len(run.entries)} checks in the sun")]\n'
    )
    result = healthy.run("-m", "health")
    result.stdout.fnmatch_lines(["*shop is healthy*", "*= weather =*", "*checks in the sun"])


def test_documented_example_works(healthy: Project) -> None:
    """The probe that docs/extending.md shows is collected as it says."""
    example = DOCUMENTATION.read_text().split("```python\n", 1)[1].split("```", 1)[0]
    (healthy.path / "conftest.py").write_text(example)
    healthy.configure("[tool.pytest-devenv.services.backend]\nkind = 'http'\nurl = 'http://127.0.0.1:9'\n")
    result = healthy.run("-m", "health", "-rs", "-v")
    result.stdout.fnmatch_lines(
        [
            "devenv/health.py::test_service_answers?backend? FAILED*",
            "devenv/project.py::test_project_probe?cache.is_warm-backend? SKIPPED*",
            "SKIPPED*blocked by http.answers?backend?",
        ]
    )


def test_documented_example_does_without_the_plugin(healthy: Project) -> None:
    """A conftest with our hooks stands in nobody's way who turns the plugin off."""
    example = DOCUMENTATION.read_text().split("```python\n", 1)[1].split("```", 1)[0]
    (healthy.path / "conftest.py").write_text(example)
    (healthy.path / "test_own.py").write_text("def test_own(): pass\n")
    healthy.run("-p", "no:devenv").assert_outcomes(passed=1)
