"""Taking a seed back: exactly what it wrote, and not where later data builds on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import SeedError
from pytest_devenv.seed import DependedOnError, Rows, SeedRunError, State, clean, find_orphans, status
from pytest_devenv.settings import Tier

if TYPE_CHECKING:
    from tests.integration.seed.bench import Bench

ADA = "ctx.ensure('people', {'name': 'ada'}, {'age': 36})"


def test_a_seed_that_was_applied_again_is_taken_back_whole(bench: Bench) -> None:
    """The first application, a changed one and an upgrade are undone together."""
    bench.query("INSERT INTO people (name, age) VALUES ('bob', 1)")
    before = bench.snapshot()
    bench.seeds.python("base/10_a", ADA + "\nctx.ensure('people', {'name': 'bob'}, {'age': 2})")
    bench.apply()
    bench.seeds.python(
        "base/10_a", "ctx.ensure_all('people', [{'name': n, 'age': 3} for n in ('ada', 'bob')], key=('name',))"
    )
    bench.apply(changed=True)
    bench.seeds.sql("base/10_b", "SELECT 1")
    bench.seeds.python("base/10_a", "ctx.execute('DELETE FROM people WHERE name = %s', ['ada'])", version=2)
    bench.apply()
    rolled = bench.roll_back("a")
    assert dict(rolled.rows) == {"people": Rows(updated=1)}
    assert bench.snapshot() == before
    assert bench.states() == {"a": State.PENDING, "b": State.CURRENT}
    assert [row[2:4] for row in bench.history() if row[0] == "a"][-1] == ("Inactive", "rolled back")
    bench.apply()
    assert bench.states()["a"] is State.CURRENT


def test_a_seed_on_which_another_depends_stays(bench: Bench) -> None:
    """The dependent seed is named, with the command that takes it back first."""
    bench.seeds.python("base/10_a", ADA)
    bench.seeds.python("base/20_b", dependencies=("a",))
    bench.apply()
    with pytest.raises(DependedOnError) as caught:
        bench.roll_back("a")
    assert caught.value.dependents == ("b",)
    assert caught.value.remedy == "first: pytest-devenv db seed-rollback b"
    bench.roll_back("b")
    bench.roll_back("a")
    assert bench.query("TABLE people") == []


@pytest.mark.parametrize(
    ("later", "named"),
    [
        ("INSERT INTO bills (payer, amount) SELECT id, 5 FROM people", "rows of bills, by bills_payer_fkey"),
        ("INSERT INTO pets (owner, name) SELECT id, 'rex' FROM people", "pets (id = 1) would be deleted along with it"),
        ("INSERT INTO notes (author) SELECT id FROM people", "notes (id = 1) would be changed along with it"),
        ("UPDATE people SET age = 37", "people (id = 1) was changed since: age"),
    ],
)
def test_later_data_is_not_lost(bench: Bench, later: str, named: str) -> None:
    """A reference of any kind, and an edit of the row itself, refuse the rollback by name; nothing is changed."""
    bench.seeds.python("base/10_a", ADA)
    bench.apply()
    bench.query(later)
    before = bench.snapshot()
    with pytest.raises(DependedOnError) as caught:
        bench.roll_back("a")
    assert named in caught.value.message
    assert "later data depends on it" in caught.value.message
    assert bench.snapshot() == before
    assert bench.states() == {"a": State.CURRENT}


def test_what_is_gone_already_is_said_so(bench: Bench) -> None:
    """A row that somebody deleted needs no deleting, and one that was updated cannot come back."""
    bench.query("INSERT INTO people (name, age) VALUES ('bob', 1)")
    bench.seeds.python("base/10_a", ADA + "\nctx.ensure('people', {'name': 'bob'}, {'age': 2})")
    bench.apply()
    bench.query("DELETE FROM people")
    rolled = bench.roll_back("a")
    assert dict(rolled.rows) == {}
    assert sorted(rolled.notes) == ["people (id = 1) is gone already", "people (id = 2) is gone already"]


def test_an_own_rollback_runs_first(bench: Bench) -> None:
    """What `rollback(ctx)` takes back itself is no obstacle, and the rest is taken back by row."""
    bench.seeds.python(
        "base/10_a",
        ADA + "\nctx.ensure('people', {'name': 'bob'})",
        methods="""
        def rollback(self, ctx):
            assert ctx.lookup('people', name='ada')['age'] == 36
            ctx.execute("DELETE FROM people WHERE name = 'ada'")
        """,
    )
    bench.apply()
    rolled = bench.roll_back("a")
    assert dict(rolled.rows) == {"people": Rows(deleted=1)}
    assert bench.query("TABLE people") == []


def test_an_own_rollback_that_fails_takes_nothing_back(bench: Bench) -> None:
    """Its error is reported with file and line."""
    path = bench.seeds.python("base/10_a", ADA, methods="def rollback(self, ctx): raise ValueError('not today')")
    bench.apply()
    with pytest.raises(SeedRunError, match="the rollback of seed a") as caught:
        bench.roll_back("a")
    assert "ValueError: not today" in caught.value.message
    assert path.read_text().splitlines()[(caught.value.line or 0) - 1].strip().startswith("def rollback")
    assert bench.query("SELECT name FROM people") == [("ada",)]


def test_a_trigger_that_forbids_it_is_named(bench: Bench) -> None:
    """An append-only table keeps its rows, and the rollback says whose word that was."""
    bench.query(
        "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'append-only'; END $$;"
        "CREATE TRIGGER never BEFORE DELETE ON people FOR EACH ROW EXECUTE FUNCTION never()"
    )
    bench.seeds.python("base/10_a", ADA)
    bench.apply()
    with pytest.raises(SeedError, match="a cannot be taken back: append-only"):
        bench.roll_back("a")


def test_a_seed_that_is_not_applied_cannot_be_taken_back(bench: Bench) -> None:
    """The message lists what is."""
    bench.seeds.python("base/10_a")
    bench.apply()
    with pytest.raises(SeedError, match="expected: one of the seeds that are applied: a"):
        bench.roll_back("b")


def test_an_orphan_is_marked_taken_back_or_comes_home(bench: Bench) -> None:
    """A seed whose file is gone is marked, is Active again with its file, and can be taken back without one."""
    path = bench.seeds.python("base/10_a", ADA)
    bench.apply()
    text = path.read_text()
    path.unlink()
    assert [row.name for row in status(bench.seeds.load(), bench.address, tier=Tier.TEST).orphaned] == ["a"]
    assert [row.name for row in find_orphans(bench.seeds.load(), bench.address).orphaned] == ["a"]
    assert bench.history()[0][2] == "Active"
    assert [row.name for row in clean(bench.seeds.load(), bench.address, tier=Tier.TEST).orphaned] == ["a"]
    assert bench.history()[0][2:4] == ("Orphaned", "its file is gone")
    path.write_text(text)
    assert bench.states() == {"a": State.CURRENT}
    assert [row.name for row in clean(bench.seeds.load(), bench.address, tier=Tier.TEST).returned] == ["a"]
    assert bench.history()[0][2:4] == ("Active", None)
    path.unlink()
    clean(bench.seeds.load(), bench.address, tier=Tier.TEST)
    bench.roll_back("a")
    assert bench.query("TABLE people") == []
    assert status(bench.seeds.load(), bench.address, tier=Tier.TEST).clean


def test_a_table_that_is_gone_is_no_obstacle(bench: Bench) -> None:
    """Its rows went with it, and a column that was dropped is not missed."""
    bench.seeds.python("base/10_a", ADA + "\nctx.ensure('loose', {'text': 'x'})")
    bench.apply()
    bench.query("DROP TABLE loose; ALTER TABLE people DROP COLUMN age, ADD COLUMN more int DEFAULT 3")
    rolled = bench.roll_back("a")
    assert rolled.notes == ("table loose is gone, and its rows with it",)
    assert bench.query("TABLE people") == []
