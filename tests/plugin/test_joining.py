"""When the packaged checks join a run, and when a project's runs stay as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.plugin.joining import is_named, selects_marked_only

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

ORDINARY = "def test_ordinary(): pass\n"


@pytest.mark.parametrize(
    "expression",
    ["health", "health or schema", "not (not ports)", "e2e and health", "health and not e2e", " perf "],
)
def test_expression_that_wants_marked_tests_lets_them_join(expression: str) -> None:
    """An expression that is false for a test without marks asks for marked ones."""
    assert selects_marked_only(expression)


@pytest.mark.parametrize(
    "expression", ["", "  ", "not e2e", "not health", "not health and not e2e", "health or not e2e", "(("]
)
def test_expression_that_keeps_ordinary_tests_does_not(expression: str) -> None:
    """An expression that is true for a test without marks, or that cannot be read, changes nothing."""
    assert not selects_marked_only(expression)


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("devenv/health.py", True),
        ("devenv/health.py::test_a", True),
        ("devenv/health.py::test_a[db]", True),
        ("devenv/health.py::test_a[cache]", False),
        ("devenv/schema.py", False),
        ("devenv/health.py::test_", False),
    ],
)
def test_argument_names_a_module_a_function_or_one_check(argument: str, *, named: bool) -> None:
    """A packaged check is named as a test in a file is."""
    assert is_named("devenv/health.py::test_a[db]", (argument,)) is named


def test_health_joins_without_any_test_file(healthy: Project) -> None:
    """`pytest -m health` runs the packaged checks of a project that has no test at all."""
    result = healthy.run("-m", "health")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*shop is healthy: * checks in *"])


def test_a_table_without_a_service_says_why_nothing_runs(pytester: pytest.Pytester) -> None:
    """Where there is nothing to look at, the header says so, and the run is none that passed."""
    (pytester.path / "pytest-devenv.toml").write_text('name = "shop"\ntarget = "addresses"\n')
    result = pytester.runpytest_subprocess("-m", "health")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["  nothing to look at: pytest-devenv.toml describes no service*"])


def test_ordinary_run_stays_as_it_was(healthy: Project) -> None:
    """A run without `-m` collects the project's own tests alone, and opens nothing."""
    (healthy.path / "test_own.py").write_text(ORDINARY)
    result = healthy.run("-v")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*devenv:*")
    result.stdout.no_fnmatch_line("*shop is*")


def test_expression_without_marked_tests_stays_as_it_was(healthy: Project) -> None:
    """`-m 'not e2e'` selects ordinary tests, so no check joins."""
    (healthy.path / "test_own.py").write_text(ORDINARY)
    healthy.run("-m", "not e2e").assert_outcomes(passed=1)


def test_devenv_option_lets_the_checks_join_ordinary_tests(healthy: Project) -> None:
    """`--devenv` adds the packaged checks to a run without `-m`."""
    (healthy.path / "test_own.py").write_text(ORDINARY)
    result = healthy.run("--devenv", "-v")
    result.stdout.fnmatch_lines(
        ["devenv/health.py::test_service_answers?db? PASSED*", "test_own.py::test_ordinary PASSED*"]
    )


def test_check_runs_by_its_id(healthy: Project) -> None:
    """The id that `-v` prints is one that pytest takes."""
    result = healthy.run("devenv/health.py::test_service_answers[db]", "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["devenv/health.py::test_service_answers?db? PASSED*"])


def test_check_runs_by_its_id_beside_a_test_of_the_project(healthy: Project) -> None:
    """Ids of checks and of the project's tests may stand in one command line."""
    (healthy.path / "test_own.py").write_text(ORDINARY)
    healthy.run("devenv/health.py::test_service_answers[db]", "test_own.py").assert_outcomes(passed=2)


def test_broken_import_does_not_keep_the_checks_from_running(healthy: Project) -> None:
    """A test file that cannot be imported is reported, and the environment is looked at all the same."""
    (healthy.path / "test_broken.py").write_text("import nothing_of_this_name\n")
    result = healthy.run("-m", "health")
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*ModuleNotFoundError*", "*shop is healthy*"])


def test_blocked_plugin_registers_nothing(healthy: Project) -> None:
    """`-p no:devenv` turns the plugin off: its marks are unknown and no check joins."""
    result = healthy.run("-p", "no:devenv", "-m", "health")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.no_fnmatch_line("*shop is*")


def test_collecting_opens_nothing(project: Project) -> None:
    """`--collect-only` lists the checks and does not look at the environment."""
    result = project.run("-m", "health", "--collect-only", "-q")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["devenv/health.py::test_service_answers?db?", "devenv/health.py::test_service_answers?cache?"]
    )
    result.stdout.no_fnmatch_line("*PostgreSQL*")


