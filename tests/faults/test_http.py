"""What a run says of a backend that is not as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.probes import HEALTH, SITES
from tests.faults.servers import Manner, serving

if TYPE_CHECKING:
    from tests.faults.project import Run, Shop

pytestmark = pytest.mark.timeout(240)

ANSWERS = "http.answers[backend]"


def run_with(shop: Shop, manner: Manner, *arguments: str) -> Run:
    """Run the checks of a shop whose backend answers in this manner."""
    with serving(manner) as url:
        return shop.given_too(PYTEST_DEVENV_BACKEND_URL=url).run("-m", "health", *arguments)


@pytest.mark.parametrize(
    ("manner", "expected", "found"),
    [
        (Manner.BROKEN, "status 200", "500 Internal Server Error"),
        (Manner.HTML, "a JSON body", "HTML instead of JSON"),
        (Manner.CLOSING, None, "the connection was closed before a status line"),
    ],
    ids=["500", "html", "closing"],
)
def test_a_backend_that_answers_wrongly_is_one_failure(
    shop_at: Shop, manner: Manner, expected: str | None, found: str
) -> None:
    """The backend fails with what it said; the frontend is blocked by it and all else passes."""
    run = run_with(shop_at, manner)
    verdict = run.only_root(ANSWERS)
    assert run.passed == HEALTH - SITES
    assert verdict["found"] == found
    assert expected is None or verdict["expected"] == expected
    assert "GET http://127.0.0.1:" in verdict["where"]


def test_a_backend_that_hangs_is_one_failure_in_bounded_time(shop_at: Shop) -> None:
    """A backend that never answers fails at the deadline, and holds up nothing else."""
    run = run_with(shop_at, Manner.HANGING, "--devenv-deadline=1")
    verdict = run.only_root(ANSWERS)
    assert run.passed == HEALTH - SITES
    assert verdict["found"] == "no whole answer within 1 s"
    assert run.report["looks"]["batch_wall_s"] < 5


def test_a_backend_that_is_ten_times_too_slow_fails_its_budget_alone(shop_at: Shop) -> None:
    """A late answer is an answer: the budget fails, with the times, and the frontend is not blocked."""
    shop_at.edit("budget_ms = 1000", "budget_ms = 60")
    run = run_with(shop_at, Manner.SLOW)
    verdict = run.only_root("http.keeps_its_budget[backend]")
    assert run.passed == HEALTH - {"http.keeps_its_budget[backend]"}
    assert verdict["expected"] == "a median of at most 60 ms for 3 requests"
    assert verdict["latency_ms"] >= 600
    assert "curl" in verdict["remedy"]


def test_a_backend_that_fails_shows_its_answer_and_its_log(shop: Shop) -> None:
    """The tail of the log stands beside the body; the log itself goes with the run, so that no remedy names it."""
    shop.edit(
        "self.send_response(200)",
        'print("no price list", flush=True)\n        self.send_response(500)',
        file="backend.py",
    )
    run = shop.run()
    verdict = run.only_root(ANSWERS)
    assert [piece["title"] for piece in verdict["evidence"]] == ["the body begins", "last lines of backend"]
    assert "no price list" in verdict["evidence"][1]["text"]
    assert verdict["remedy"] == (
        "mend what its log says; to look at it while it runs: pytest-devenv env up; pytest -m health"
    )
    assert "tail -n" not in run.output
