"""What several changes of one row come to: taking the net change back is taking all of them back."""

from __future__ import annotations

import dataclasses
import json

from hypothesis import given
from hypothesis import strategies as st

from pytest_devenv.seed.tracking import Change, count, digest
from pytest_devenv.seed.written import dump, net

Row = dict[str, str | None]
_COLUMNS = st.fixed_dictionaries({"v": st.sampled_from(["1", "2", None]), "w": st.sampled_from(["1", "2"])})
_STEPS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.none() | _COLUMNS), max_size=12)


def change(key: str, old: Row | None, new: Row | None) -> Change | None:
    """Return what tracking says of one row that was `old` and is `new`."""
    if old == new:
        return None
    columns = list(new or old or {}) if old is None or new is None else [name for name in new if new[name] != old[name]]
    return Change(
        schema="public",
        table="t",
        key={"id": key},
        before=None if old is None else {name: old[name] for name in columns},
        written=None if new is None else {name: digest(new[name]) for name in columns},
    )


def undone(rows: dict[str, Row], changes: tuple[Change, ...]) -> dict[str, Row]:
    """Take changes back from a table of rows."""
    result = {key: dict(row) for key, row in rows.items()}
    for one in changes:
        key = str(one.key["id"])
        if one.before is None:
            del result[key]
        else:
            result[key] = {**result.get(key, {}), **one.before}
    return result


@given(st.dictionaries(st.sampled_from(["a", "b"]), _COLUMNS), _STEPS)
def test_the_net_change_takes_everything_back(start: dict[str, Row], steps: list[tuple[str, Row | None]]) -> None:
    """Whatever was inserted, updated, deleted and inserted again, undoing the sum restores the start."""
    rows, changes = {key: dict(row) for key, row in start.items()}, []
    for key, new in steps:
        one = change(key, rows.get(key), new)
        if one is not None:
            changes.append(one)
        rows.pop(key, None)
        if new is not None:
            rows[key] = dict(new)
    found = net(changes)
    assert undone(rows, found) == start
    assert len({one.row for one in found}) == len(found)


def test_rows_without_a_key_are_counted_one_by_one() -> None:
    """Two equal rows of a table without a key are two rows."""
    one = Change(schema="public", table="t", key={"v": "1"}, before=None, written={"v": digest("1")}, keyless=True)
    assert net([one, one]) == (one, one)
    assert count([one, one])["t"].inserted == 2


def test_a_digest_does_not_tell_its_value() -> None:
    """What a seed wrote is kept as digests, so the history holds no copy of a token or a password's hash."""
    one = change("a", None, {"token": "very secret"})
    assert one is not None
    assert "very secret" not in dump([one])
    assert json.loads(dump([one]))[0]["written"] == {"token": digest("very secret")}
    assert digest("a") != digest("b") != digest(None)


def test_tables_of_other_schemas_are_named_whole() -> None:
    """A table is known by its name, with its schema unless that is public."""
    one = change("a", None, {"v": "1"})
    assert one is not None
    assert (one.relation, dataclasses.replace(one, schema="music").relation) == ("t", "music.t")
