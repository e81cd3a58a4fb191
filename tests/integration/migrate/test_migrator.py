"""Alembic in a process of its own, as the embedded target has it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_devenv.errors import MigrationError
from pytest_devenv.migrate import AlembicEngine
from pytest_devenv.settings import Tier
from pytest_devenv.targets.embedded.migrator import Migrator, ToldError
from tests.integration.migrate.revisions import write_revision
from tests.integration.migrate.sandbox import tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress


@pytest.fixture
def migrator(tmp_path: Path) -> Iterator[Migrator]:
    """Give the process, which belongs to no instance."""
    (tmp_path / "logs").mkdir()
    with Migrator(tmp_path, tmp_path) as made:
        yield made


def test_it_applies_and_ends(tmp_path: Path, project: Path, empty_database: DatabaseAddress) -> None:
    """One process serves several databases, whatever env.py prints; afterwards it is gone."""
    write_revision(project, "one", None, "CREATE TABLE one ()")
    env = project / "env.py"
    env.write_text(env.read_text() + "print('hello from env.py')\n")
    (tmp_path / "logs").mkdir()
    with Migrator(tmp_path, tmp_path) as migrator:
        migrator.apply(AlembicEngine(folder=project), empty_database, tier=Tier.TEST)
        migrator.apply(AlembicEngine(folder=project), empty_database, tier=Tier.TEST)
        assert "public.one" in tables(empty_database)
        (process,) = [each for each in psutil.Process().children() if migrator.pid == each.pid]
    assert "hello from env.py" in (tmp_path / "logs" / "alembic.log").read_text()
    assert not process.is_running()


def test_what_fails_there_is_told_here(migrator: Migrator, project: Path, empty_database: DatabaseAddress) -> None:
    """The message and the remedy are the engine's own, and the process goes on."""
    write_revision(project, "one", None, "CREATE TABL one ()")
    with pytest.raises(ToldError, match=r"revision one failed|one \(do one\)") as caught:
        migrator.apply(AlembicEngine(folder=project), empty_database, tier=Tier.TEST)
    assert "syntax error" in caught.value.message
    assert caught.value.extension is None
    write_revision(project, "one", None, "CREATE TABLE one ()")
    migrator.apply(AlembicEngine(folder=project), empty_database, tier=Tier.TEST)
    assert "public.one" in tables(empty_database)


def test_a_missing_extension_is_named(migrator: Migrator, project: Path, empty_database: DatabaseAddress) -> None:
    """So that the embedded target can say that it could not look."""
    write_revision(project, "one", None, "CREATE EXTENSION no_such_extension")
    with pytest.raises(ToldError) as caught:
        migrator.apply(AlembicEngine(folder=project), empty_database, tier=Tier.TEST)
    assert caught.value.extension == "no_such_extension"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("raise KeyError('DATABASE_URL')", r"KeyError in env\.py or a revision\n'DATABASE_URL'"),
        (f"import os; os._exit({os.EX_SOFTWARE})", r"ended while it migrated"),
    ],
)
def test_an_env_py_that_breaks_is_told(
    migrator: Migrator, project: Path, empty_database: DatabaseAddress, line: str, said: str
) -> None:
    """Whatever it raises, and also when it ends its process."""
    write_revision(project, "one", None, "CREATE TABLE one ()")
    (project / "env.py").write_text(f"print('on the way')\n{line}\n")
    with pytest.raises(MigrationError, match=said) as caught:
        migrator.apply(AlembicEngine(folder=project), empty_database, tier=Tier.TEST)
    assert caught.value.remedy is not None
    assert "public.one" not in tables(empty_database)
