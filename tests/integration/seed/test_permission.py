"""The guard: what may be seeded, with whose word, and what never is."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.marker import read_marker
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.errors import GuardError, SeedError
from pytest_devenv.guard import Consent
from pytest_devenv.seed import apply, clean, roll_back
from pytest_devenv.settings import ServiceKind, Tier

if TYPE_CHECKING:
    from tests.conftest import Postgres
    from tests.integration.seed.bench import Bench


@pytest.mark.parametrize("tier", [Tier.PRODUCTION, Tier.STAGING])
def test_production_and_staging_get_base_seeds_with_a_persons_word(bench: Bench, tier: Tier) -> None:
    """With the database's name confirmed base is applied, and nothing of the other layers."""
    bench.query("DROP SCHEMA pytest_devenv CASCADE")
    bench.seeds.python("base/10_a", "ctx.ensure('people', {'name': str(ctx.tier)})")
    bench.seeds.python("development/10_b", "raise AssertionError")
    bench.seeds.python("test/10_c", "raise AssertionError")
    result = apply(bench.seeds.load(), bench.address, tier=tier, consent=Consent(bench.address.database))
    assert [done.seed.name for done in result.done] == ["a"]
    assert bench.query("SELECT name FROM people") == [(tier.value,)]
    with connect(bench.address) as connection:
        assert read_marker(connection) is None
    with pytest.raises(GuardError, match=f"refused: the environment is {tier}"):
        roll_back(bench.seeds.load(), bench.address, "a", tier=tier)


def closed_address(database: str, host: str) -> tuple[socket.socket, DatabaseAddress]:
    """Return a listener that counts on not being called, and an address that leads to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    port = listener.getsockname()[1]
    endpoint = Endpoint(service="postgres", kind=ServiceKind.POSTGRES, host=host, port=port, user="kiro")
    return listener, DatabaseAddress(endpoint, database)


@pytest.mark.parametrize(
    ("tier", "database", "host", "consent", "reason"),
    [
        (Tier.PRODUCTION, "kiro", "127.0.0.1", None, "nobody confirmed it"),
        (Tier.STAGING, "kiro", "127.0.0.1", None, "nobody confirmed it"),
        (Tier.PRODUCTION, "kiro", "127.0.0.1", Consent("other"), "found: the name other"),
        (Tier.DEVELOPMENT, "kiro_production", "127.0.0.1", None, "is named like production"),
        (Tier.TEST, "kiro", "live.127.0.0.1.nip.io", None, "is named like live"),
    ],
)
def test_a_refusal_opens_no_connection(
    bench: Bench, tier: Tier, database: str, host: str, consent: Consent | None, reason: str
) -> None:
    """A listener at the address is never called by what is refused."""
    bench.seeds.python("base/10_a")
    listener, address = closed_address(database, host)
    with listener:
        for call in (
            lambda: apply(bench.seeds.load(), address, tier=tier, consent=consent),
            lambda: clean(bench.seeds.load(), address, tier=tier, consent=consent),
        ):
            with pytest.raises(GuardError) as caught:
                call()
            assert reason in str(caught.value)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_refusal_in_production_says_how_to_consent(bench: Bench) -> None:
    """The remedy is the command with the name to repeat."""
    with pytest.raises(GuardError) as caught:
        apply(bench.seeds.load(), bench.address, tier=Tier.PRODUCTION)
    assert caught.value.remedy == f"pytest-devenv db seed --env production --confirm {bench.address.database}"


def test_a_database_without_a_marker_is_left_alone(bench: Bench) -> None:
    """A database that holds data and does not say that it may be changed gets no seed and no history."""
    bench.query("DROP SCHEMA pytest_devenv CASCADE")
    bench.seeds.python("base/10_a", "ctx.ensure('people', {'name': 'ada'})")
    with pytest.raises(GuardError, match="it does not say that it is a development database"):
        bench.apply()
    with pytest.raises(GuardError, match="it does not say that it is a development database"):
        bench.roll_back("a")
    assert bench.query("SELECT to_regclass('seed_history')") == [(None,)]
    assert bench.query("TABLE people") == []


def test_an_empty_database_is_marked_when_it_is_first_filled(postgres_server: Postgres, bench: Bench) -> None:
    """As with migrations; a seed that finds no tables there is told to wait for them."""
    address = postgres_server.create_database()
    bench.seeds.python("base/10_a", "ctx.ensure('people', {'name': 'ada'})")
    empty = replace(bench, address=address)
    with pytest.raises(SeedError, match='relation "people" does not exist') as caught:
        empty.apply()
    assert caught.value.remedy is not None
    assert "pytest-devenv db migrate" in caught.value.remedy
    with connect(address) as connection:
        marker = read_marker(connection)
    assert marker is not None
    assert marker.tier is Tier.TEST
    postgres_server.drop_database(address.database)


def test_a_server_that_is_not_there_is_said_so(bench: Bench) -> None:
    """The message names the address and what to look at; there is no password in it."""
    listener, address = closed_address("kiro", "127.0.0.1")
    listener.close()
    with pytest.raises(SeedError, match="cannot connect to kiro") as caught:
        apply(bench.seeds.load(), address, tier=Tier.TEST)
    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("see what is wrong: psql -h 127.0.0.1")


@pytest.mark.parametrize(
    ("prepare", "message", "found"),
    [
        ("CREATE TABLE seed_history (id int)", "seed_history cannot be read", 'column "name" does not exist'),
        ("CREATE TYPE seed_status_enum AS ENUM ()", "seed_history cannot be created", "already exists"),
    ],
)
def test_a_history_that_is_not_ours_is_left_alone(bench: Bench, prepare: str, message: str, found: str) -> None:
    """A table or type of the same name is somebody else's: nothing is applied, and the message says what was met."""
    bench.query(prepare)
    bench.seeds.python("base/10_a", "ctx.ensure('people', {'name': 'ada'})")
    with pytest.raises(SeedError, match=message) as caught:
        bench.apply()
    assert found in caught.value.message
    assert bench.query("TABLE people") == []


def test_taking_back_does_not_mark_an_empty_database(postgres_server: Postgres, bench: Bench) -> None:
    """Only what fills a database claims it."""
    address = postgres_server.create_database()
    with pytest.raises(GuardError, match="it does not say that it is a development database"):
        replace(bench, address=address).roll_back("a")
    with connect(address) as connection:
        assert read_marker(connection) is None
    postgres_server.drop_database(address.database)
