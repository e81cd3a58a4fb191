"""The rules by which folder and history are compared."""

from __future__ import annotations

import pytest

from pytest_devenv.errors import MigrationError
from pytest_devenv.migrate.compare import after, compare, refuse, upto
from pytest_devenv.migrate.failure import StateError
from pytest_devenv.migrate.model import Applied, Migration, Status

FILES = tuple(Migration(version=str(n), description=f"m{n}", file=f"{n}_m{n}.sql") for n in (1, 2, 10))
SUMS = {str(n): f"{n:02x}" for n in (1, 2, 10)}


def _row(version: int, *, description: str | None = None, checksum: str | None = None, dirty: bool = False) -> Applied:
    return Applied(
        version=str(version),
        description=f"m{version}" if description is None else description,
        checksum=f"{version:02x}" if checksum is None else checksum,
        dirty=dirty,
    )


def _status(*rows: Applied) -> Status:
    return compare("sqlx", FILES, rows, SUMS, int)


def test_an_empty_history_leaves_all_pending() -> None:
    """Nothing applied is nothing wrong, and not clean."""
    status = _status()
    assert status.pending == FILES
    assert not status.clean
    assert status.current is None
    assert refuse(status, where="here", strict=True) == ()


def test_everything_applied_is_clean() -> None:
    """All files applied as they stand is clean, and the last one is current."""
    status = _status(_row(10), _row(2), _row(1))
    assert status.clean
    assert status.current == "10"
    assert [row.version for row in status.applied] == ["1", "2", "10"]


def test_an_edited_file_is_refused_with_both_checksums() -> None:
    """The message names the file, and the old and the new checksum."""
    with pytest.raises(StateError) as caught:
        refuse(_status(_row(1, checksum="ff"), _row(2)), where="here", strict=False)
    assert str(caught.value) == (
        "migration 1 (m1) was edited after it was applied\n"
        "  expected: checksum ff\n"
        "  found: checksum 01\n"
        "  where: 1_m1.sql, and here\n"
        "  remedy: restore the file (git log -- 1_m1.sql) and put the change into a new migration;"
        " if the edit changes nothing in the database: pytest-devenv db repair 1 --edited"
    )
    assert caught.value.status.edited[0].version == "1"


def test_a_missing_file_is_refused_by_name() -> None:
    """What is applied and has no file here stops the run."""
    with pytest.raises(StateError, match=r"found: no file for 3 \(m3\)"):
        refuse(_status(_row(1), _row(3)), where="here", strict=False)


def test_a_dirty_row_is_refused_with_the_way_to_repair_it() -> None:
    """A half-applied migration stops the run, and says what to look at."""
    with pytest.raises(StateError, match=r"remedy: pytest-devenv db repair 2$"):
        refuse(_status(_row(1), _row(2, dirty=True)), where="here", strict=False)


def test_a_rename_is_warned_of_and_refused_when_strict() -> None:
    """A file that is called otherwise than when it was applied is no reason to stop, unless strict."""
    status = _status(_row(1, description="old name"))
    (warning,) = refuse(status, where="here", strict=False)
    assert warning == "migration 1 was applied as 'old name' and is now called 'm1' (1_m1.sql)"
    with pytest.raises(StateError, match="old name"):
        refuse(status, where="here", strict=True)


def test_a_late_migration_is_warned_of_and_refused_when_strict() -> None:
    """A lower version that arrives late is applied with a warning, unless strict."""
    status = _status(_row(1), _row(10))
    assert [migration.version for migration in status.late] == ["2"]
    assert refuse(status, where="here", strict=False) == ("migration 2 (m2) comes before 10, which is applied already",)
    with pytest.raises(StateError, match="comes before 10"):
        refuse(status, where="here", strict=True)


def test_a_history_without_descriptions_takes_those_of_the_files() -> None:
    """Where a tool keeps no description, a file cannot have been renamed."""
    status = _status(_row(1, description=""))
    assert status.applied[0].description == "m1"
    assert status.renamed == ()


def test_a_target_bounds_what_is_applied() -> None:
    """`to` names the last version that is applied."""
    assert [one.version for one in upto(FILES, FILES, "2")] == ["1", "2"]
    assert upto(FILES, FILES, None) == FILES


def test_an_unknown_target_names_one_that_is_near() -> None:
    """A version that is not there is an error, with the nearest one."""
    with pytest.raises(MigrationError, match=r"one of 3 versions, such as 10\b"):
        upto(FILES, FILES, "100")


@pytest.mark.parametrize(
    ("count", "to", "chosen"),
    [
        (1, None, ["10"]),
        (2, None, ["10", "2"]),
        (9, None, ["10", "2", "1"]),
        (0, None, []),
        (1, "1", ["10", "2"]),
        (1, "10", []),
        (1, "base", ["10", "2", "1"]),
    ],
)
def test_what_is_taken_back_comes_newest_first(count: int, to: str | None, chosen: list[str]) -> None:
    """Either the last `count`, or all after `to`."""
    status = _status(_row(1), _row(2), _row(10))
    assert [one.version for one in after(status, FILES, count=count, to=to)] == chosen
