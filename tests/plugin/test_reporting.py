"""What a run tells: in its header, at its end, as JSON, to JUnit; and what it never tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project


def test_header_says_which_target_and_why(healthy: Project) -> None:
    """Before any look, the run says which environment it looks at, where that is and why."""
    result = healthy.run("-m", "health", "--devenv-target=addresses")
    result.stdout.fnmatch_lines(["devenv: shop (development), target addresses: set by --devenv-target"])


def test_header_lists_every_endpoint(healthy: Project) -> None:
    """Where each service is reached is said before the checks run."""
    result = healthy.run("-m", "health")
    result.stdout.fnmatch_lines(
        [
            "devenv: shop *",
            f"  db     {healthy.database.endpoint.address}*",
            f"  cache  {healthy.redis.address}*",
            "devenv/health.py *",
        ]
    )


def test_failure_is_told_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report tells a failure with its remedy; pytest's own section does not tell it again."""
    monkeypatch.setenv("COLUMNS", "240")
    result = project.run("-m", "health")
    result.stdout.no_fnmatch_line("*= FAILURES =*")
    assert result.stdout.str().count("  expected ") == 1
    result.stdout.fnmatch_lines(
        ["*Next steps*", "*pytest-devenv db migrate --database *", "FAILED devenv/health.py::*applied?* - *remedy: *"]
    )


def test_failure_of_an_own_test_is_told_by_pytest(healthy: Project) -> None:
    """The project's own failures keep their section."""
    (healthy.path / "test_own.py").write_text("def test_it(): assert 1 == 2\n")
    result = healthy.run("--devenv")
    result.stdout.fnmatch_lines(["*= FAILURES =*", "*assert 1 == 2*", "*shop is healthy*"])


def test_quiet_run_says_the_last_line(healthy: Project) -> None:
    """With `-q` a healthy run says that it is, and little else."""
    result = healthy.run("-m", "health", "-q")
    result.stdout.fnmatch_lines(["shop is healthy: * checks in * s"])
    result.stdout.no_fnmatch_line("*PostgreSQL*")


def test_report_without_colours_has_no_control_codes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the output is no terminal, or NO_COLOR is set, the report is plain text."""
    assert "\x1b[" not in project.run("-m", "health").stdout.str()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in project.run("-m", "health").stdout.str()


def test_report_has_colours_when_asked(project: Project) -> None:
    """`--color=yes` colours the report as it colours pytest's own lines."""
    assert "\x1b[31m✘" in project.run("-m", "health", "--color=yes").stdout.str()


@pytest.mark.parametrize("source", ["command line", "environment", "ini"])
def test_ascii_option_is_heard_from_every_source(
    project: Project, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """Symbols have words in their place when the command line, the environment or the ini file says so."""
    words = []
    match source:
        case "command line":
            words = ["--devenv-ascii=always"]
        case "environment":
            monkeypatch.setenv("PYTEST_DEVENV_ASCII", "always")
        case _:
            words = ["-o", "devenv_ascii=always"]
    result = project.run("-m", "health", *words)
    result.stdout.fnmatch_lines(["FAIL * db *"])
    assert result.stdout.str().isascii()


def test_wrong_option_names_its_source(healthy: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that is not allowed is a usage error that says where it came from."""
    monkeypatch.setenv("PYTEST_DEVENV_TARGET", "embeded")
    result = healthy.run("-m", "health")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*PYTEST_DEVENV_TARGET*", "*did you mean embedded?*"])


def test_json_report_says_the_same(project: Project) -> None:
    """The JSON report has every check with its verdict, the one root and the next step."""
    report = project.report()
    assert report["state"] == "fail"
    assert report["exit_code"] == 1
    assert [root["probe"] for root in report["roots"]] == [f"migrations.all_applied[{project.database.database}]"]
    assert report["next_steps"][0]["remedy"].startswith("pytest-devenv db migrate --database")


def test_json_report_of_several_workers_is_whole(healthy: Project) -> None:
    """Under xdist the report has each check once, and what the workers found of the environment."""
    alone, shared = healthy.report(), healthy.report("-n", "2")
    assert sorted(check["nodeid"] for check in shared["checks"]) == sorted(check["nodeid"] for check in alone["checks"])
    assert shared["services"] == alone["services"]
    assert shared["looks"]["sum_s"] > 0


def test_report_that_cannot_be_written_is_a_usage_error(healthy: Project) -> None:
    """A path that cannot be written to is said in one message."""
    result = healthy.run("-m", "health", "--devenv-report=pyproject.toml/report.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in result.stderr.str() + result.stdout.str()
    result.stderr.fnmatch_lines(["*pyproject.toml/report.json*"])


def test_report_of_a_run_that_no_check_joins_is_a_usage_error(healthy: Project) -> None:
    """A report that nothing would be written to is not ignored without a word."""
    result = healthy.run("--devenv-report=report.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--devenv-report: expected a run that the packaged checks join*", "*add -m health*"])


def test_junit_carries_verdict_and_remedy(project: Project) -> None:
    """Each test case has its verdict as a property, and a failing one its remedy."""
    project.run("-m", "health", "--junitxml=junit.xml")
    cases = ET.parse(project.path / "junit.xml").iter("testcase")  # noqa: S314  # our own file
    found = {
        str(case.get("name")): {each.get("name"): each.get("value") for each in case.iter("property")} for case in cases
    }
    assert found["test_service_answers[db]"]["devenv_verdict"] == "pass"
    failing = found[f"test_every_pending_migration_is_applied[{project.database.database}]"]
    assert failing["devenv_verdict"] == "fail"
    assert str(failing["devenv_remedy"]).startswith("pytest-devenv db migrate")


SECRETS = """
def test_leaks(database, redis, devenv, capsys):
    url = database.url
    password = devenv.endpoints["cache"].password.reveal()
    print("the database is at", url, "and redis wants", password)
    assert url == password, f"{url} {password}"
"""


@pytest.mark.parametrize("words", [(), ("-vv", "--showlocals", "--tb=long"), ("-n", "2", "-vv", "--showlocals")])
def test_no_password_in_any_output(healthy: Project, words: tuple[str, ...]) -> None:
    """Whatever a test prints, raises or holds, no password of the environment stands in any output."""
    (healthy.path / "test_leaks.py").write_text(SECRETS)
    result = healthy.run("--devenv", "--junitxml=junit.xml", "--devenv-report=report.json", *words)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    shown = result.stdout.str() + result.stderr.str()
    files = (healthy.path / "junit.xml").read_text() + (healthy.path / "report.json").read_text()
    assert json.loads((healthy.path / "report.json").read_text())["state"] == "pass"
    for endpoint in (healthy.database.endpoint, healthy.redis):
        assert endpoint.password is not None
        assert endpoint.password.reveal() not in shown
        assert endpoint.password.reveal() not in files
