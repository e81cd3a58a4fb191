"""Taking one seed back: exactly the rows that it wrote, unless later data builds on them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from pytest_devenv.errors import SeedError, explain
from pytest_devenv.guard import judge_tier
from pytest_devenv.seed import entries
from pytest_devenv.seed import history as histories
from pytest_devenv.seed.complaint import clean, line_of, reason_of
from pytest_devenv.seed.context import SeedContext
from pytest_devenv.seed.failure import DependedOnError, SeedRunError
from pytest_devenv.seed.model import LOOK_TIMEOUT_S, Limits, Record, RolledBack, Rows
from pytest_devenv.seed.modules import importable
from pytest_devenv.seed.session import Permission, alone, fresh_settings, witnessing, writing
from pytest_devenv.seed.tracking import SAME_SPELLING_HERE, Tracker
from pytest_devenv.seed.undo import prepare, take_back
from pytest_devenv.seed.written import fetch, forget, net

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.seed.catalog import Seeds
    from pytest_devenv.seed.model import Applied
    from pytest_devenv.seed.tracking import Change
    from pytest_devenv.seed.undo import Undoing
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_LIMITS = Limits()
_SHOWN = 5


def roll_back(
    seeds: Seeds,
    address: DatabaseAddress,
    name: str,
    *,
    tier: Tier,
    limits: Limits = _LIMITS,
    environ: Mapping[str, str] | None = None,
) -> RolledBack:
    """Take back what the seed `name` wrote, over all the times that it was applied again, in one transaction.

    Rows that it inserted go, rows that it updated regain their former values, rows that it deleted come back; its own
    `rollback(ctx)` runs before that. It works for a seed whose file is gone, too. Raises DependedOnError where a seed
    that is applied depends on it, or rows were changed since or are referred to; SeedError; and GuardError, in
    production and staging always.
    """
    began = time.monotonic()
    judge_tier(tier, where=str(address))
    permission = Permission(address, tier)
    permission.ask()
    with (
        witnessing(address, deadline_s=LOOK_TIMEOUT_S) as witness,
        alone(witness, timeout_s=limits.lock_timeout_s, where=str(address)),
    ):
        permission.require(witness)
        history = histories.locate(witness)
        applied = _applied(histories.read(witness, history), name, str(address))
        with writing(address, deadline_s=LOOK_TIMEOUT_S) as connection, connection.transaction():
            first = fresh_settings(connection, limits.statement_timeout_s)
            connection.execute(f"{first}; {SAME_SPELLING_HERE}".encode())
            changes = net(fetch(connection, history, name))
            work, notes = prepare(connection, changes)
            _refuse_obstacles(name, [text for one in work for text in one.obstacles], str(address))
            tracker = Tracker(connection, witness, history.relations, strict=False)
            own = _run_own(seeds, connection, applied, tier, os.environ if environ is None else environ)
            before = tracker.changes() if own else ()
            if own:  # what it has taken back itself is no longer there to be taken back
                work, notes = prepare(connection, changes)
            _take_back(connection, work, name, str(address))
            _refuse_strangers(name, tracker.changes(), (*changes, *before), str(address))
            forget(connection, history, name)
            entries.mark(connection, history, [applied.id], Record.INACTIVE, "rolled back")
    rows = _count(work)
    notes += tuple(note for one in work for note in one.notes)
    return RolledBack(name=name, took_s=time.monotonic() - began, rows=rows, notes=notes)


def _applied(rows: tuple[Applied, ...], name: str, where: str) -> Applied:
    standing = histories.standing(rows)
    if name not in standing:
        message = explain(
            f"{name} cannot be taken back",
            expected=f"one of the seeds that are applied: {', '.join(standing) or 'none is'}",
            found=f"{name!r}, which is not",
            where=where,
        )
        raise SeedError(message, remedy="see what is applied: pytest-devenv db seed --dry-run")
    dependents = [row.name for row in standing.values() if name in row.dependencies]
    if dependents:
        message = explain(
            f"{name} cannot be taken back: later seeds depend on it",
            expected="no applied seed that depends on it",
            found=f"{', '.join(dependents)}",
            where=where,
        )
        remedy = f"first: pytest-devenv db seed-rollback {dependents[-1]}"
        raise DependedOnError(message, dependents=tuple(dependents), remedy=remedy)
    return standing[name]


def _run_own(seeds: Seeds, connection: Connection, applied: Applied, tier: Tier, environ: Mapping[str, str]) -> bool:
    """Run the seed's own `rollback`, and say whether it has one."""
    seed = next((seed for seed in seeds.seeds if seed.name == applied.name), None)
    if seed is None or seed.class_name is None:
        return False
    context = SeedContext(connection, seed=seed, folder=seeds.folder, tier=tier, environ=environ)
    try:
        with importable(seeds.folder) as load_class:
            rollback = getattr(load_class(seed), "rollback", None)
            if rollback is None:
                return False
            rollback(context)
            connection.execute(f"RESET SESSION AUTHORIZATION; RESET ROLE; {SAME_SPELLING_HERE}".encode())
    except Exception as error:  # noqa: BLE001  # a seed may raise anything; it is reported with the seed's name
        line = line_of(error, seed)
        found = clean(reason_of(error), context.secrets, environ)
        message = explain(
            f"the rollback of seed {seed} failed: {found.splitlines()[0]}",
            expected="a rollback(ctx) that runs to its end",
            found=found,
            where=str(seed.path) if line is None else f"{seed.path}, line {line}",
        )
        remedy = f"mend {seed.path.name}, then run it again: nothing was taken back"
        raise SeedRunError(message, failed=seed, line=line, remedy=remedy) from None
    return True


