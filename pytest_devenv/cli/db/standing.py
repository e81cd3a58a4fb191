"""How a database stands: its marker, its migrations, its seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.marker import read_identity, read_marker
from pytest_devenv.errors import GuardError
from pytest_devenv.migrate.session import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv import seed as seeds
    from pytest_devenv.cli.db.call import Call
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Status
    from pytest_devenv.settings import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was seen of one database; None for what it is not configured to have."""

    address: DatabaseAddress
    marker: str
    migrations: Status | None = None
    seeds: seeds.Status | None = None

    @property
    def clean(self) -> bool:
        """Whether migrations and seeds are applied as they stand in their folders."""
        return all(each is None or each.clean for each in (self.migrations, self.seeds))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "where": str(self.address),
            "clean": self.clean,
            "marker": self.marker,
            "migrations": None if self.migrations is None else _migrations(self.migrations),
            "seeds": None if self.seeds is None else _seeds(self.seeds),
        }


def standing_of(call: Call, database: Database) -> Standing:
    """Look at one database; changes nothing."""
    address, deadline_s = call.address(database), call.settings.deadline_s
    migrations = found = None
    if database.migrations is not None:
        migrations = call.engine(database).status(address, deadline_s=deadline_s)
    if database.seeds is not None:
        from pytest_devenv import seed as seeds

        folder = call.settings.root / database.seeds
        found = seeds.status(seeds.load(folder), address, tier=call.tier, deadline_s=deadline_s)
    return Standing(address=address, marker=_marker(address, deadline_s), migrations=migrations, seeds=found)


def print_standing(call: Call, found: Standing) -> None:
    """Show it to people, with a line for each thing that is not as it should be."""
    say = call.report.say
    say(str(found.address))
    say(f"  marker      {found.marker}")
    if found.migrations is not None:
        seen = found.migrations
        at = "" if seen.current is None else f", at {seen.current}"
        say(f"  migrations  {seen.engine}: {len(seen.applied)} applied, {len(seen.pending)} pending{at}")
        for word, text in _odd(seen):
            say(f"    {word:<9} {text}")
    if found.seeds is not None:
        by_state: dict[str, int] = {}
        for one in found.seeds.seeds:
            by_state[one.state.value] = by_state.get(one.state.value, 0) + 1
        say(f"  seeds       {', '.join(f'{count} {state}' for state, count in by_state.items()) or 'none'}")
        for one in found.seeds.seeds:
            if one.state.value not in {"current", "off"}:
                failure = "" if one.error is None else f"; failed: {one.error.splitlines()[0]}"
                differs = f": {one.difference}" if one.difference else ""
                say(f"    {one.state.value:<9} {one.seed}{differs}{failure}")
        for row in found.seeds.orphaned:
            say(f"    {'orphaned':<9} {row}")


def _marker(address: DatabaseAddress, deadline_s: float) -> str:
    with connected(address, deadline_s=deadline_s) as connection:
        try:
            marker, identity = read_marker(connection), read_identity(connection)
        except GuardError as error:
            return f"cannot be read: {error.message.splitlines()[0]}"
    if marker is None:
        return "none" + (", and the database is empty" if identity.is_empty else "")
    if not marker.names(identity):
        return "of another database"
    return f"{marker.tier}, {marker.origin} {marker.marked_at:%Y-%m-%d %H:%M} by {marker.marked_by}"


def _odd(seen: Status) -> Iterator[tuple[str, str]]:
    late = {each.version for each in seen.late}
    for pending in seen.pending:
        yield "pending", f"{pending}" + ("  (comes before one that is applied)" if pending.version in late else "")
    for word, rows in (("dirty", seen.dirty), ("missing", seen.missing)):
        for row in rows:
            yield word, str(row)
    for edited in seen.edited:
        yield "edited", f"{edited.version} ({edited.description}): {edited.path.name}"
    for renamed in seen.renamed:
        yield "renamed", f"{renamed.version}: {renamed.applied_description} → {renamed.found_description}"
    for note in seen.notes:
        yield "note", note


def _migrations(seen: Status) -> dict[str, Any]:
    return {
        "engine": seen.engine,
        "current": seen.current,
        "heads": list(seen.heads),
        "applied": [each.version for each in seen.applied],
        "notes": list(seen.notes),
        **{
            word: [each.version for each in getattr(seen, word)]
            for word in ("pending", "dirty", "edited", "missing", "late", "renamed")
        },
    }


def _seeds(seen: seeds.Status) -> dict[str, Any]:
    return {
        "seeds": [
            {
                "name": one.seed.name,
                "layer": one.seed.layer,
                "version": one.seed.version,
                "applied_version": None if one.applied is None else one.applied.version,
                "state": one.state.value,
                "changed": list(one.changed),
                "error": one.error,
                "applied_at": None if one.applied is None else one.applied.applied_at.isoformat(),
            }
            for one in seen.seeds
        ],
        "orphaned": [row.name for row in seen.orphaned],
    }
