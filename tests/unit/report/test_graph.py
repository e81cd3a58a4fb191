"""The graph of an environment: what requires what, what blocks what, and how it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.report import drawing
from pytest_devenv.report.graph import nodes, plain, tops
from pytest_devenv.report.lines import plain as text_of
from pytest_devenv.report.model import Entry, Outcome, Run, ServiceAddress
from pytest_devenv.report.view import View
from pytest_devenv.settings.load import parse
from pytest_devenv.verdict import blocked, failed, passed

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.settings import Settings
    from pytest_devenv.verdict import Verdict

TABLE = """
name = "shop"
[services.db]
kind = "postgres"
[services.migrate]
kind = "job"
requires = ["db"]
[services.web]
kind = "http"
requires = ["db", "migrate"]
command = ["{python}"]
env = { URL = "{database.orders.url}" }
[services.cache]
kind = "redis"
[databases.orders]
service = "db"
migrations = { engine = "sqlx", path = "." }
"""
DIRTY = failed("orders is dirty", expected="none", found='dirty: 2 "x"', where="db", remedy="pytest-devenv db repair 2")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give a shop: a page that needs a database, which a Job migrates, and a cache that nobody needs."""
    return parse(tmp_path / "pytest-devenv.toml", TABLE, {}, {})


def run_of(found: dict[str, Verdict]) -> Run:
    """Return a run with these verdicts, by the id of their probe."""
    entries = []
    for probe, verdict in found.items():
        name, _, subject = probe.removesuffix("]").partition("[")
        entries.append(
            Entry(nodeid=probe, probe=probe, subject=subject, name=name, verdict=verdict, outcome=Outcome.PASSED)
        )
    services = (
        ServiceAddress(service="db", kind="postgres", address="127.0.0.1:5432", databases=("orders",)),
        ServiceAddress(service="web", kind="http"),
    )
    return Run(
        environment="shop",
        tier="development",
        target="embedded",
        why="",
        services=services,
        entries=tuple(entries),
        started="",
        duration_s=1,
    )


def broken() -> Run:
    """Return a run in which the database is dirty, which blocks the page."""
    dirty = "migrations.none_dirty[orders]"
    return run_of(
        {
            "postgres.accepts_queries[db]": passed("accepts queries"),
            dirty: DIRTY,
            "job.completed[migrate]": passed("done"),
            "http.answers[web]": blocked(dirty, DIRTY),
        }
    )


def test_every_node_comes_after_what_it_requires(settings: Settings) -> None:
    """A page requires the databases that its variables name; a database its server, and the Job that migrates it."""
    found = nodes(settings)
    required = {node.key: node.requires for node in found}
    assert required["web"] == ("db", "migrate", "database orders")
    assert required["database orders"] == ("db", "migrate")
    order = list(required)
    assert all(order.index(each) < order.index(key) for key, those in required.items() for each in those)
    assert [node.key for node in tops(found)] == ["web", "cache"]


def test_root_failure_is_marked_and_what_it_blocks_says_so(settings: Settings) -> None:
    """The database is the root, the page is blocked by it, and nothing else is touched."""
    found = {node.key: node for node in nodes(settings, broken())}
    assert [key for key, node in found.items() if node.root] == ["database orders"]
    assert found["database orders"].remedy == "pytest-devenv db repair 2"
    assert found["web"].blocked_by == "orders"
    assert found["cache"].state is None


def test_tree_draws_each_node_once(settings: Settings) -> None:
    """What is required twice is named again and not drawn again; the root stands below, whole, with its remedy."""
    drawn = text_of(drawing.tree("shop", nodes(settings, broken()), View(width=90)))
    assert drawn == (
        "shop\n"
        "├── ⊘ web http  blocked by orders\n"
        "│   ├── ✔ db postgres  127.0.0.1:5432\n"
        "│   ├── ✔ migrate job  done\n"
        "│   │   └── ✔ db (drawn above)\n"
        "│   └── ✘ orders database  ROOT FAILURE: orders is dirty\n"
        "│       ├── ✔ db (drawn above)\n"
        "│       └── ✔ migrate (drawn above)\n"
        "└── cache redis\n"
        "\n"
        "✘ orders: orders is dirty\n"
        "    pytest-devenv db repair 2\n"
    )


def test_tree_can_be_drawn_in_plain_characters(settings: Settings) -> None:
    """Where the output carries no symbols, neither signs nor limbs need them."""
    drawn = text_of(drawing.tree("shop", nodes(settings, broken()), View(width=90, ascii=True)))
    assert drawn.isascii()
    assert "`-- FAIL orders database" in drawn


def test_mermaid_and_dot_hold_nodes_edges_and_verdicts(settings: Settings) -> None:
    """Both name each node and each edge once, and colour by the verdict."""
    found = nodes(settings, broken())
    edges = sum(len(node.requires) for node in found)
    mermaid = drawing.mermaid(found)
    assert mermaid.startswith("flowchart TD\n")
    assert mermaid.count(" --> ") == edges
    assert "<br/>root failure: fail<br/>orders is dirty" in mermaid
    assert "classDef fail " in mermaid
    dot = drawing.dot("shop", found)
    assert dot.count(" -> ") == edges
    assert '"database orders" [label="orders\\ndatabase\\nroot failure: fail' in dot
    assert dot.count("{") == dot.count("}")


def test_plain_values_hold_the_same(settings: Settings) -> None:
    """Programs get the nodes with their edges, states and remedies."""
    found = plain(settings, nodes(settings, broken()))
    (orders,) = [node for node in found["nodes"] if node["key"] == "database orders"]
    assert (orders["state"], orders["root"], orders["remedy"]) == ("fail", True, "pytest-devenv db repair 2")