def _take_back(connection: Connection, work: tuple[Undoing, ...], name: str, where: str) -> None:
    import psycopg

    try:
        take_back(connection, work)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.errors.IntegrityError as error:
        table, constraint = error.diag.table_name or "a table", error.diag.constraint_name or "a rule of the table"
        _refuse(name, [f"rows of {table}, by {constraint}: {error.diag.message_detail or ''}".rstrip(": ")], where)
    except psycopg.Error as error:
        message = explain(
            f"{name} cannot be taken back: {error.diag.message_primary}",
            expected="rows that may be deleted and updated",
            found=f"{error.diag.message_primary} ({error.sqlstate})",
            where=where,
        )
        raise SeedError(message, remedy="see which trigger or rule refuses it; nothing was taken back") from None


def _refuse_obstacles(name: str, obstacles: list[str], where: str) -> None:
    if obstacles:
        _refuse(name, obstacles, where)


def _refuse_strangers(name: str, made: Iterable[Change], own: Iterable[Change], where: str) -> None:
    """Refuse where a cascade, a SET NULL or a trigger has reached rows that the seed never wrote."""
    known = {change.row for change in own}
    strangers = [change for change in made if change.before is not None and change.row not in known]
    if strangers:
        shown = [
            f"{change.relation} ({', '.join(f'{column} = {value}' for column, value in change.key.items())})"
            f" would be {'deleted' if change.written is None else 'changed'} along with it"
            for change in strangers
        ]
        _refuse(name, shown, where)


def _refuse(name: str, found: list[str], where: str) -> NoReturn:
    more = "" if len(found) <= _SHOWN else f"\n    and {len(found) - _SHOWN} more"
    message = explain(
        f"{name} cannot be taken back: later data depends on it",
        expected="rows that are as the seed left them, and that nothing refers to",
        found="\n    ".join(found[:_SHOWN]) + more,
        where=where,
    )
    raise DependedOnError(
        message, dependents=tuple(found), remedy="take that back first, or begin anew: pytest-devenv db reset --seed"
    ) from None


def _count(work: Iterable[Undoing]) -> dict[str, Rows]:
    """Count what was done, by table: the rows that came back are `inserted`."""
    found = {
        one.relation.shown: Rows(inserted=len(one.deleted), updated=len(one.updated), deleted=len(one.inserted))
        for one in work
    }
    return {name: rows for name, rows in sorted(found.items()) if rows != Rows()}
