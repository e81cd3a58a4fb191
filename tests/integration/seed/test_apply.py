"""Seeds are applied once, in order, each whole with its row in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.seed import Action, Progress, Rows, SeedRunError, Selection, State, apply, plan, status
from pytest_devenv.settings import Tier

if TYPE_CHECKING:
    from tests.integration.seed.bench import Bench


def test_a_run_applies_what_is_pending_once(bench: Bench) -> None:
    """Python and SQL seeds run in order; a second run writes nothing and says why."""
    bench.seeds.python("base/10_ada", "ctx.ensure('people', {'name': 'ada'}, {'age': 36})")
    bench.seeds.sql("base/20_rex", "INSERT INTO pets (owner, name) SELECT id, 'rex' FROM people", dependencies=("ada",))
    first = bench.apply()
    assert [(done.seed.name, done.action, dict(done.rows)) for done in first.done] == [
        ("ada", Action.APPLY, {"people": Rows(inserted=1)}),
        ("rex", Action.APPLY, {"pets": Rows(inserted=1)}),
    ]
    second = bench.apply()
    assert second.done == ()
    assert [one.reason.partition(" (")[0] for one in second.skipped] == ["already applied", "already applied"]
    assert bench.query("SELECT people.name, age, pets.name FROM people JOIN pets ON owner = people.id") == [
        ("ada", 36, "rex")
    ]


def test_the_history_is_as_documented(bench: Bench) -> None:
    """Each column holds what its name says; details hold rows, files, duration and dependencies."""
    bench.seeds.file("data/names.txt", "ada")
    bench.seeds.python("base/10_a", "ctx.ensure('people', {'name': ctx.read_text('data/names.txt')})")
    bench.seeds.python("base/20_b", dependencies=("a",), version=4)
    bench.apply()
    columns = bench.query(
        "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = 'seed_history'"
        " ORDER BY ordinal_position"
    )
    assert columns == [
        ("id", "int8"),
        ("name", "text"),
        ("version", "int4"),
        ("environment", "text"),
        ("checksum", "text"),
        ("applied_at", "timestamptz"),
        ("applied_by", "text"),
        ("status", "seed_status_enum"),
        ("notes", "text"),
        ("error", "text"),
        ("details", "jsonb"),
    ]
    labels = bench.query("SELECT unnest(enum_range(NULL::seed_status_enum))::text")
    assert [label for (label,) in labels] == ["Active", "Inactive", "Orphaned"]
    rows = bench.query(
        "SELECT name, version, environment, checksum, applied_by, status::text, details FROM seed_history"
    )
    a, b = rows
    seeds = bench.seeds.load()
    assert a[:3] == ("a", 1, "test")
    assert a[3] == seeds.sources(seeds.named("a")).checksum
    assert a[4:6] == (bench.address.endpoint.user, "Active")
    assert a[6]["rows"] == {"people": {"inserted": 1, "updated": 0, "deleted": 0}}
    assert set(a[6]["files"]) == {"code", "data/names.txt"}
    assert a[6]["duration_ms"] > 0
    assert b[1] == 4
    assert b[6]["dependencies"] == ["a"]


def test_looking_changes_nothing(bench: Bench) -> None:
    """Status and plan create no table, and say what a run would do."""
    bench.seeds.python("base/10_a")
    assert bench.states() == {"a": State.PENDING}
    assert [step.seed.name for step in plan(bench.seeds.load(), bench.address, tier=Tier.TEST).steps] == ["a"]
    assert bench.query("SELECT to_regclass('seed_history')") == [(None,)]


def test_a_run_without_work_writes_nothing(bench: Bench) -> None:
    """An empty folder leaves the database as it is."""
    assert bench.apply().done == ()
    assert bench.query("SELECT to_regclass('seed_history')") == [(None,)]


@pytest.mark.parametrize("changed", ["code", "helper", "data", "computed data"])
def test_what_changed_since_is_reported_and_applied_on_request(bench: Bench, changed: str) -> None:
    """Code, a helper, and data whose name is written or computed: each alone makes the seed a changed one."""
    run = """
        from seeds.helpers import age
        ctx.ensure('people', {'name': ctx.read_text('data/a.txt')}, {'age': age()})
        ctx.read_text('/'.join(['data', 'b.txt']))
    """
    bench.seeds.file("helpers.py", "def age(): return 1")
    bench.seeds.file("data/a.txt", "ada")
    bench.seeds.file("data/b.txt", "")
    bench.seeds.python("base/10_a", run)
    bench.apply()
    assert bench.states() == {"a": State.CURRENT}
    names = {"code": "code", "helper": "helpers.py", "data": "data/a.txt", "computed data": "data/b.txt"}
    {
        "code": lambda: bench.seeds.python("base/10_a", run.replace("ctx.ensure", "pass; ctx.ensure")),
        "helper": lambda: bench.seeds.file("helpers.py", "def age(): return 2"),
        "data": lambda: bench.seeds.file("data/a.txt", "bob"),
        "computed data": lambda: bench.seeds.file("data/b.txt", "x"),
    }[changed]()
    (one,) = status(bench.seeds.load(), bench.address, tier=Tier.TEST).seeds
    assert (one.state, one.changed) == (State.CHANGED, (names[changed],))
    assert bench.apply().done == ()
    assert [done.action for done in bench.apply(changed=True).done] == [Action.REAPPLY]
    assert bench.states() == {"a": State.CURRENT}
    assert [row[1:4] for row in bench.history()] == [(1, "Inactive", "superseded by version 1"), (1, "Active", None)]


def test_a_version_bump_runs_its_upgrade_step(bench: Bench) -> None:
    """`upgrade` gets the version that is applied, and runs instead of `run`; without it `run` runs."""
    bench.seeds.python("base/10_a", "ctx.ensure('people', {'name': 'ada'})")
    bench.seeds.sql("base/20_b", "INSERT INTO people (name) VALUES ('bob') ON CONFLICT DO NOTHING")
    bench.apply()
    bench.seeds.python(
        "base/10_a",
        "raise AssertionError",
        methods="def upgrade(self, ctx, old): ctx.ensure('people', {'name': 'ada'}, {'age': old + 40})",
        version=3,
    )
    bench.seeds.sql("base/20_b", "UPDATE people SET age = 7 WHERE name = 'bob'", version=2)
    assert [done.action for done in bench.apply().done] == [Action.UPGRADE, Action.UPGRADE]
    assert bench.query("SELECT name, age FROM people ORDER BY 1") == [("ada", 41), ("bob", 7)]
    assert bench.history()[0][1:4] == (1, "Inactive", "superseded by version 3")


def test_force_applies_again_and_ensure_does_no_harm(bench: Bench) -> None:
    """The same rows are there afterwards, not one more, and nothing counts as written."""
    bench.seeds.python("base/10_a", "ctx.ensure('people', {'name': 'ada'}, {'age': 36, 'extra': {'b': [1]}})")
    bench.apply()
    before = bench.snapshot()
    (done,) = bench.apply(force=True).done
    assert (done.action, dict(done.rows)) == (Action.REAPPLY, {})
    assert bench.snapshot() == before


def test_only_applies_a_seed_alone_with_its_dependencies(bench: Bench) -> None:
    """What it does not need stays pending."""
    bench.seeds.python("base/10_a")
    bench.seeds.python("base/20_b", dependencies=("a",))
    bench.seeds.python("base/30_c")
    assert [done.seed.name for done in bench.apply("b").done] == ["a", "b"]
    assert bench.states()["c"] is State.PENDING


def test_independent_seeds_of_one_rank_run_at_once(bench: Bench) -> None:
    """Two that each wait for the other both end; rank after rank, and the rows of each are its own."""
    wait = """
        ctx.ensure('people', {'name': ctx.seed.name})
        ctx.execute('SELECT pg_advisory_lock(%s)', [{mine}])
        while not ctx.execute('SELECT count(*) FROM pg_locks WHERE locktype = %s AND objid = %s',
                              ['advisory', {other}]).fetchone()[0]:
            ctx.execute('SELECT pg_sleep(0.005)')
        ctx.execute('SELECT pg_sleep(0.05)')
    """
    bench.seeds.python("base/10_a", wait.replace("{mine}", "11").replace("{other}", "12"))
    bench.seeds.python("base/10_b", wait.replace("{mine}", "12").replace("{other}", "11"))
    bench.seeds.python("base/20_c", "assert len(ctx.execute('TABLE people').fetchall()) == 2")
    seen: list[Progress] = []
    result = apply(
        bench.seeds.load(),
        bench.address,
        tier=Tier.TEST,
        selection=Selection(jobs=2),
        on_progress=seen.append,
    )
    assert [(one.index, one.total, one.done.seed.name) for one in seen] == [(1, 3, "a"), (2, 3, "b"), (3, 3, "c")]
    assert [dict(done.rows) for done in result.done] == [{"people": Rows(inserted=1)}] * 2 + [{}]
    bench.roll_back("a")
    assert bench.query("SELECT name FROM people") == [("b",)]


def test_a_seed_does_not_inherit_the_session_of_another(bench: Bench) -> None:
    """What one sets for its session is gone for the next: time zone, search path, role."""
    bench.seeds.sql("base/10_a", "SET TimeZone = 'Asia/Tokyo'; SET search_path = pg_catalog; SET ROLE pg_monitor")
    bench.seeds.python(
        "base/20_b",
        "ctx.ensure('people', {'name': ctx.execute('SHOW TimeZone').fetchone()[0]})",
    )
    bench.apply()
    assert bench.query("SELECT name FROM people WHERE name LIKE '%Tokyo'") == []


def test_the_context_finds_what_it_is_asked_for(bench: Bench) -> None:
    """Lookups are remembered until the table is written through the context, and name what is not there."""
    bench.seeds.python(
        "base/10_a",
        """
        from pytest_devenv.errors import SeedError
        ctx.ensure_all('people', [{'name': 'ada', 'age': 1}, {'name': 'bob', 'age': 1}], key=('name',))
        ada = ctx.lookup('people', name='ada')
        ctx.connection.execute("UPDATE people SET age = 2 WHERE name = 'ada'")
        assert ctx.lookup('people', name='ada') == ada
        assert ctx.ensure('people', {'name': 'ada'}, {'age': 3})['age'] == 3
        assert ctx.lookup('people', name='ada')['age'] == 3
        ctx.execute('UPDATE people SET age = 4')
        assert ctx.lookup('people', name='ada')['age'] == 4
        assert ctx.find('people', name='eve') is None
        assert ctx.find('people', extra=None, name='bob')['age'] == 4
        for message, call in {
            'looked for a row of people that is not there': lambda: ctx.lookup('people', name='eve'),
            'found several': lambda: ctx.lookup('people', age=4),
            'cannot tell which row of people it writes': lambda: ctx.ensure('people', {'age': 4}, {'extra': {}}),
            'rows with different columns': lambda: ctx.ensure_all('people', [{'name': 'x'}, {'age': 1}], key=('name',)),
            'two rows with one key': lambda: ctx.ensure_all('people', [{'name': 'x'}] * 2, key=('name',)),
            'no key': lambda: ctx.ensure('people', {}, {'age': 1}),
            'data file that is not there': lambda: ctx.read_text('../../etc/passwd'),
        }.items():
            try:
                with ctx.connection.transaction():
                    call()
            except SeedError as error:
                assert message in str(error), error
            else:
                raise AssertionError(message)
        assert ctx.ensure('public.people', {'name': 'eve'}, initial={'age': 9})['age'] == 9
        assert ctx.ensure('people', {'name': 'eve'}, initial={'age': 10})['age'] == 9
        assert ctx.ensure('loose', {'text': None, 'number': 5}) == ctx.ensure('loose', {'text': None, 'number': 5})
        assert ctx.ensure_all('people', [], key=('name',)) == []
        many = [{'name': f'p{n}', 'age': n} for n in range(450)]
        assert [row['age'] for row in ctx.ensure_all('people', many, key=('name',))] == list(range(450))
        """,
    )
    (done,) = bench.apply().done
    assert dict(done.rows) == {"loose": Rows(inserted=1), "people": Rows(inserted=453)}


def test_a_key_is_what_the_database_makes_of_it(bench: Bench) -> None:
    """Rows are told apart as PostgreSQL compares: a number may be given as text, in any order."""
    bench.seeds.python(
        "base/10_a",
        """
        given = [{'id': '902', 'name': 'bob'}, {'id': '901', 'name': 'ada'}]
        for _ in range(2):
            assert [(row['id'], row['name']) for row in ctx.ensure_all('people', given, key=('id',))] == [
                (902, 'bob'), (901, 'ada')]
        """,
    )
    (done,) = bench.apply().done
    assert dict(done.rows) == {"people": Rows(inserted=2)}


def test_a_row_whose_key_a_trigger_changes_is_refused(bench: Bench) -> None:
    """A row that the next run would not find again is not written: each run would add another one."""
    bench.query(
        "CREATE FUNCTION shrink() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.name := lower(NEW.name); RETURN NEW; END $$;"
        "CREATE TRIGGER shrink BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION shrink()"
    )
    bench.seeds.python("base/10_a", "ctx.ensure_all('people', [{'name': 'ada'}, {'name': 'Bob'}], key=('name',))")
    with pytest.raises(SeedRunError) as caught:
        bench.apply()
    assert "expected: one row with name = 'Bob'" in str(caught.value)
    assert "none after it was written: a trigger or a rule of the table changed it" in str(caught.value)
    assert bench.query("SELECT name FROM people") == []
