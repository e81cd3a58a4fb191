"""What a run writes into the history: the row of a seed that runs, of one that failed, and another status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from pytest_devenv.seed.history import History
    from pytest_devenv.seed.model import Record, Rows, Seed, Step
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_FINISH = (
    "WITH written AS (INSERT INTO {rows}"
    " (history_id, number, schema_name, table_name, key, before, written, keyless)"
    " SELECT %(id)s, r.number, r.schema, r.table, r.key, r.before, r.written, r.keyless"
    ' FROM pg_catalog.jsonb_to_recordset(%(rows)s::text::jsonb) AS r(number integer, schema text, "table" text,'
    " key jsonb, before jsonb, written jsonb, keyless boolean))"
    " UPDATE {table} SET checksum = %(checksum)s, details = details || %(details)s WHERE id = %(id)s"
)


def begin(connection: Connection, history: History, step: Step, tier: Tier, first: str) -> int:
    """Note, in the seed's own transaction, that it runs, after the statements `first`; return the row's id.

    What was noted of it before is superseded. Until `complete` and `finish` have filled the row, the database refuses
    to commit.
    """
    from psycopg import sql

    seed, parts = step.seed, [first.encode()]
    if step.applied is not None:
        text = "UPDATE {table} SET status = 'Inactive', notes = "
        note = sql.SQL("{} WHERE id = {}").format(f"superseded by version {seed.version}", step.applied.id)
        parts.append((history.compose(text, plain=True) + note).as_bytes(connection))
    text = "INSERT INTO {table} (name, version, environment, checksum, status) VALUES "
    values = sql.SQL("({}, {}, {}, '', 'Active') RETURNING id").format(seed.name, seed.version, tier.value)
    parts.append((history.compose(text, plain=True) + values).as_bytes(connection))
    cursor = connection.execute(b"; ".join(parts))
    while cursor.nextset():
        pass
    row = cursor.fetchone()
    return 0 if row is None else int(row[0])


def complete(connection: Connection, history: History, history_id: int, duration_ms: float, then: str) -> bool:
    """Let the row be committed, and run the statements `then`; tell whether the row is still there."""
    from psycopg import sql

    text = "UPDATE {table} SET details = pg_catalog.jsonb_build_object('duration_ms', "
    update = history.compose(text, plain=True) + sql.SQL("{}) WHERE id = {}").format(duration_ms, history_id)
    parts = (b"RESET SESSION AUTHORIZATION", b"RESET ROLE", update.as_bytes(connection), then.encode())
    cursor = connection.execute(b"; ".join(parts))
    cursor.nextset()
    cursor.nextset()
    return cursor.rowcount == 1


def finish(
    connection: Connection,
    history: History,
    history_id: int,
    *,
    checksum: str,
    details: Mapping[str, object],
    rows: str,
) -> None:
    """Fill the row of a seed that has run, and keep what it wrote, given as the JSON array of `written.dump`."""
    from psycopg.types.json import Jsonb

    connection.execute(
        history.compose(_FINISH),
        {"id": history_id, "checksum": checksum, "details": Jsonb(details), "rows": rows},
        prepare=True,
    )


def note_failure(
    connection: Connection, history: History, seed: Seed, tier: Tier, *, checksum: str, error: str, duration_ms: float
) -> None:
    """Note that a seed failed, in a transaction of its own: that of the seed was rolled back."""
    from psycopg.types.json import Jsonb

    details = {"duration_ms": duration_ms, "dependencies": list(seed.dependencies), "rows": {}}
    connection.execute(
        history.compose(
            "INSERT INTO {table} (name, version, environment, checksum, status, notes, error, details)"
            " VALUES (%s, %s, %s, %s, 'Inactive', 'failed', %s, %s)"
        ),
        [seed.name, seed.version, tier.value, checksum, error, Jsonb(details)],
    )


def mark(connection: Connection, history: History, ids: list[int], record: Record, notes: str | None) -> None:
    """Give rows another status, and a note that says why."""
    connection.execute(
        history.compose("UPDATE {table} SET status = %s::text::{type}, notes = %s WHERE id = ANY(%s)"),
        [record.value, notes, ids],
    )


def details_of(rows: dict[str, Rows], files: dict[str, str], dependencies: tuple[str, ...]) -> dict[str, Any]:
    """Return what the column `details` holds beside the duration."""
    counts = {
        name: {"inserted": one.inserted, "updated": one.updated, "deleted": one.deleted} for name, one in rows.items()
    }
    return {"rows": counts, "files": files, "dependencies": list(dependencies)}
