"""The rows that seeds wrote, as the history keeps them, and what several runs of one seed come to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.seed.tracking import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    from pytest_devenv.seed.history import History

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


def dump(changes: Iterable[Change]) -> str:
    """Return changes as the JSON array that the history takes."""
    return json.dumps(
        [
            {
                "number": number,
                "schema": change.schema,
                "table": change.table,
                "key": change.key,
                "before": change.before,
                "written": change.written,
                "keyless": change.keyless,
            }
            for number, change in enumerate(changes)
        ]
    )


def fetch(connection: Connection, history: History, name: str) -> tuple[Change, ...]:
    """Return all that stands of a seed, oldest first, over all the times that it was applied again."""
    query = history.compose(
        "SELECT r.schema_name, r.table_name, r.key, r.before, r.written, r.keyless FROM {rows} r"
        " JOIN {table} h ON h.id = r.history_id WHERE h.name = %s ORDER BY r.history_id, r.number"
    )
    return tuple(
        Change(schema=schema, table=table, key=key, before=before, written=written, keyless=keyless)
        for schema, table, key, before, written, keyless in connection.execute(query, [name])
    )


def forget(connection: Connection, history: History, name: str) -> None:
    """Drop what was kept of a seed, which has been taken back."""
    connection.execute(
        history.compose("DELETE FROM {rows} r USING {table} h WHERE h.id = r.history_id AND h.name = %s"), [name]
    )


def net(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return what changes that came one after the other come to, at most one for each row that has a key."""
    found: dict[tuple[str, ...], Change] = {}
    for number, change in enumerate(changes):
        if change.keyless:
            found[*change.row, str(number)] = change
            continue
        earlier = found.pop(change.row, None)
        both = change if earlier is None else _both(earlier, change)
        if both is not None:
            found[change.row] = both
    return tuple(found.values())


def _both(earlier: Change, later: Change) -> Change | None:
    if earlier.before is None:  # inserted, and then
        if later.written is None:
            return None
        return replace(later, before=None, written={**(earlier.written or {}), **later.written})
    before = {**(later.before or {}), **earlier.before}
    if later.written is None:
        return replace(later, before=before)
    return replace(later, before=before, written={**(earlier.written or {}), **later.written})
