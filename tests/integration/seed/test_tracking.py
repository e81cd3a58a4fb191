"""What a seed wrote is known row by row, however it wrote it, and taking it back restores exactly what was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.seed import Rows, SeedRunError

if TYPE_CHECKING:
    from tests.integration.seed.bench import Bench

START = """
    INSERT INTO people (name, age, extra) VALUES ('ada', 36, '{"a": 1.50}'), ('bob', NULL, NULL), ('cleo', 7, '[]');
    INSERT INTO pets (owner, name) VALUES (1, 'rex'), (2, NULL), (2, 'tom');
    INSERT INTO notes (author, text) VALUES (1, 'it''s “Ünïcode” \\ and\ttabs'), (NULL, '');
    INSERT INTO loose VALUES ('a', 1), ('a', 1), (NULL, NULL);
"""


MERGE = """
    MERGE INTO people p USING (VALUES ('ada'), ('new')) v(n) ON p.name = v.n
    WHEN MATCHED THEN UPDATE SET age = 1 WHEN NOT MATCHED THEN INSERT (name) VALUES (v.n)
"""
MOVED = """
    WITH gone AS (DELETE FROM people WHERE id = 3 RETURNING *)
    INSERT INTO people (name, age) SELECT name || '2', age FROM gone
"""
LOOP = "DO $$ BEGIN FOR i IN 1..5 LOOP INSERT INTO people (name) VALUES ('p' || i); END LOOP; END $$"
CAUGHT = """
    DO $$ BEGIN BEGIN DELETE FROM people; RAISE 'no';
    EXCEPTION WHEN OTHERS THEN UPDATE people SET age = 1 WHERE id = 1; END; END $$
"""
STAGED = """
    CREATE TEMP TABLE stage AS SELECT 'eve' AS name; INSERT INTO people (name) SELECT name FROM stage; DROP TABLE stage
"""
LOCKED = """
    LOCK TABLE people IN EXCLUSIVE MODE; SELECT * FROM people FOR UPDATE; UPDATE people SET age = 8 WHERE id = 2
