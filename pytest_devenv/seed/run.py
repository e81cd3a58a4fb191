"""One seed, run in one transaction together with its row in the history: both are kept, or neither."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import SeedError, explain
from pytest_devenv.seed import entries
from pytest_devenv.seed.complaint import complain
from pytest_devenv.seed.context import SeedContext
from pytest_devenv.seed.model import Action, Done, Step
from pytest_devenv.seed.session import fresh_settings
from pytest_devenv.seed.tracking import SAME_SPELLING_HERE, Tracker, count
from pytest_devenv.seed.written import dump

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import psycopg

    from pytest_devenv.seed.catalog import Seeds
    from pytest_devenv.seed.history import History
    from pytest_devenv.seed.model import Seed
    from pytest_devenv.seed.modules import PythonSeed
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

# Text that plpgsql executes cannot end the transaction: PostgreSQL itself refuses COMMIT and ROLLBACK there.
_GIVE_SQL = "SELECT pg_catalog.set_config('pytest_devenv.seed', %s, true)"
_ENDED = "remove COMMIT and ROLLBACK from the seed"
_RUN_SQL = "DO $seed$ BEGIN EXECUTE pg_catalog.current_setting('pytest_devenv.seed'); END $seed$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What all seeds of one run share. `load_class` makes the object of a Python seed."""

    seeds: Seeds
    history: History
    tier: Tier
    environ: Mapping[str, str]
    load_class: Callable[[Seed], PythonSeed]
    statement_timeout_s: float
    where: str


def run_step(shift: Shift, tracker: Tracker, step: Step) -> Done:
    """Run one seed. Raises SeedRunError when it fails; nothing of it is kept then, but the note that it failed."""
    began = time.perf_counter()
    seed, connection = step.seed, tracker.writer
    context = SeedContext(connection, seed=seed, folder=shift.seeds.folder, tier=shift.tier, environ=shift.environ)
    try:
        with connection.transaction():
            first = fresh_settings(connection, shift.statement_timeout_s)
            history_id = entries.begin(connection, shift.history, step, shift.tier, first)
            _act_inside(shift, context, step)
            settle(connection, shift.history, history_id, began)
            changes = tracker.changes()
            rows = count(changes)
            sources = shift.seeds.sources(seed, recorded=context.files)
            entries.finish(
                connection,
                shift.history,
                history_id,
                checksum=sources.checksum,
                details=entries.details_of(rows, dict(sources.files), seed.dependencies),
                rows=dump(changes),
            )
    except Exception as error:  # noqa: BLE001  # a seed may raise anything; it is reported with the seed's name
        took_s = time.perf_counter() - began
        complain(shift, tracker.witness, context, error, took_s=took_s)
    return Done(seed=seed, action=step.action, took_s=time.perf_counter() - began, rows=rows)


def act(shift: Shift, context: SeedContext, step: Step) -> None:
    """Run the seed's own SQL or code: its `upgrade` where it has one and an older version is applied."""
    seed, connection = step.seed, context.connection
    if seed.class_name is None:
        connection.execute(_GIVE_SQL, [seed.path.read_text(encoding="utf-8-sig")])
        connection.execute(_RUN_SQL)
        return
    subject = shift.load_class(seed)
    upgrade = getattr(subject, "upgrade", None)
    if step.action is Action.UPGRADE and step.applied is not None and upgrade is not None:
        upgrade(context, step.applied.version)
    else:
        subject.run(context)


def _act_inside(shift: Shift, context: SeedContext, step: Step) -> None:
    """Run the seed, and tell where it writes after it has ended its transaction. Raises SeedError for that."""
    from psycopg.errors import ReadOnlySqlTransaction
    from psycopg.pq import TransactionStatus

    connection = context.connection
    try:
        act(shift, context, step)
    except ReadOnlySqlTransaction as error:
        if connection.info.transaction_status != TransactionStatus.IDLE:
            raise
        found = "the seed ended it, and what it would have written after that was refused"
        ended = SeedError(_unsettled(found, connection), remedy=_ENDED)
        raise ended.with_traceback(error.__traceback__) from error  # which knows the line of the seed


def settle(connection: Connection, history: History, history_id: int, began: float) -> None:
    """Complete the history's row so far, and let deferred constraints and triggers speak before rows are counted.

    Raises SeedError where the seed has ended its own transaction, or went on after a statement that failed.
    """
    from psycopg.pq import TransactionStatus

    status = connection.info.transaction_status
    if status == TransactionStatus.INERROR:
        found = "a statement failed, the seed went on, and PostgreSQL will not keep the rest"
        remedy = "let the error out of run(), or put the statement into connection.transaction()"
        raise SeedError(_unsettled(found, connection), remedy=remedy)
    if status == TransactionStatus.INTRANS:
        duration_ms = round((time.perf_counter() - began) * 1000, 3)
        then = f"SET CONSTRAINTS ALL IMMEDIATE; {SAME_SPELLING_HERE}"
        if entries.complete(connection, history, history_id, duration_ms, then):
            return
    found = "the seed ended it: what it wrote in a transaction of its own may be there"
    raise SeedError(_unsettled(found, connection), remedy=_ENDED)


def _unsettled(found: str, connection: Connection) -> str:
    return explain(
        "a seed must run in the one transaction that also notes it as applied",
        expected="that transaction, open and whole",
        found=found,
        where=f"database {connection.info.dbname}",
    )
