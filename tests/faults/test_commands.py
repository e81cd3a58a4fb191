"""What the commands say of a shop that is well, and of one whose migrations do not run."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)

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