"""


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("INSERT INTO people (name) VALUES ('eve'); UPDATE people SET age = 1 WHERE name = 'eve'", (1, 0, 0)),
        ("INSERT INTO people (name) VALUES ('eve'); DELETE FROM people WHERE name = 'eve'", None),
        ("UPDATE people SET age = age", None),
        ("UPDATE people SET age = 99, extra = '{}'", (0, 3, 0)),
        ("UPDATE people SET age = 99 WHERE id = 1; UPDATE people SET age = 36 WHERE id = 1", None),
        ("UPDATE people SET id = id + 100 WHERE name = 'cleo'", (1, 0, 1)),
        ("DELETE FROM people WHERE name = 'cleo'", (0, 0, 1)),
        ("DELETE FROM people WHERE id = 3; INSERT INTO people (id, name) VALUES (3, 'new')", (0, 1, 0)),
        ("INSERT INTO people (name) VALUES ('ada') ON CONFLICT (name) DO UPDATE SET age = 5", (0, 1, 0)),
        (MERGE, (1, 1, 0)),
        (MOVED, (1, 0, 1)),
        (LOOP, (5, 0, 0)),
        (CAUGHT, (0, 1, 0)),
        (STAGED, (1, 0, 0)),
        (LOCKED, (0, 1, 0)),
    ],
)
def test_every_way_to_write_is_tracked_and_taken_back(
    bench: Bench, text: str, rows: tuple[int, int, int] | None
) -> None:
    """Counts are what really changed, and the rollback restores every value that was there."""
    bench.query(START)
    before = bench.snapshot()
    bench.seeds.sql("base/10_a", text)
    (done,) = bench.apply().done
    wanted = None if rows is None else Rows(inserted=rows[0], updated=rows[1], deleted=rows[2])
    assert done.rows.get("people") == wanted
    assert (bench.snapshot() == before) is (rows is None)
    bench.roll_back("a")
    assert bench.snapshot() == before
    assert bench.query("SELECT count(*) FROM seed_history_rows") == [(0,)]


def test_what_else_a_statement_sets_off_is_tracked(bench: Bench) -> None:
    """Cascades, SET NULL and triggers reach other tables; these rows come back as well."""
    bench.query(START)
    bench.query(
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO loose VALUES ('deleted ' || OLD.name, 0); RETURN NULL; END $$;"
        "CREATE TRIGGER tell AFTER DELETE ON pets FOR EACH ROW EXECUTE FUNCTION tell()"
    )
    before = bench.snapshot()
    bench.seeds.sql("base/10_a", "DELETE FROM people WHERE name = 'ada'")
    (done,) = bench.apply().done
    assert dict(done.rows) == {
        "loose": Rows(inserted=1),
        "notes": Rows(updated=1),
        "people": Rows(deleted=1),
        "pets": Rows(deleted=1),
    }
    bench.roll_back("a")
    assert bench.snapshot() == before


def test_python_may_use_the_connection_as_it_likes(bench: Bench) -> None:
    """COPY, savepoints that are rolled back, executemany and pipelines are tracked like everything else."""
    bench.query(START)
    before = bench.snapshot()
    bench.seeds.python(
        "base/10_a",
        """
        with ctx.connection.cursor() as cursor:
            with cursor.copy("COPY people (name) FROM STDIN") as copy:
                copy.write_row(("copied",))
            cursor.executemany("INSERT INTO loose VALUES (%s, 1)", [("x",), ("x",), ("y",)])
        with ctx.connection.transaction():
            ctx.connection.execute("INSERT INTO people (name) VALUES ('kept')")
        try:
            with ctx.connection.transaction():
                ctx.connection.execute("UPDATE people SET age = 0")
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        """,
    )
    (done,) = bench.apply().done
    assert dict(done.rows) == {"loose": Rows(inserted=3), "people": Rows(inserted=2)}
    bench.roll_back("a")
    assert bench.snapshot() == before


def test_every_type_comes_back_as_it_was(bench: Bench) -> None:
    """Values keep their last digit, their time zone and their bytes, whatever the session of the seed is set to."""
    bench.query(
        """
        CREATE TYPE mood AS ENUM ('sad', 'it''s "fine"');
        CREATE TYPE pair AS (a int, b text);
        CREATE DOMAIN short AS varchar(5);
        CREATE TABLE "odd ""name.%s" (
            "the key" uuid, "k%2" date, PRIMARY KEY ("the key", "k%2"),
            n numeric, f float8, r float4, t timestamptz, tt timestamp, i interval, b bytea, j json, jb jsonb,
            a text[], aa int[][], m mood, p pair, d short, ra int4range, c char(4), bits bit varying, mo money,
            ip inet, tsv tsvector, po point, total numeric GENERATED ALWAYS AS (n * 2) STORED,
            number int GENERATED ALWAYS AS IDENTITY);
        INSERT INTO "odd ""name.%s" VALUES (
            '00000000-0000-0000-0000-000000000001', '2024-02-29', 1.2345678901234567890123, 0.1::float8 + 0.2, 1e-45,
            '2024-03-31 01:30:00.123456+02', 'infinity', '1 year -2 mons 03:00:00.5', '\\x00ff27', '{"b": 1,  "a": 1}',
            '{"x": "\\u00e9"}', '{a,NULL,"b,\\"c"}', '[0:1][1:2]={{1,2},{3,4}}', 'it''s "fine"', '(1,"a b\\"")',
            'abc', '[1,5)', 'ab', B'0101', 12.34, '10.0.0.0/8', 'a:1 b:2', '(1.5,2)');
        """
    )
    table = 'odd "name.%s'
    before = bench.snapshot(table)
    bench.seeds.sql(
        "base/10_a",
        "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601';"
        " SET bytea_output = 'escape'; SET extra_float_digits = -10;"
        ' UPDATE "odd ""name.%s" SET n = 0, f = 0, r = 0, t = now(), tt = now(), i = NULL, b = \'\', j = NULL,'
        " jb = NULL, a = NULL, aa = NULL, m = 'sad', p = NULL, d = '', ra = 'empty', c = '', bits = NULL, mo = 0,"
        " ip = NULL, tsv = '', po = NULL",
    )
    (done,) = bench.apply().done
    assert dict(done.rows) == {table: Rows(updated=1)}
    bench.roll_back("a")
    assert bench.snapshot(table) == before
    bench.seeds.sql("base/20_b", 'DELETE FROM "odd ""name.%s"')
    bench.apply("b")
    bench.roll_back("b")
    assert bench.snapshot(table) == before


def test_partitions_and_children_are_tracked(bench: Bench) -> None:
    """A row that moves to another partition leaves one and enters another."""
    bench.query(
        "CREATE TABLE log (id int, day int, PRIMARY KEY (id, day)) PARTITION BY LIST (day);"
        "CREATE TABLE log1 PARTITION OF log FOR VALUES IN (1); CREATE TABLE log2 PARTITION OF log FOR VALUES IN (2);"
        "INSERT INTO log VALUES (1, 1), (2, 2)"
    )
    before = bench.snapshot("log", "log1", "log2")
    bench.seeds.python("base/10_a", "ctx.ensure('log', {'id': 3}, {'day': 2})")
    bench.seeds.sql("base/20_b", "UPDATE log SET day = 2 WHERE id = 1")
    assert [dict(done.rows) for done in bench.apply().done] == [
        {"log2": Rows(inserted=1)},
        {"log1": Rows(deleted=1), "log2": Rows(inserted=1)},
    ]
    bench.roll_back("b")
    bench.roll_back("a")
    assert bench.snapshot("log", "log1", "log2") == before


def test_others_may_write_meanwhile(bench: Bench) -> None:
    """What somebody else commits while a seed runs is theirs: it is neither counted nor taken back."""
    bench.query(START)
    bench.seeds.python(
        "base/10_a",
        """
        import psycopg
        ctx.ensure('people', {'name': 'ada'}, {'age': 1})
        with psycopg.connect(ctx.secret('URL').reveal(), autocommit=True) as other:
            other.execute("INSERT INTO people (name) VALUES ('theirs')")
            other.execute("UPDATE people SET age = 50 WHERE name = 'bob'")
            other.execute("DELETE FROM people WHERE name = 'cleo'")
        ctx.ensure('people', {'name': 'mine'})
        """,
    )
    (done,) = bench.apply(environ={"URL": bench.address.url().reveal()}).done
    assert dict(done.rows) == {"people": Rows(inserted=1, updated=1)}
    bench.roll_back("a")
    assert bench.query("SELECT name, age FROM people ORDER BY 1") == [("ada", 36), ("bob", 50), ("theirs", None)]


def test_many_rows_are_tracked_and_taken_back(bench: Bench) -> None:
    """Twenty thousand rows are no other case than one."""
    bench.seeds.sql("base/10_a", "INSERT INTO people (name) SELECT 'p' || n FROM generate_series(1, 20000) AS n")
    (done,) = bench.apply().done
    assert done.rows["people"].inserted == 20_000
    bench.roll_back("a")
    assert bench.query("SELECT count(*) FROM people") == [(0,)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("TRUNCATE people CASCADE", "emptied it at one stroke"),
        ("CREATE TABLE mine (id int)", "or created it"),
        ("ALTER TABLE loose ADD COLUMN more int", "changed its columns"),
        ("DROP TABLE loose", "it dropped it"),
        ("DELETE FROM loose WHERE number = 1", "no primary key"),
        ("UPDATE loose SET number = 2", "no primary key"),
    ],
)
def test_what_cannot_be_taken_back_is_refused(bench: Bench, text: str, found: str) -> None:
    """A seed writes rows that can be found again; anything else is refused, and nothing of it is kept."""
    bench.query(START)
    before = bench.snapshot()
    bench.seeds.sql("base/10_a", text)
    with pytest.raises(SeedRunError) as caught:
        bench.apply()
    assert found in caught.value.message
    assert bench.snapshot() == before