def test_last_failed_runs_the_root_alone(project: Project) -> None:
    """`--lf` selects the check that failed, and not those that it blocked."""
    run = project.pytester.runpytest_subprocess
    first = run("-m", "health", timeout=180).parseoutcomes()
    assert first["failed"] == 1
    again = run("-m", "health", "--lf", "-v", timeout=180)
    again.assert_outcomes(failed=1, deselected=sum(first.values()) - 1)
    again.stdout.fnmatch_lines(["devenv/health.py::test_every_pending_migration_is_applied?*? FAILED*"])


def test_last_failed_keeps_a_failed_check_beside_a_failed_test(project: Project) -> None:
    """`--lf` runs the check that failed also when a test of the project had failed with it."""
    own = project.path / "test_own.py"
    own.write_text("import pytest\n\n@pytest.mark.health\ndef test_own(): assert False\n")
    run = project.pytester.runpytest_subprocess
    run("-m", "health", timeout=180)
    own.write_text(own.read_text().replace("assert False", "pass"))
    again = run("-m", "health", "--lf", "-v", timeout=180)
    assert again.ret == pytest.ExitCode.TESTS_FAILED
    again.stdout.fnmatch_lines(["devenv/health.py::test_every_pending_migration_is_applied?*? FAILED*"])
    again.stdout.fnmatch_lines(["test_own.py::test_own PASSED*"])


def test_only_what_runs_is_counted(healthy: Project) -> None:
    """A check without a subject is no test: what is selected is what runs."""
    result = healthy.run("-m", "health or schema or ports")
    outcomes = result.parseoutcomes()
    ran = outcomes["passed"] + outcomes.get("skipped", 0)
    result.stdout.fnmatch_lines([f"collected {ran} items"])


def test_folder_of_the_project_may_be_called_devenv(healthy: Project) -> None:
    """A file of the project is its own, whatever its folder is called."""
    (healthy.path / "devenv").mkdir()
    (healthy.path / "devenv" / "test_own.py").write_text(ORDINARY)
    healthy.run("devenv/test_own.py").assert_outcomes(passed=1)
    (healthy.path / "devenv" / "health.py").write_text(ORDINARY)
    healthy.run("devenv/health.py").assert_outcomes(passed=1)


def test_id_that_no_check_has_is_a_usage_error(healthy: Project) -> None:
    """A mistyped id is said, with the nearest one."""
    result = healthy.run("devenv/health.py::test_service_answer[db]")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*no packaged check is called *", "*did you mean devenv/health.py::test_service_answers?db??"]
    )
    assert healthy.run("devenv/nope.py").ret == pytest.ExitCode.USAGE_ERROR


def test_marks_are_registered(healthy: Project) -> None:
    """`pytest --markers` tells what each mark asks."""
    result = healthy.run("--markers")
    result.stdout.fnmatch_lines(
        [f"@pytest.mark.{name}: *" for name in ("health", "schema", "ports", "loop", "perf", "e2e")]
    )


def test_option_without_a_table_says_how_to_make_one(pytester: pytest.Pytester) -> None:
    """`--devenv` in a project that configures nothing is a usage error with its remedy."""
    result = pytester.runpytest_subprocess("--devenv")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*expected a ?tool.pytest-devenv? table*", "*remedy: pytest-devenv init --write"])


def test_wrong_settings_are_a_usage_error(project: Project) -> None:
    """Every problem of the settings is told in one message, without a traceback."""
    project.configure("[tool.pytest-devenv.services.web]\nkind = 'htpt'\nprt = 80\n")
    result = project.run("-m", "health")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in result.stderr.str()
    result.stderr.fnmatch_lines_random(["*services.web.kind*", "*services.web.prt*"])


def test_wrong_settings_leave_ordinary_runs_alone(project: Project) -> None:
    """A mistake in the table does not keep the project's own tests from running, on workers neither."""
    project.configure("nonsense = 1\n")
    (project.path / "test_own.py").write_text(ORDINARY)
    project.run().assert_outcomes(passed=1)
    project.run("-n", "1").assert_outcomes(passed=1)
