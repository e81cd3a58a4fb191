"""Seeds that fail: nothing of them is kept but the note, and no message or row holds a secret."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from pytest_devenv.clients.postgres import connect
from pytest_devenv.seed import Limits, Rows, SeedRunError, State, status
from pytest_devenv.settings import Tier

if TYPE_CHECKING:
    from tests.integration.seed.bench import Bench

ADA = "ctx.ensure('people', {'name': 'ada'})"
STRAY = "ctx.execute('INSERT INTO pets (owner) VALUES (77)')"
LATE = "INSERT INTO people (name) SELECT current_user"
SECRET = "hunter2-correct-horse"


LEAKS = (
    "raise ValueError(f'bad password {ctx.secret(\"ADMIN_PASSWORD\").reveal()!r} and tok-123456')",
    "ctx.execute('INSERT INTO people (name, age) VALUES (%s, -1)', ['hunter2-correct-horse'])",
    "ctx.execute('SELECT %s::int', [ctx.secret('ADMIN_PASSWORD').reveal()])",
    """
    try:
        raise KeyError(ctx.secret('ADMIN_PASSWORD').reveal())
    except KeyError as error:
        raise ValueError('x') from error
    """,
    "ctx.lookup('people', name=ctx.secret('ADMIN_PASSWORD').reveal())",
    "assert str(ctx.hide('other-secret')) == '***'; raise ValueError('other-secret')",
)


@pytest.mark.parametrize(
    ("run", "message", "line"),
    [
        ("raise ValueError('no')", "ValueError: no", 10),
        (f"{ADA}\nraise ValueError('no')", "ValueError: no", 11),
        (f"{ADA}\n1 / 0", "ZeroDivisionError: division by zero", 11),
        (f"{ADA}\nctx.execute('SELEC 1')", 'syntax error at or near "SELEC" (42601)', 11),
        (f"{ADA}\n{STRAY}", "table pets, constraint pets_owner_fkey", 11),
        (f"{ADA}\nctx.execute('COMMIT')", "a seed must not end its own transaction (2D000)", 11),
        (f"{ADA}\nctx.execute('ROLLBACK')", "the seed ended it", None),
        (f"{ADA}\nctx.execute('ROLLBACK')\n{ADA}", "what it would have written after that was refused", 12),
        (f"{ADA}\nctx.execute('ROLLBACK; {LATE}')", "what it would have written after that was refused", 11),
        (f"{ADA}\nctx.execute('ROLLBACK AND CHAIN; {LATE}')", "the seed ended it", None),
        (f"{ADA}\nctx.execute('SELECT pg_terminate_backend(pg_backend_pid())')", "terminating connection", 11),
        (f"{ADA}\nctx.connection.commit()", "Explicit commit() forbidden", 11),
        (f"{ADA}\ntry: ctx.execute('SELEC 1')\nexcept Exception: pass", "a statement failed, the seed went on", None),
        ("import does_not_exist", "ModuleNotFoundError: No module named 'does_not_exist'", 10),
    ],
)
def test_a_python_seed_that_fails_leaves_only_a_note(bench: Bench, run: str, message: str, line: int | None) -> None:
    """What it wrote is rolled back whole; its error, file and line are told, and noted in the history."""
    bench.seeds.python("base/10_first", "ctx.ensure('people', {'name': 'first'})")
    path = bench.seeds.python("base/20_a", run)
    bench.seeds.python("base/30_later", ADA)
    with pytest.raises(SeedRunError) as caught:
        bench.apply()
    error = caught.value
    assert message in error.message
    assert (error.failed.name, error.line, [done.seed.name for done in error.done]) == ("a", line, ["first"])
    assert f"{path}{'' if line is None else f', line {line}'}; database" in error.message
    assert bench.query("SELECT name FROM people") == [("first",)]
    assert bench.states() == {"first": State.CURRENT, "a": State.PENDING, "later": State.PENDING}
    name, version, state, notes, noted = bench.history()[-1]
    assert (name, version, state, notes) == ("a", 1, "Inactive", "failed")
    assert message.splitlines()[0] in noted
    (_, one, _) = status(bench.seeds.load(), bench.address, tier=Tier.TEST).seeds
    assert one.error == noted


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("INSERT INTO people (name) VALUES ('x');\nSELEC 1;", 'syntax error at or near "SELEC" (42601)', 7),
        ("INSERT INTO people (name) VALUES ('x');\nSELECT * FROM nowhere;", 'relation "nowhere" does not exist', 7),
        ("INSERT INTO people (name) VALUES ('x'), ('x');", "table people, constraint people_name_key", None),
        ("INSERT INTO people (name) VALUES ('x'); COMMIT;", "transaction commands", None),
        (
            "INSERT INTO people (name) VALUES ('x'); ROLLBACK; INSERT INTO people (name) VALUES ('y')",
            "transaction",
            None,
        ),
        ("INSERT INTO people (name) VALUES ('x'); COPY people FROM STDIN", "COPY", None),
    ],
)
def test_an_sql_seed_that_fails_leaves_only_a_note(bench: Bench, text: str, message: str, line: int | None) -> None:
    """Also one that would end its own transaction; the line is that of the file."""
    bench.seeds.sql("base/10_a", text)
    with pytest.raises(SeedRunError) as caught:
        bench.apply()
    assert message in caught.value.message
    assert caught.value.line == line
    assert bench.query("TABLE people") == []
    assert bench.history()[0][2:4] == ("Inactive", "failed")


def test_a_failure_of_a_seed_that_is_applied_keeps_it_applied(bench: Bench) -> None:
    """A re-application that fails changes neither the rows nor what stands in the history."""
    bench.seeds.python("base/10_a", ADA)
    bench.apply()
    bench.seeds.python("base/10_a", "ctx.execute('DELETE FROM people')\nraise ValueError")
    with pytest.raises(SeedRunError):
        bench.apply(changed=True)
    assert [row[2] for row in bench.history()] == ["Active", "Inactive"]
    assert bench.states() == {"a": State.CHANGED}
    assert len(bench.query("TABLE people")) == 1


@pytest.mark.parametrize(
    "run", ["ctx.execute('SELECT pg_sleep(30)')", "import time; time.sleep(1.5); ctx.execute('SELECT 1')"]
)
def test_a_seed_that_hangs_is_ended(bench: Bench, run: str) -> None:
    """In the server the statement timeout ends it; in Python the server ends its transaction; the failure is noted."""
    bench.seeds.python("base/10_a", f"{ADA}\n{run}")
    began = time.monotonic()
    with pytest.raises(SeedRunError, match="timeout") as caught:
        bench.apply(limits=Limits(statement_timeout_s=0.5))
    assert time.monotonic() - began < 25
    assert caught.value.sqlstate in {"57014", "25P03"}
    assert bench.query("TABLE people") == []
    assert bench.history()[0][2:4] == ("Inactive", "failed")


def test_a_deferred_constraint_speaks_before_the_seed_counts_as_applied(bench: Bench) -> None:
    """What would fail at COMMIT fails as the seed's own error."""
    bench.query("ALTER TABLE bills ALTER CONSTRAINT bills_payer_fkey DEFERRABLE INITIALLY DEFERRED")
    bench.seeds.sql("base/10_a", "INSERT INTO bills (payer) VALUES (99)")
    with pytest.raises(SeedRunError, match="constraint bills_payer_fkey"):
        bench.apply()
    assert bench.query("TABLE bills") == []


