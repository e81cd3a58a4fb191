"""Required objects and queries: each missing one is named, with the nearest that is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.settings import Database, MigrationEngine, Migrations, Service, ServiceKind
from pytest_devenv.verdict import State, failed
from tests.integration.probes.samples import at_database, environment, look
from tests.integration.probes.servers import closed_port

if TYPE_CHECKING:
    from pytest_devenv.targets.environment import Environment
    from tests.integration.probes.conftest import Owned

SCHEMA = (
    "create table users (id int primary key, email text not null)",
    "create table orders (id int primary key, user_id int references users)",
    "create index orders_user_idx on orders (user_id)",
    "create view open_orders as select * from orders",
    "alter table orders enable row level security",
    "create policy own on orders using (true)",
    "create schema stock",
    "create table stock.items (id int)",
)
KINDS = ("tables", "columns", "indexes", "views", "policies")


def shop(owned: Owned, **required: tuple[str, ...]) -> Environment:
    """Create the schema, and return an environment that requires these of it."""
    owned.execute(*SCHEMA)
    database = replace(Database(name=owned.address.database, service="postgres"), **required)  # type: ignore[arg-type]
    return at_database(owned.address, database)


def test_everything_that_is_required_is_there(owned: Owned) -> None:
    """Tables, columns, indexes, views and policies pass by their plain and by their qualified names."""
    here = shop(
        owned,
        required_tables=("users", "public.orders", "stock.items"),
        required_columns=("users.email", "stock.items.id"),
        required_indexes=("orders_user_idx",),
        required_views=("open_orders",),
        required_policies=("orders.own",),
    )
    name = owned.address.database
    assert [look(here, f"schema.has_{kind}[{name}]").summary for kind in KINDS] == [
        f"{name}: 3 of 3 tables",
        f"{name}: 2 of 2 columns",
        f"{name}: 1 of 1 indexes",
        f"{name}: 1 of 1 views",
        f"{name}: 1 of 1 policies",
    ]


@pytest.mark.parametrize(
    ("kind", "required", "summary", "found"),
    [
        (
            "tables",
            ("users", "order", "items"),
            "2 required tables of {name} are missing",
            "no table order (there is orders); no table items (there is stock.items)",
        ),
        (
            "columns",
            ("users.mail",),
            "1 required column of {name} is missing",
            "no column users.mail (there is users.email)",
        ),
        (
            "indexes",
            ("orders_date_idx",),
            "1 required index of {name} is missing",
            "no index orders_date_idx (there is orders_user_idx)",
        ),
        ("views", ("orders",), "1 required view of {name} is missing", "no view orders (there is open_orders)"),
        (
            "policies",
            ("users.own",),
            "1 required policy of {name} is missing",
            "no policy users.own (there is orders.own)",
        ),
    ],
)
def test_each_missing_object_is_named(
    owned: Owned, kind: str, required: tuple[str, ...], summary: str, found: str
) -> None:
    """What is missing is named one by one, with the nearest name that is there."""
    here = shop(owned, **{f"required_{kind}": required})
    name = owned.address.database
    verdict = look(here, f"schema.has_{kind}[{name}]")
    assert (verdict.state, verdict.summary) == (State.FAIL, summary.format(name=name))
    assert verdict.found == found
    assert verdict.expected == f"{kind} {', '.join(required)}"
    assert verdict.remedy == (
        f'create what is missing: psql "postgresql://{name}@{owned.address.endpoint.address}/{name}"'
    )


def test_a_missing_table_of_a_migrated_database_is_for_a_migration_to_create(owned: Owned) -> None:
    """Where every migration is applied, what is missing wants another one, or was dropped by hand."""
    name = owned.address.database
    here = shop(
        owned,
        required_tables=("carts",),
        migrations=Migrations(engine=MigrationEngine.SQLX, path="migrations"),  # type: ignore[arg-type]
    )
    assert look(here, f"schema.has_tables[{name}]").remedy == (
        f"every migration is applied: add one that creates carts, or correct databases.{name}.required_tables in"
        f" pyproject.toml; if it was dropped by hand: pytest-devenv db reset --database {name}"
    )


def test_an_index_whose_build_did_not_end_fails(owned: Owned) -> None:
    """An index that is not valid is there and of no use, and is told apart from one that is missing."""
    here = shop(owned, required_indexes=("orders_user_idx",))
    owned.execute(
        "update pg_index set indisvalid = false where indexrelid = 'orders_user_idx'::regclass", as_admin=True
    )
    name = owned.address.database
    verdict = look(here, f"schema.has_indexes[{name}]")
    assert verdict.summary == f"1 required index of {name} is not valid"
    assert verdict.found == "index orders_user_idx is there and not valid: its build did not end"
    url = f"postgresql://{name}@{owned.address.endpoint.address}/{name}"
    assert verdict.remedy == f'psql "{url}" -c \'reindex index concurrently "orders_user_idx"\''


def test_queries_that_answer_show_their_counts(owned: Owned) -> None:
    """The numbers of a single row, or how many rows there are, stand in the summary."""
    here = shop(owned, verify=("select count(*) as users from users", "select * from orders", "select 1 as a, 2 as b"))
    verdict = look(here, f"schema.answers_queries[{owned.address.database}]")
    assert verdict.summary == f"{owned.role}: users 0, 0 rows, a 1, b 2"


def test_a_query_that_fails_is_named(owned: Owned) -> None:
    """A query that the server rejects fails with its SQLSTATE and the line that repeats it."""
    query = "select count(*) from nobody"
    here = shop(owned, verify=(query,))
    name = owned.address.database
    url = f"postgresql://{name}@{owned.address.endpoint.address}/{name}"
    assert look(here, f"schema.answers_queries[{name}]") == failed(
        f'a query that verifies {name} fails: relation "nobody" does not exist',
        expected=f"an answer to: {query}",
        found='relation "nobody" does not exist (42P01)',
        where=str(owned.address),
        remedy=f"psql \"{url}\" -c '{query}'",
    )


def test_a_query_that_writes_is_refused(owned: Owned) -> None:
    """A query that would change something changes nothing, and fails."""
    here = shop(owned, verify=("insert into users values (1, 'a') returning id",))
    name = owned.address.database
    verdict = look(here, f"schema.answers_queries[{name}]")
    assert verdict.summary == f"a query that verifies {name} writes: cannot execute INSERT in a read-only transaction"
    assert verdict.remedy == f"only read in databases.{name}.verify in pyproject.toml"


def test_a_query_that_takes_too_long_fails(owned: Owned) -> None:
    """A query past the deadline is ended by the server."""
    here = shop(owned, verify=("select pg_sleep(30)",))
    verdict = look(replace(here, settings=replace(here.settings, deadline_s=0.2)), answers_id(owned))
    assert verdict.summary == "postgres takes longer than 0.2 s to answer a query"
    assert verdict.found == "the statement was canceled at its deadline (57014)"


def test_a_table_that_may_not_be_read_is_unknown(owned: Owned) -> None:
    """Without the right to read a table the grant that is missing is named."""
    here = shop(owned, verify=("select count(*) from ledger",))
    owned.execute("create table ledger (id int)", as_admin=True)
    verdict = look(here, answers_id(owned))
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == f"{owned.role} may not look: permission denied for table ledger (42501)"


def test_every_probe_says_that_the_server_is_not_there(owned: Owned) -> None:
    """A server that is down is called that, and not a missing table."""
    required = {f"required_{kind}": ("a.b",) for kind in KINDS}
    here = shop(owned, verify=("select 1",), **required)
    with closed_port() as port:
        here = replace(here, endpoints={"postgres": replace(owned.address.endpoint, port=port)})
        probes = [f"schema.has_{kind}[{owned.address.database}]" for kind in KINDS] + [answers_id(owned)]
        summaries = {look(here, probe).summary for probe in probes}
    assert summaries == {f"postgres refuses connections at 127.0.0.1:{port}"}


def answers_id(owned: Owned) -> str:
    """Return the id of the probe of the queries."""
    return f"schema.answers_queries[{owned.address.database}]"


def test_a_job_is_done_where_what_it_migrates_is_there(owned: Owned) -> None:
    """A Job passes by the databases that it migrates, which it requires to be as they have to be."""
    job = Service(name="migrate", kind=ServiceKind.JOB, migrates=(owned.address.database,))
    database = Database(name=owned.address.database, service="postgres", required_tables=("users",))
    here = environment(owned.address.endpoint, services=[job], databases=[database])
    assert look(here, "job.completed[migrate]").summary == f"done: {owned.address.database} is migrated"


def test_a_job_that_migrates_nothing_is_off(owned: Owned) -> None:
    """A Job of which nothing is known to come is not looked at."""
    here = environment(owned.address.endpoint, services=[Service(name="migrate", kind=ServiceKind.JOB)])
    verdict = look(here, "job.completed[migrate]")
    assert verdict.state is State.OFF
    assert verdict.summary == "it names no database that it migrates, so there is nothing to look at"


def test_what_a_target_says_of_a_job_is_its_verdict(owned: Owned) -> None:
    """What could not be brought about is the Job's verdict, as it is."""
    fault = failed("the Job failed", expected="done", found="failed", where="its pod", remedy="read its log")
    here = environment(owned.address.endpoint, services=[Service(name="migrate", kind=ServiceKind.JOB)])
    assert look(replace(here, faults={"migrate": fault}), "job.completed[migrate]") == fault
