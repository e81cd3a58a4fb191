"""Is the environment healthy? These read, and change nothing but a redis key of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.checks.asserting import asserts, holds

if TYPE_CHECKING:
    from pytest_devenv.run import Devenv

pytestmark = pytest.mark.health


@asserts("postgres.accepts_queries", "redis.answers", "http.answers", "job.completed")
def test_service_answers(devenv: Devenv, probe: str) -> None:
    """Every service answers as its kind does, and every Job has completed."""
    holds(devenv.verdict(probe))


@asserts("http.keeps_its_budget")
def test_service_answers_within_its_budget(devenv: Devenv, probe: str) -> None:
    """An HTTP service answers as fast as its budget says."""
    holds(devenv.verdict(probe))


@asserts("postgres.has_free_connections")
def test_server_has_free_connections(devenv: Devenv, probe: str) -> None:
    """PostgreSQL has connections left for whoever comes next."""
    holds(devenv.verdict(probe))


@asserts("postgres.tells_the_time")
def test_clocks_agree(devenv: Devenv, probe: str) -> None:
    """PostgreSQL's clock and this machine's tell the same time."""
    holds(devenv.verdict(probe))


@asserts("postgres.is_not_blocked")
def test_no_transaction_blocks_others_for_long(devenv: Devenv, probe: str) -> None:
    """No old transaction keeps others waiting."""
    holds(devenv.verdict(probe))


@asserts("database.exists")
def test_database_exists(devenv: Devenv, probe: str) -> None:
    """Every database of the settings is there, and its user may connect."""
    holds(devenv.verdict(probe))


@asserts("database.is_utf8")
def test_database_is_utf8(devenv: Devenv, probe: str) -> None:
    """Every database stores text as UTF-8."""
    holds(devenv.verdict(probe))


@asserts("migrations.none_dirty")
def test_no_migration_is_half_applied(devenv: Devenv, probe: str) -> None:
    """No migration failed half way."""
    holds(devenv.verdict(probe))


@asserts("migrations.all_applied")
def test_every_pending_migration_is_applied(devenv: Devenv, probe: str) -> None:
    """Every migration of the folder is applied."""
    holds(devenv.verdict(probe))


@asserts("migrations.none_edited")
def test_no_applied_migration_was_edited(devenv: Devenv, probe: str) -> None:
    """What was applied is what the folder says."""
    holds(devenv.verdict(probe))


@asserts("migrations.none_missing")
def test_no_applied_migration_is_missing(devenv: Devenv, probe: str) -> None:
    """Every applied migration is in the folder."""
    holds(devenv.verdict(probe))


@asserts("redis.stores_keys")
def test_redis_stores_keys(devenv: Devenv, probe: str) -> None:
    """A key that is written is read back, and expires."""
    holds(devenv.verdict(probe))


@asserts("redis.has_memory")
def test_redis_has_memory_left(devenv: Devenv, probe: str) -> None:
    """Redis is not about to refuse writes for want of memory."""
    holds(devenv.verdict(probe))


@asserts("redis.evicts_only_what_expires")
def test_redis_evicts_only_what_expires(devenv: Devenv, probe: str) -> None:
    """Redis does not throw away keys that nobody gave a time to live."""
    holds(devenv.verdict(probe))


@asserts("tilt.runs")
def test_tilt_runs(devenv: Devenv, probe: str) -> None:
    """The Tilt of this project runs, where one is required."""
    holds(devenv.verdict(probe))


@asserts("tilt.is_new_enough")
def test_tilt_is_new_enough(devenv: Devenv, probe: str) -> None:
    """Tilt's own version is one that the Tiltfile allows."""
    holds(devenv.verdict(probe))


@asserts("tilt.resources_are_ready")
def test_every_resource_of_tilt_is_ready(devenv: Devenv, probe: str) -> None:
    """Every resource that is not disabled is updated and ready, but for triggers that nobody has pressed."""
    holds(devenv.verdict(probe))


@asserts("tilt.forwards_are_alive")
def test_every_forward_of_tilt_is_alive(devenv: Devenv, probe: str) -> None:
    """Every port that Tilt forwards is bound, and somebody answers behind it."""
    holds(devenv.verdict(probe))


@asserts("secret.is_present")
def test_required_secret_is_present(devenv: Devenv, probe: str) -> None:
    """Every required secret is there; its value is looked at by nobody."""
    holds(devenv.verdict(probe))
