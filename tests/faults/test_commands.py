"""What the commands say of a shop that is well, and of one whose migrations do not run."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)

STAGE = """
[tool.pytest-devenv.verify.orders]
checks = ["test_orders.py"]
"""
ORDERS = """
import os
from pathlib import Path


def test_the_shop_answers(service):
    assert service("backend").get("/health").status_code == 200


def test_no_other_environment_was_started(devenv):
    assert len(list(Path(os.environ["PYTEST_DEVENV_STATE"]).glob("*/lease"))) == 1
"""
COMMAND = (sys.executable, "-c", "from pytest_devenv.cli import main; main()")


def call(shop: Shop, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `pytest-devenv` in the shop, with nobody at the terminal."""
    return subprocess.run(
        [*COMMAND, *words],
        cwd=shop.folder,
        env=shop.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def told(shop: Shop, *words: str, code: int) -> dict[str, Any]:
    """Return what a command prints as JSON; its exit code has to be this one."""
    done = call(shop, *words)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def break_orders(shop: Shop) -> None:
    """Have the second migration fail."""
    shop.edit("CREATE", "CRATE", file="migrations/2_orders.sql")


def test_graph_of_a_shop_that_is_well(shop: Shop) -> None:
    """Every service and database passes, and the drawing says where each is."""
    found = told(shop, "env", "graph", "--format=json", code=0)
    assert {node["state"] for node in found["nodes"]} == {"pass"}
    assert {node["key"] for node in found["nodes"]} >= {"postgres", "backend", "database shop"}


def test_graph_marks_the_root_and_what_it_blocks(shop: Shop) -> None:
    """A migration that fails is the one root, and what needs the schema is blocked by it."""
    break_orders(shop)
    done = call(shop, "env", "graph")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.count("ROOT FAILURE") == 1
    assert "backend http  blocked by shop" in done.stdout
    assert "frontend http  blocked by shop" in done.stdout


def test_graph_without_a_look_starts_nothing(shop: Shop) -> None:
    """The drawing alone needs no environment."""
    found = told(shop, "env", "graph", "--no-look", "--format=json", code=0)
    assert {node["state"] for node in found["nodes"]} == {None}
    assert not any(shop.state.iterdir())


def stages_of(found: dict[str, Any]) -> dict[str, str | None]:
    """Return the state of each stage, in their order; None of one that was not run."""
    return {each["name"]: each["verdict"] and each["verdict"]["state"] for each in found["stages"]}


@pytest.fixture
def staged(shop: Shop) -> Shop:
    """Give the shop with a stage of its own, whose checks pass."""
    with (shop.folder / "pyproject.toml").open("a") as file:
        file.write(STAGE)
    (shop.folder / "test_orders.py").write_text(ORDERS)
    return shop


def test_every_stage_of_a_shop_that_is_well_passes(staged: Shop) -> None:
    """Packaged stages come first, the shop's own join the environment that was started, and nothing is left behind."""
    found = told(staged, "env", "verify", "--json", code=0)
    expected = ["set-up", "migrations", "connectivity", "orders"]
    assert stages_of(found) == dict.fromkeys(expected, "pass")
    assert [each["name"] for each in found["stages"]] == expected
    assert found["stages"][-1]["checks"] == 2
    assert all(each["took_s"] >= 0 for each in found["stages"])
    assert not list(staged.state.glob("*/lease"))


def test_pipeline_stops_at_the_root(staged: Shop) -> None:
    """A migration that fails ends it, with what was found and the remedy; what follows is not run."""
    break_orders(staged)
    done = call(staged, "env", "verify")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "it stops at migrations" in done.stdout
    assert "CRATE" in done.stdout
    assert "remedy" in done.stdout
    assert done.stdout.count("not run") == 2
    assert staged.given["SHOP_PASSWORD"] not in done.stdout


def test_own_check_that_fails_is_the_root_of_its_stage(staged: Shop) -> None:
    """It is named by the id that pytest takes, with what it said first."""
    with (staged.folder / "test_orders.py").open("a") as file:
        file.write("\n\nclass TestOrders:\n    def test_tea(self):\n        assert 1 == 2, 'no tea'\n")
    found = told(staged, "env", "verify", "--json", code=1)
    verdict = found["stages"][-1]["verdict"]
    assert verdict["state"] == "fail"
    assert "no tea" in verdict["found"]
    assert verdict["remedy"].endswith("then: pytest test_orders.py::TestOrders::test_tea")


def test_stage_without_a_test_fails_and_a_shop_without_stages_needs_none(shop: Shop) -> None:
    """Whoever describes a stage is told that it selects nothing; whoever describes none has no such stage."""
    found = told(shop, "env", "verify", "--json", code=0)
    assert stages_of(found)["end-to-end"] == "off"
    assert list(stages_of(told(shop, "env", "verify", "--until=set-up", "--json", code=0))) == ["set-up"]
    with (shop.folder / "pyproject.toml").open("a") as file:
        file.write('[tool.pytest-devenv.verify.orders]\nmarks = "e2e"\n')
    verdict = told(shop, "env", "verify", "--json", code=1)["stages"][-1]["verdict"]
    assert "correct verify.orders in pyproject.toml" in verdict["remedy"]


PENDING = "CREATE TABLE notes (id bigint PRIMARY KEY);\n"


@pytest.fixture
def ending(shop: Shop) -> Iterator[Shop]:
    """Give the shop, and end what the guide has brought up in it."""
    yield shop
    call(shop, "env", "down")


def test_guide_says_what_it_would_run_and_runs_nothing_unasked(shop: Shop) -> None:
    """With nobody at the terminal the command is shown, and nothing is started."""
    done = call(shop, "guide")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "to run: pytest-devenv env up" in done.stdout
    assert "not run: nobody was asked" in done.stdout
    assert call(shop, "env", "status").returncode == 1


def test_guide_brings_the_shop_up_and_mends_it(ending: Shop) -> None:
    """Agreed to beforehand, it starts the environment, then applies what is pending, and ends with next steps."""
    done = call(ending, "guide", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "$ pytest-devenv env up" in done.stdout
    (ending.folder / "migrations" / "3_notes.sql").write_text(PENDING)
    done = call(ending, "guide", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "$ pytest-devenv env up" not in done.stdout
    assert "$ pytest-devenv db migrate --database shop" in done.stdout
    assert "shop is healthy on the target embedded" in done.stdout
    assert "next steps" in done.stdout


def test_guide_leaves_to_a_person_what_only_a_person_can_do(ending: Shop) -> None:
    """A migration that cannot run has to be mended: it is named, and nothing goes round in a circle."""
    break_orders(ending)
    done = call(ending, "guide", "--yes")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "CRATE" in done.stdout
    assert "this is for you to do; then: pytest-devenv guide" in done.stdout


def test_guide_asks_and_takes_yes_for_an_answer(ending: Shop) -> None:
    """At a terminal each command that changes something is asked for, and runs once somebody says so."""
    typed, terminal = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "guide"],
        cwd=ending.folder,
        env=ending.environ,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        os.write(typed, b"y\n")
        output, _ = child.communicate(timeout=200)
    os.close(typed)
    os.close(terminal)
    assert child.returncode == 0, output
    assert "run it? [Y/n]" in output
    assert "shop is healthy" in output


def test_guide_offers_another_place_than_a_context_that_is_not_allowed(ending: Shop, tmp_path: Path) -> None:
    """A current context that may not be used is never asked: this machine is used instead, where nothing else is."""
    ending.edit('target = "embedded"', 'contexts = ["kind-*"]')
    (tmp_path / "config").write_text("current-context: production\n")
    done = call(ending.given_too(KUBECONFIG=str(tmp_path / "config")), "guide", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the current kube context is 'production'" in done.stdout
    assert "export PYTEST_DEVENV_TARGET=embedded" in done.stdout
