"""What is said when a seed fails: the reason without any secret, its place in the file, and the remedy."""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from pytest_devenv.errors import DevenvError, explain
from pytest_devenv.seed import entries
from pytest_devenv.seed.failure import SeedRunError
from pytest_devenv.seed.mask import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psycopg

    from pytest_devenv.secret import Secret
    from pytest_devenv.seed.context import SeedContext
    from pytest_devenv.seed.model import Seed
    from pytest_devenv.seed.run import Shift

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_LONGEST = 2000
_NOTHING_KEPT = "nothing of it was kept"
_REMEDIES = {
    "57014": "make it faster, or give it longer: its statement timeout ended it",
    "25P03": "make it faster, or give it longer: it asked nothing of the database for the whole statement timeout",
    "42P01": "apply the migrations first: pytest-devenv db migrate",
    "42703": "apply the migrations first: pytest-devenv db migrate",
    "42501": "connect as a role that may do this, or have it granted",
    "25006": "connect to the primary server, as a role that may write",
    "40P01": "run it again; with --jobs, name the seeds that write the same rows as each other's dependencies",
    "55P03": "stop what holds the lock, then run it again",
    "2D000": "remove COMMIT and ROLLBACK from the seed: it runs in the transaction that also notes it as applied",
}
_TRANSACTION_WORD = "transaction commands"


def complain(
    shift: Shift,
    witness: Connection,
    context: SeedContext,
    error: Exception,
    *,
    took_s: float,
) -> NoReturn:
    """Note the failure in the history, through the connection that is still whole, and raise SeedRunError."""
    import psycopg

    seed = context.seed
    sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
    line = line_of(error, seed)
    found = clean(reason_of(error), context.secrets, shift.environ)
    with contextlib.suppress(psycopg.Error):  # the failure itself is what has to be told
        entries.note_failure(
            witness,
            shift.history,
            seed,
            shift.tier,
            checksum=checksum_of(context, shift),
            error=found,
            duration_ms=round(took_s * 1000, 3),
        )
    place = str(seed.path) if line is None else f"{seed.path}, line {line}"
    message = explain(
        f"seed {seed} failed: {found.splitlines()[0]}",
        expected="a seed that runs to its end",
        found=found.replace("\n", "\n    "),
        where=f"{place}; {shift.where}",
    )
    failure = SeedRunError(
        message, failed=seed, sqlstate=sqlstate, line=line, remedy=remedy_of(error, seed, context, shift)
    )
    # A traceback prints what an error was raised from: not where that would print a secret, or a row's values.
    whole = "".join(str(one) for one in (error, error.__cause__, error.__context__) if one is not None)
    if isinstance(error, psycopg.Error) or clean(whole, context.secrets, shift.environ) != whole[:_LONGEST]:
        raise failure from None
    raise failure from error


def clean(text: str, secrets: Iterable[Secret], environ: Mapping[str, str]) -> str:
    """Return a text without the secrets that the seed or its environment knows, and not too long."""
    return masked(text, given=[secret.reveal() for secret in secrets], environ=environ)[:_LONGEST]


def checksum_of(context: SeedContext, shift: Shift) -> str:
    """Return the checksum of what failed, nothing where its files cannot be read."""
    try:
        return shift.seeds.sources(context.seed, recorded=context.files).checksum
    except OSError:
        return ""


def reason_of(error: Exception) -> str:
    """Return what an error says; of PostgreSQL's, not the part that shows a row's values."""
    import psycopg

    if isinstance(error, DevenvError):
        return error.message
    if isinstance(error, psycopg.Error) and error.diag.message_primary is not None:
        names = {"table": error.diag.table_name, "constraint": error.diag.constraint_name}
        details = ", ".join(f"{kind} {name}" for kind, name in names.items() if name is not None)
        return f"{error.diag.message_primary} ({', '.join(filter(None, [error.sqlstate, details]))})"
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def line_of(error: Exception, seed: Seed) -> int | None:
    """Return the line of the seed's file at which it failed, where that is known."""
    import psycopg

    if seed.class_name is None:
        if not isinstance(error, psycopg.Error) or error.diag.internal_position is None:
            return None
        query = error.diag.internal_query or ""
        return query.count("\n", 0, int(error.diag.internal_position) - 1) + 1
    if isinstance(error, SyntaxError) and error.filename == str(seed.path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if Path(frame.filename) == seed.path), None)


def remedy_of(error: Exception, seed: Seed, context: SeedContext, shift: Shift) -> str:
    """Return what mends it."""
    import psycopg

    if isinstance(error, DevenvError) and error.remedy is not None:
        return clean(error.remedy, context.secrets, shift.environ)
    if isinstance(error, psycopg.Error):
        if _TRANSACTION_WORD in str(error.diag.message_primary):
            return _REMEDIES["2D000"]
        known = _REMEDIES.get(error.sqlstate or "")
        if known is not None:
            return f"{known}; {_NOTHING_KEPT}"
    return f"mend {seed.path.name}, then run it again: {_NOTHING_KEPT}"
