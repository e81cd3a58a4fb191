"""The same verdicts, however the checks of a run are selected and spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.targets.embedded.ports import reserved_port
from tests.faults.probes import HEALTH, REDIS, SITES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)

ROOT = "redis.answers[redis]"
BROKEN = {probe: "fail" if probe == ROOT else "blocked" if probe in REDIS | SITES else "pass" for probe in HEALTH}


@pytest.fixture
def broken(shop_at: Shop) -> Iterator[Shop]:
    """Give a shop whose redis is down."""
    with reserved_port() as port:
        yield shop_at.given_too(PYTEST_DEVENV_REDIS_URL=f"redis://127.0.0.1:{port}")


@pytest.mark.parametrize("more", [(), ("-n", "2"), ("--devenv-jobs=1",)], ids=["serial", "xdist", "one-by-one"])
def test_the_verdicts_do_not_depend_on_how_the_run_is_spread(broken: Shop, more: tuple[str, ...]) -> None:
    """Serially, over two workers and look by look, each check has the same verdict and there is one root."""
    run = broken.run("-m", "health", *more)
    run.only_root(ROOT)
    assert run.states == BROKEN


def test_an_embedded_environment_is_made_once_for_all_workers(shop: Shop) -> None:
    """Two workers share one environment: one address for each service, all checks pass, and nothing is left."""
    run = shop.run("-m", "health", "-n", "2")
    assert run.exit_code == 0
    assert run.passed == HEALTH
    assert [service["name"] for service in run.report["services"] if service["address"] is not None] == [
        "postgres",
        "redis",
        "backend",
        "frontend",
    ]


def test_a_broken_embedded_environment_has_one_root_for_all_workers(shop: Shop) -> None:
    """Over two workers a service that dies is one failure, and the rest is blocked by it."""
    (shop.folder / "backend.py").write_text("raise SystemExit('no price list')\n")
    run = shop.run("-m", "health", "-n", "2")
    verdict = run.only_root("http.answers[backend]")
    assert run.passed == HEALTH - SITES
    assert verdict["evidence"][0]["text"] == "no price list"


def test_k_selects_among_the_checks_without_changing_them(broken: Shop) -> None:
    """With -k one function of the checks runs, and each check says what it says in the whole run."""
    run = broken.run("-m", "health", "-k", "test_service_answers")
    assert run.states == {probe: state for probe, state in BROKEN.items() if probe in run.states}
    assert set(run.states) == {
        "postgres.accepts_queries[postgres]",
        "redis.answers[redis]",
        "job.completed[migrate]",
        *SITES,
    }
    run.only_root(ROOT)


def test_one_check_by_its_id_says_the_same(broken: Shop) -> None:
    """A check that is named alone runs alone, and fails as in the whole run."""
    run = broken.run("devenv/health.py::test_service_answers[redis]")
    assert run.states == {ROOT: "fail"}
    run.only_root(ROOT)


def test_a_healthy_check_by_its_id_passes_beside_a_broken_service(broken: Shop) -> None:
    """What does not need the broken service passes, and the run exits 0: nobody asked for more."""
    run = broken.run("devenv/health.py::test_database_exists[shop]")
    assert run.exit_code == 0
    assert run.states == {"database.exists[shop]": "pass"}


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["serial", "xdist"])
def test_a_blocked_check_alone_fails_with_the_evidence_of_its_root(broken: Shop, more: tuple[str, ...]) -> None:
    """Where the root is not among the checks, the blocked one fails, and tells what the root found."""
    run = broken.run("devenv/health.py::test_service_answers[frontend]", *more)
    assert run.exit_code == 1
    (check,) = run.report["checks"]
    assert (check["outcome"], check["verdict"]["state"], check["verdict"]["cause"]) == ("failed", "blocked", ROOT)
    assert check["verdict"]["found"].startswith("connection refused: nothing listens at 127.0.0.1:")
    assert "connection refused: nothing listens at" in run.output
    assert [(root["probe"], root["in_this_run"]) for root in run.report["roots"]] == [(ROOT, False)]


def test_x_stops_at_the_root(broken: Shop) -> None:
    """With -x the run ends with the root failure, and what came before it has its usual verdict."""
    run = broken.run("-m", "health", "-x")
    assert run.exit_code == 1
    assert run.states == {"postgres.accepts_queries[postgres]": "pass", ROOT: "fail"}


def test_lf_runs_the_root_again_and_passes_once_it_is_mended(broken: Shop, shop_at: Shop) -> None:
    """After a failure --lf runs what failed, which is the root alone, and passes when redis is up again."""
    broken.run("-m", "health")
    still = broken.run("-m", "health", "--lf")
    assert still.states == {ROOT: "fail"}
    still.only_root(ROOT)
    mended = shop_at.run("-m", "health", "--lf")
    assert (mended.exit_code, mended.states) == (0, {ROOT: "pass"})


def test_a_run_in_which_nothing_passed_fails(shop_at: Shop) -> None:
    """A check that is not configured is skipped, and a run of nothing but skips exits 1."""
    shop_at.edit('migrates = ["shop"]\n', "")
    shop_at.edit('migrations = { engine = "sqlx", path = "migrations" }\n', "")
    run = shop_at.run("devenv/health.py::test_service_answers[migrate]")
    assert run.states == {"job.completed[migrate]": "off"}
    assert run.exit_code == run.report["exit_code"] == 1
