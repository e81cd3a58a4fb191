"""Loops of a real project, timed by the command and by the packaged check."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.loop.test_observe import served
from tests.integration.targets.remains import processes_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(300)

COMMAND = [sys.executable, "-c", "from pytest_devenv.cli import main; main()"]
LONGEST_S = 200
FILES = ("text.txt", "page.py")
IN_A_CLUSTER = """
[tool.pytest-devenv.services.migration]
kind = "job"
workload = "job/migration"

[tool.pytest-devenv.loops.migrations]
edit = "text.txt"
observe = { service = "migration", config_map = "migrations-page" }
"""
BUDGET = "budget_s = { detect = 60, build = 60, update = 60, total = 60 }"


def begin(page: Shop, *words: str) -> subprocess.Popen[str]:
    """Begin a command in the page's folder."""
    return subprocess.Popen(
        [*COMMAND, *words],
        cwd=page.folder,
        env=page.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def timed(page: Shop, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """Time loops, and return what was found as plain values; every file is as it was afterwards."""
    before = contents(page)
    process = begin(page, "loop", "--json", *words)
    said, error = process.communicate(timeout=LONGEST_S)
    assert process.returncode == code, said + error
    assert contents(page) == before
    assert processes_in(page.state) == []
    found: list[dict[str, Any]] = json.loads(said)["loops"]
    return found


def contents(page: Shop) -> dict[str, bytes]:
    """Return what is in the files that loops edit."""
    return {name: (page.folder / name).read_bytes() for name in FILES}


def pytest_run(page: Shop, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run pytest on the project; return its exit code, its report and its output."""
    process = page.begin(*words)
    output, _ = process.communicate(timeout=LONGEST_S)
    report = page.folder / "report.json"
    return process.returncode, json.loads(report.read_text()) if report.exists() else {}, output


def wait_until_stamped(file: Path) -> None:
    """Wait until a file holds a stamp."""
    end = time.monotonic() + 60
    while b"-devenv-" not in file.read_bytes():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_every_loop_is_timed_and_kept_in_the_history(page: Shop) -> None:
    """A file that is read per request has one stage, code that is reloaded two; the second time knows of the first."""
    text, code = timed(page, "--runs", "3")
    assert (text["loop"], code["loop"]) == ("text", "code")
    assert set(text["stages_s"]) == {"live"}
    assert set(code["stages_s"]) == {"detect", "live"}
    for found in (text, code):
        assert found["verdict"]["state"] == "pass"
        assert len(found["samples"]) == 3
        assert all(each["total_s"] > 0 for each in found["samples"])
        assert found["observer"]["added_s"]["median"] <= found["total_s"]["max"] + found["observer"]["look_s"]
    assert text["observer"]["connections"] == 1
    (again,) = timed(page, "text", "--runs", "1")
    assert again["usual"]["edits"] == 3
    with sqlite3.connect(page.state / "loops" / "history.sqlite3") as connection:
        rows = connection.execute("SELECT loop, way, count(*) FROM sample GROUP BY 1, 2 ORDER BY 1").fetchall()
    connection.close()
    assert rows == [("code", "embedded/reload", 3), ("text", "embedded/reload", 4)]


def test_loop_over_its_budget_exits_1(page: Shop) -> None:
    """A budget that no edit can keep is a failure with its remedy, for people too."""
    page.edit(BUDGET, "budget_s = { total = 0.0001 }")
    before = contents(page)
    process = begin(page, "loop", "text", "--runs", "1")
    said, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 1
    assert "an edit of text.txt does not become live" in said or "over budget: total" in said
    assert "give services.page.reload the words with which it starts again on an edit, in pyproject.toml" in said
    assert contents(page) == before


def test_edit_that_does_not_become_live_is_put_back(page: Shop) -> None:
    """Without its reload a service goes on with the code it has: said after three times the budget, file put back."""
    page.edit('reload = ["--reload"]', "")
    page.edit(BUDGET, "budget_s = { total = 0.5 }")
    (code,) = timed(page, "code", "--runs", "1", code=1)
    assert code["verdict"]["summary"] == "an edit of page.py does not become live"
    assert code["verdict"]["found"].startswith("not there after 1.")
    assert code["verdict"]["remedy"].startswith("give services.page.reload the words")


def test_service_that_closes_its_connections_is_told(page: Shop) -> None:
    """Times that hold a new connection for each look say so."""
    page.edit('"page.py", "{port}"', '"page.py", "{port}", "--closes"')
    (text,) = timed(page, "text", "--runs", "1")
    assert text["notes"] == ["page closes the connection with each answer, which the times hold too"]


def test_loops_are_checks_with_the_mark_loop(page: Shop) -> None:
    """`pytest -m loop` times every loop, and puts every file back."""
    before = contents(page)
    code, report, output = pytest_run(page, "-m", "loop")
    assert code == 0, output
    assert [check["probe"] for check in report["checks"]] == [
        "loop.keeps_its_budget[text]",
        "loop.keeps_its_budget[code]",
    ]
    assert all(check["verdict"]["facts"]["edits"] == 3 for check in report["checks"])
    assert contents(page) == before


def test_loop_that_only_a_cluster_shows_is_left_out(page: Shop) -> None:
    """Elsewhere the others are timed without it, and who asks for it alone is told why."""
    with (page.folder / "pyproject.toml").open("a") as file:
        file.write(IN_A_CLUSTER)
    found = timed(page, "--runs", "1")
    assert [each["loop"] for each in found] == ["text", "code"]
    process = begin(page, "loop", "migrations")
    _, said = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 1
    assert "expected a cluster, where migrations-page shows the edits of migrations, found the target embedded" in said
    assert "export PYTEST_DEVENV_TARGET=cluster" in said
    code, report, output = pytest_run(page, "-m", "loop")
    assert code == 0, output
    assert len(report["checks"]) == 2


def test_no_file_is_edited_unless_loops_are_asked_for(page: Shop) -> None:
    """Checks that join a run without its naming loops edit nothing; one that is named by its id is timed."""
    code, report, output = pytest_run(page, "--devenv")
    assert code == 0, output
    assert [check["probe"] for check in report["checks"]] == ["http.answers[page]"]
    code, report, output = pytest_run(page, "devenv/loop.py::test_edit_is_live_within_its_budget[text]")
    assert code == 0, output
    assert [check["probe"] for check in report["checks"]] == ["loop.keeps_its_budget[text]"]


def test_loop_of_a_service_that_is_not_well_is_blocked(page: Shop) -> None:
    """Nothing is edited where nothing could be seen, and the service is the one root."""
    page.edit("do_GET", "do_NOTHING", file="page.py")
    code, report, output = pytest_run(page, "-m", "health or loop")
    assert code == 1, output
    assert [root["probe"] for root in report["roots"]] == ["http.answers[page]"]
    assert {check["verdict"]["state"] for check in report["checks"]} == {"fail", "blocked"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_puts_the_file_back(page: Shop, number: signal.Signals) -> None:
    """Ctrl-C and CI's SIGTERM end a run with every file as it was, and nothing running."""
    before = contents(page)
    process = begin(page, "loop", "text", "--runs", "100")
    wait_until_stamped(page.folder / "text.txt")
    process.send_signal(number)
    process.communicate(timeout=LONGEST_S)
    assert process.returncode != 0
    assert contents(page) == before
    assert processes_in(page.state) == []


def test_next_run_puts_back_what_a_killed_one_left(page: Shop) -> None:
    """After SIGKILL the next run, be it one that only looks, puts the file back and says so."""
    before = contents(page)
    process = begin(page, "loop", "text", "--runs", "100")
    wait_until_stamped(page.folder / "text.txt")
    process.kill()
    process.communicate()
    assert contents(page) != before
    code, report, output = pytest_run(page, "-m", "health")
    assert code == 0, output
    assert contents(page) == before
    assert [check["probe"] for check in report["checks"]] == ["http.answers[page]"]
    assert report["notes"] == [f"{page.folder / 'text.txt'} was put back: a run that edited it had been killed"]


def test_nothing_is_edited_for_production(page: Shop) -> None:
    """Where the environment is not for development, its loops are off and the command refuses."""
    with served() as site:
        production = page.given_too(
            PYTEST_DEVENV_ENVIRONMENT="production",
            PYTEST_DEVENV_TARGET="addresses",
            PYTEST_DEVENV_PAGE_URL=f"http://{site.endpoint.address}",
        )
        before = contents(page)
        _, report, output = pytest_run(production, "-m", "loop")
        assert {check["verdict"]["state"] for check in report["checks"]} == {"off"}, output
        process = begin(production, "loop", "text")
        _, error = process.communicate(timeout=LONGEST_S)
        assert process.returncode == 1
        assert "expected environment development or test, found production" in error
        assert contents(page) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("txt",), "expected the name of a loop (text, code), found txt"),
        (("--runs", "0"), "0 is not in the range 1<=x<=100"),
    ],
)
def test_wrong_call_is_a_usage_error(page: Shop, words: tuple[str, ...], said: str) -> None:
    """What cannot be timed is said before anything is started."""
    process = begin(page, "loop", *words)
    _, error = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 2
    assert said in error


def test_job_is_not_run_where_there_is_no_cluster(page: Shop) -> None:
    """`env job` says which target it found, and how to name another."""
    process = begin(page, "env", "job", "database-seed")
    _, error = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 1
    assert "expected an environment in a cluster, found the target embedded" in error
    assert "remedy: PYTEST_DEVENV_TARGET=cluster" in error
