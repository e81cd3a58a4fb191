"""Histories mended on request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import GuardError, MigrationError
from pytest_devenv.migrate import Action, PlainEngine, RunError, apply_repair, plan_repair
from pytest_devenv.settings import Tier
from tests.integration.migrate.sandbox import engine, fill, query

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress


@pytest.fixture
def plain(folder: Path) -> PlainEngine:
    """Give the engine for sqlx's layout."""
    made = engine(folder)
    assert isinstance(made, PlainEngine)
    return made


@pytest.fixture
def dirty(empty_database: DatabaseAddress, folder: Path, plain: PlainEngine) -> DatabaseAddress:
    """Give a database with a dirty migration 1."""
    fill(folder, {"1_a.sql": "-- no-transaction\nSELECT 1/0"})
    with pytest.raises(RunError):
        plain.apply(empty_database, tier=Tier.TEST)
    return empty_database


def test_what_would_be_written_is_shown_first(dirty: DatabaseAddress, plain: PlainEngine) -> None:
    """The plan holds the row as it is, as it will be, and the statement, and writes nothing."""
    planned = plan_repair(plain, dirty, "1", Action.ABSENT)
    assert str(planned) == "1: dirty → not applied"
    assert planned.statement == 'DELETE FROM "public"."_sqlx_migrations" WHERE version = 1'
    assert len(plain.status(dirty).dirty) == 1


def test_a_dirty_one_is_applied_or_absent(
    dirty: DatabaseAddress, plain: PlainEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever looked says which, and it is logged."""
    with caplog.at_level(logging.WARNING):
        apply_repair(plain, dirty, "1", Action.APPLIED, tier=Tier.TEST)
    assert plain.status(dirty).clean
    assert "1: dirty → applied" in caplog.text
    with pytest.raises(MigrationError, match="found: 1 is applied as it stands"):
        apply_repair(plain, dirty, "1", Action.ABSENT, tier=Tier.TEST)


def test_an_absent_one_is_run_again(dirty: DatabaseAddress, plain: PlainEngine, folder: Path) -> None:
    """Once forgotten, the mended file is applied."""
    apply_repair(plain, dirty, "1", Action.ABSENT, tier=Tier.TEST)
    fill(folder, {"1_a.sql": "SELECT 1"})
    plain.apply(dirty, tier=Tier.TEST)
    assert plain.status(dirty).clean


def test_an_edit_and_a_missing_file_are_accepted(
    empty_database: DatabaseAddress, folder: Path, plain: PlainEngine
) -> None:
    """The present checksum is taken over, and a row without a file deleted."""
    fill(folder, {"1_a.sql": "SELECT 1", "2_b.sql": "SELECT 2"})
    plain.apply(empty_database, tier=Tier.TEST)
    fill(folder, {"1_a.sql": "SELECT 1 -- one"})
    (folder / "2_b.sql").unlink()
    assert "checksum" in apply_repair(plain, empty_database, "1", Action.EDITED, tier=Tier.TEST).before
    apply_repair(plain, empty_database, "2", Action.FORGET, tier=Tier.TEST)
    assert plain.status(empty_database).clean


@pytest.mark.parametrize("action", list(Action))
def test_what_needs_no_repair_gets_none(
    empty_database: DatabaseAddress, folder: Path, plain: PlainEngine, action: Action
) -> None:
    """A healthy, a pending and an unknown migration are refused, saying what they are."""
    fill(folder, {"1_a.sql": "SELECT 1", "2_b.sql": "SELECT 2"})
    plain.apply(empty_database, tier=Tier.TEST, to="1")
    for version, standing in (("1", "1 is applied as it stands"), ("2", "2 is pending"), ("9", "no migration 9")):
        with pytest.raises(MigrationError, match=f"needs no such repair[\\s\\S]*found: {standing}"):
            apply_repair(plain, empty_database, version, action, tier=Tier.TEST)


def test_repair_asks_the_guard(dirty: DatabaseAddress, plain: PlainEngine) -> None:
    """Without a marker no row is mended."""
    query(dirty, "DROP SCHEMA pytest_devenv CASCADE")
    with pytest.raises(GuardError):
        apply_repair(plain, dirty, "1", Action.ABSENT, tier=Tier.TEST)
    with pytest.raises(GuardError):
        apply_repair(plain, dirty, "1", Action.ABSENT, tier=Tier.PRODUCTION)
    assert len(plain.status(dirty).dirty) == 1