def test_all_failures_of_one_rank_are_told(bench: Bench) -> None:
    """With jobs, what ran beside the first failure is named too, and what succeeded stays."""
    for name, run in {"a": "raise ValueError('one')", "b": ADA, "c": "raise ValueError('two')"}.items():
        bench.seeds.python(f"base/10_{name}", run)
    bench.seeds.python("base/20_d")
    with pytest.raises(SeedRunError) as caught:
        bench.apply(jobs=3)
    assert caught.value.failed.name == "a"
    assert "also failed: seed c (base) failed: ValueError: two" in caught.value.message
    assert [done.seed.name for done in caught.value.done] == ["b"]
    assert bench.states()["d"] is State.PENDING


def test_no_secret_is_told_or_noted(bench: Bench) -> None:
    """A secret that the seed was given, one of the environment, and a row's values stay out of everything."""
    bench.query("ALTER TABLE people ADD CHECK (age > 0)")
    environ = {"ADMIN_PASSWORD": SECRET, "OTHER_TOKEN": "tok-123456"}
    for number, run in enumerate(LEAKS):
        bench.seeds.python("base/10_a", run, version=number + 1)
        with pytest.raises(SeedRunError) as caught:
            bench.apply(environ=environ)
        shown = "".join(traceback.format_exception(caught.value)) + str(caught.value)
        noted = repr(bench.query("TABLE seed_history"))
        for secret in (SECRET, "tok-123456"):
            assert secret not in caught.value.message + str(caught.value.remedy)
            assert secret not in noted
        assert SECRET not in shown.replace(run, "")
        assert "other-secret" not in caught.value.message


