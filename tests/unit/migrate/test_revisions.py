"""Alembic's revisions read without Alembic: what is read is what Alembic says, and the rest is left to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_devenv.migrate.alembic_env import open_environment
from pytest_devenv.migrate.revisions import read_line

ROOT = Path(__file__).parents[3]
PLAIN = """\"""{doc}\"""
revision = {revision!r}
down_revision = {down!r}
def upgrade(): pass
"""
TYPED = """\"""{doc}

Revises: {down}
\"""
from typing import Union
revision: str = {revision!r}
down_revision: Union[str, None] = {down!r}
branch_labels: Union[str, None] = None
depends_on: Union[str, None] = None
def upgrade() -> None: pass
def downgrade() -> None: pass
"""


def write(folder: Path, revision: str, down: object, form: str = PLAIN, more: str = "") -> None:
    """Write one revision, with what comes after it."""
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    text = form.format(doc=f"Do {revision}", revision=revision, down=down) + more
    (folder / "versions" / f"{revision}_x.py").write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with three revisions in a line, named against their order."""
    write(tmp_path, "c", None)
    write(tmp_path, "a", "c", TYPED)
    write(tmp_path, "b", "a", TYPED)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
    return tmp_path


def test_a_line_is_read_as_alembic_reads_it(folder: Path) -> None:
    """Order, parents, descriptions, files and ways back are those of the library."""
    assert read_line(folder) == open_environment(folder).migrations()
    assert [one.version for one in read_line(folder) or ()] == ["c", "a", "b"]


def test_the_reference_environment_is_read() -> None:
    """The revisions of the jobs need no Alembic to be compared with a database."""
    jobs = ROOT / "migrations" / "jobs"
    assert read_line(jobs) == open_environment(jobs).migrations() != ()


def test_an_ini_beside_the_folder_is_understood(folder: Path) -> None:
    """The layout that `alembic init` makes has its revisions in the folder itself, whatever the ini calls it."""
    inner = folder / "inner"
    inner.mkdir()
    (folder / "versions").rename(inner / "versions")
    assert read_line(inner) == open_environment(inner).migrations()
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = inner\n")
    assert read_line(folder) == open_environment(folder).migrations() != ()


def test_an_empty_folder_has_no_revisions(tmp_path: Path) -> None:
    """Nothing is a line, too."""
    (tmp_path / "versions").mkdir()
    assert read_line(tmp_path) == ()


@pytest.mark.parametrize(
    ("revision", "down", "more"),
    [
        ("d", "a", ""),
        ("d", None, ""),
        ("d", "gone", ""),
        ("d", ("a", "b"), ""),
        ("b2", "b", "revision = 'b'"),
        ("d", "b", "branch_labels = ('side',)"),
        ("d", "b", "depends_on = 'c'"),
        ("d", "b", "if True:\n    revision = 'e'"),
        ("d", "b", "branch_labels = make()"),
        ("d", "b", "this is no Python"),
        ("d", "b", "depends_on = {[]: 1}"),
        ("c", "b", ""),
    ],
    ids=[
        "branch", "two bases", "unknown parent", "merge", "said twice", "label", "depends", "conditional", "computed",
        "broken", "unhashable", "circle",
    ],
)  # fmt: skip
def test_what_is_no_plain_line_is_left_to_alembic(folder: Path, revision: str, down: object, more: str) -> None:
    """Nothing is guessed: where a file could mean something else, Alembic is asked."""
    write(folder, revision, down, more=more)
    assert read_line(folder) is None


@pytest.mark.parametrize(
    "ini",
    [
        "version_locations = elsewhere",
        "recursive_version_locations = true",
        "sourceless = true",
        "script_location = package:folder",
        "script_location = %(nothing)s",
        "script_location",
    ],
)
def test_an_unusual_ini_is_left_to_alembic(folder: Path, ini: str) -> None:
    """Where revisions may lie elsewhere, Alembic is asked."""
    (folder / "alembic.ini").write_text(f"[alembic]\n{ini}\n")
    assert read_line(folder) is None


def test_without_a_folder_of_versions_alembic_is_asked(tmp_path: Path) -> None:
    """What is wrong with a folder is Alembic's to say."""
    assert read_line(tmp_path) is None
