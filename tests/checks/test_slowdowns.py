"""What is made some ten times as slow, or as large, as it is on a quiet machine is over its budget."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from pytest_devenv.clients.processes import listeners
from tests.checks.mutants import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.checks.kiro import Kiro

pytestmark = pytest.mark.timeout(600)

LOAD = "checks/perf/test_load.py::"
USE = "checks/perf/test_use.py::"
MAY_REFUSE = {"pool-stress"}
"""On a busy machine a pool that is slow is too slow for the backend's patience: refusals, which fail the check, too."""

ANSWER = "        pool = self._link.client()\n"
HOLD = "                yield Transaction(connection)\n"


def assert_over(kiro: Kiro, addresses: Mapping[str, str], folder: Path, checks: Mapping[str, str]) -> None:
    """Assert that each of the checks, by its budget, fails since the budget is not kept."""
    checked = kiro.check(addresses, folder / "junit.xml", *checks.values())
    assert not checked.passed | checked.skipped, checked.output
    for budget in set(checks) - MAY_REFUSE:
        assert f"{budget} is over its budget: " in checked.output, checked.output


@pytest.mark.parametrize(
    ("edit", "checks"),
    [
        (
            Edit("backend/database.py", ANSWER, f"        import time\n\n        time.sleep(0.06)\n{ANSWER}"),
            {
                "latency-p50": f"{LOAD}test_endpoints_answer_in_time[latency-p50-0.5]",
                "latency-p95": f"{LOAD}test_endpoints_answer_in_time[latency-p95-0.95]",
            },
        ),
        (
            Edit("backend/database.py", HOLD, f"                __import__('time').sleep(0.4)\n{HOLD}"),
            {"pool-stress": f"{LOAD}test_pool_serves_more_than_it_has_connections"},
        ),
        (
            Edit("backend/database.py", ANSWER, f"        sum(range(1_500_000))\n{ANSWER}"),
            {"cpu-of-an-answer": f"{USE}test_answers_cost_little_cpu"},
        ),
        (
            Edit("backend/passwords.py", "= 19_456, 2, 1", "= 19_456, 20, 1"),
            {
                "registrations": f"{LOAD}test_many_register_at_once",
                "login": f"{LOAD}test_logging_in_is_quick",
            },
        ),
        (
            Edit("backend/routes/blocks.py", '@router.get("/blocks", ', '@router.get("/blocks", status_code=500, '),
            {"error-rate": f"{LOAD}test_few_requests_fail"},
        ),
        (
            Edit("backend/tokens.py", "LIFETIME =", 'BALLAST = b"x" * (600 * 2**20)\nLIFETIME ='),
            {"memory-of-backend": f"{USE}test_memory_is_enough[backend]"},
        ),
    ],
    ids=["latency", "pool", "cpu", "hashing", "errors", "memory"],
)
def test_a_slow_backend_is_over_its_budgets(kiro: Kiro, tmp_path: Path, edit: Edit, checks: dict[str, str]) -> None:
    """Each way of being slow fails the measurements that are about it."""
    with kiro.with_edits("backend", tmp_path, edit) as addresses:
        assert_over(kiro, addresses, tmp_path, checks)


@pytest.mark.chromium
@pytest.mark.usefixtures("chromium")
def test_a_slow_page_is_over_its_budget(kiro: Kiro, tmp_path: Path) -> None:
    """A style sheet that comes late holds up the first paint."""
    send = "            name, content_type = _PAGE[path]\n"
    late = Edit("frontend/__main__.py", send, f"            __import__('time').sleep(path == '/style.css')\n{send}")
    with kiro.with_edits("frontend", tmp_path, late) as addresses:
        assert_over(kiro, addresses, tmp_path, {"first-paint": "checks/page/test_rendering.py"})


def test_queries_over_many_more_rows_are_over_their_budget(kiro: Kiro, tmp_path: Path) -> None:
    """The configured queries take longer where the tables are larger."""
    with many_more_users(kiro):
        assert_over(kiro, kiro.addresses, tmp_path, {"slowest-query": "checks/perf/test_queries.py"})


def test_much_more_data_is_over_its_budget(kiro: Kiro, tmp_path: Path) -> None:
    """What the database server keeps is counted wherever in its folder it lies."""
    with ballast_beside_the_data(kiro, 400 * 2**20):
        assert_over(kiro, kiro.addresses, tmp_path, {"disk-of-postgres": f"{USE}test_disk_is_enough"})


@contextlib.contextmanager
def many_more_users(kiro: Kiro) -> Iterator[None]:
    """Have two hundred thousand users more."""
    with psycopg.connect(kiro.environment.address("kiro").url().reveal(), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO users (email, password_hash, display_name)"
            " SELECT 'slow-' || number || '@example.com', '', 'Slow' FROM generate_series(1, 200000) AS number"
        )
        yield
        connection.execute("DELETE FROM users WHERE display_name = 'Slow'")
        connection.execute("VACUUM users")


@contextlib.contextmanager
def ballast_beside_the_data(kiro: Kiro, size: int) -> Iterator[None]:
    """Have a file of this size in the folder of the database server."""
    port = kiro.environment.endpoints["postgres"].port
    (pid,) = {each.pid for each in listeners() if each.port == port and each.pid is not None}
    file = Path(psutil.Process(pid).cwd()) / "ballast"
    with file.open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, size)
    yield
    file.unlink()