def test_a_missing_right_is_told_with_its_remedy(bench: Bench) -> None:
    """A role that may not write is named by PostgreSQL, and the remedy is a grant."""
    bench.seeds.sql("base/10_a", "SET ROLE pg_monitor; INSERT INTO people (name) VALUES ('x')")
    with pytest.raises(SeedRunError, match="permission denied for table people") as caught:
        bench.apply()
    assert caught.value.remedy == "connect as a role that may do this, or have it granted; nothing of it was kept"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0."), min_size=1, max_size=15),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=15),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
)
def test_hostile_names_round_trip(bench: Bench, table: str, column: str, value: str) -> None:
    """Any table, column and value is written, found, tracked and taken back: quotes, percent signs and all."""
    schema = f"s {table}"
    with connect(bench.address) as connection:
        names = {
            "schema": sql.Identifier(schema),
            "table": sql.Identifier(schema, table),
            "column": sql.Identifier(column),
        }
        connection.execute(
            sql.SQL(
                "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}; CREATE TABLE {table}"
                ' ({column} text PRIMARY KEY, "value of it" text)'
            ).format(**names)
        )
    run = f"""
        row = ctx.ensure({schema + "." + table!r}, {{{column!r}: {value!r}}}, {{'value of it': 'x'}})
        assert row == {{{column!r}: {value!r}, 'value of it': 'x'}}
        ctx.ensure({schema + "." + table!r}, {{{column!r}: {value!r}}}, {{'value of it': 'y'}})
        assert ctx.lookup({schema + "." + table!r}, **{{{column!r}: {value!r}}})['value of it'] == 'y'
    """
    bench.seeds.python("base/10_a", run)
    (done,) = bench.apply(force=True).done
    assert list(done.rows.values()) == [Rows(inserted=1)]
    bench.roll_back("a")
    with connect(bench.address) as connection:
        assert connection.execute(sql.SQL("TABLE {table}").format(**names)).fetchall() == []


@pytest.mark.parametrize("schema", ['it"s', "100%s", "ÄÖ ü", "a.b"])
def test_the_history_lives_in_any_schema(bench: Bench, schema: str) -> None:
    """It is created in the schema that comes first in the search path, however that is called."""
    with connect(bench.address) as connection:
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET search_path = {}, public").format(
                sql.Identifier(bench.address.database), name
            )
        )
    bench.seeds.python("base/10_a", ADA)
    bench.apply()
    assert bench.states() == {"a": State.CURRENT}
    assert bench.query("SELECT schemaname FROM pg_tables WHERE tablename = 'seed_history'") == [(schema,)]
    bench.roll_back("a")
    assert bench.query("TABLE people") == []
