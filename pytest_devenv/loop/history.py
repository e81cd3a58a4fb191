"""The history of loops on this machine: every edit that was timed, in a small SQLite file outside of any repository."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError
from pytest_devenv.loop.model import Sample, Stage
from pytest_devenv.loop.place import loops_folder
from pytest_devenv.targets.embedded.instance import project_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.loop.model import Measured
    from pytest_devenv.settings import Settings

MOST_SAMPLES = 500
_WAIT_S = 10
_TABLE = """
    CREATE TABLE IF NOT EXISTS sample (
        id INTEGER PRIMARY KEY,
        project TEXT NOT NULL,
        loop TEXT NOT NULL,
        way TEXT NOT NULL,
        at REAL NOT NULL,
        total_s REAL NOT NULL,
        observer_s REAL NOT NULL,
        detect_s REAL,
        build_s REAL,
        update_s REAL,
        live_s REAL)
"""
_OF_ONE = "project = ? AND loop = ? AND way = ?"


def history_file() -> Path:
    """Return where the history is."""
    return loops_folder() / "history.sqlite3"


def usual(settings: Settings, loop: str, way: str) -> tuple[Sample, ...]:
    """Return what was timed on this machine so far in the same way, newest first. Raises TargetError."""
    with _opened() as connection:
        rows = connection.execute(
            f"SELECT at, total_s, observer_s, detect_s, build_s, update_s, live_s FROM sample WHERE {_OF_ONE}"  # noqa: S608
            " ORDER BY id DESC LIMIT ?",
            (project_key(settings), loop, way, MOST_SAMPLES),
        ).fetchall()
    return tuple(
        Sample(
            at=at,
            total_s=total_s,
            observer_s=observer_s,
            stages={stage: value for stage, value in zip(Stage, stages, strict=True) if value is not None},
        )
        for at, total_s, observer_s, *stages in rows
    )


def keep(settings: Settings, measured: Measured, way: str) -> None:
    """Add what was timed in some way; of each loop the newest 500 edits stay. Raises TargetError."""
    of_one = (project_key(settings), measured.loop.name, way)
    rows = [
        (*of_one, each.at, each.total_s, each.observer_s, *(each.stages.get(stage) for stage in Stage))
        for each in measured.samples
    ]
    with _opened() as connection, connection:
        connection.executemany(
            "INSERT INTO sample (project, loop, way, at, total_s, observer_s, detect_s, build_s, update_s, live_s)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        connection.execute(
            f"DELETE FROM sample WHERE {_OF_ONE} AND id NOT IN"  # noqa: S608
            f" (SELECT id FROM sample WHERE {_OF_ONE} ORDER BY id DESC LIMIT ?)",
            (*of_one, *of_one, MOST_SAMPLES),
        )


@contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    file = history_file()
    try:
        with closing(sqlite3.connect(file, timeout=_WAIT_S)) as connection:
            connection.execute(_TABLE)
            yield connection
    except sqlite3.Error as error:
        msg = f"expected the history of loops, found: {error}, looked in {file}"
        raise TargetError(msg, remedy=f"remove it, it only holds earlier times: rm {file}") from error
