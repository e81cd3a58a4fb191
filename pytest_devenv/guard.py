"""The rule that refuses to change anything that is not known to be a development environment."""

from __future__ import annotations

import enum
import fnmatch
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import GuardError, explain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pytest_devenv.settings import Tier

_FOREIGN_WORDS = frozenset({"prod", "production", "prd", "live", "staging", "stage", "stg"})


class Origin(enum.StrEnum):
    """How a database came by its marker."""

    CREATED = "created"
    FILLED = "filled"
    ADOPTED = "adopted"
    CLONED = "cloned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which database this is, by what its server says and not by the address that led there.

    `system_identifier` is the server's own, given by initdb; `oid` the database's. `is_empty` tells that nothing of a
    user's is in it: no table, view, sequence, function, type or large object outside extensions and our own schema.
    """

    database: str
    system_identifier: int
    oid: int
    is_empty: bool
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The row by which a database says that it is a development or test environment.

    `system_identifier` and `database_oid` bind it: a dump or a template carries the row along, and there it no longer
    names the database that it is found in.
    """

    tier: Tier
    system_identifier: int
    database_oid: int
    origin: Origin
    marked_at: datetime | None = None
    marked_by: str | None = None

    def names(self, identity: Identity) -> bool:
        """Whether this marker was written for this very database."""
        return self.system_identifier == identity.system_identifier and self.database_oid == identity.oid


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's own word that a production or staging database may be migrated: its name, typed."""

    database: str


def allows_context(allowed: Iterable[str], context: str) -> bool:
    """Tell whether the settings' contexts, names or patterns, allow a kube context. From any other nothing is read."""
    return any(fnmatch.fnmatchcase(context, pattern) for pattern in allowed)


def judge_tier(tier: Tier, *, where: str) -> None:
    """Refuse an environment in which nothing is ever changed. Needs no connection. Raises GuardError."""
    if not tier.changeable:
        raise _refusal(
            summary=f"refused: the environment is {tier}",
            expected="environment development or test",
            found=f"environment {tier}",
            where=where,
            remedy="choose the environment that you mean: --env development, or PYTEST_DEVENV_ENVIRONMENT=development",
        )


def judge_address(database: str, host: str, *, where: str) -> None:
    """Refuse a database or a host that is named like production or staging. Needs no connection. Raises GuardError."""
    for kind, name in (("database", database), ("host", host)):
        word = next((word for word in _words(name) if word in _FOREIGN_WORDS), None)
        if word is not None:
            raise _refusal(
                summary=f"refused: the {kind} {name} is named like {word}",
                expected=f"a {kind} whose name holds none of: {', '.join(sorted(_FOREIGN_WORDS))}",
                found=f"{kind} {name}",
                where=where,
                remedy=f"point the settings at a development database, or give the {kind} another name",
            )


def judge_change(identity: Identity, marker: Marker | None, tier: Tier) -> Marker:
    """Refuse to change a database unless its own marker says that it may be; return that marker. Raises GuardError."""
    judge_tier(tier, where=identity.where)
    adopt = f"pytest-devenv db adopt {shlex.quote(identity.database)} --environment {tier}"
    if marker is None:
        raise _refusal(
            summary=f"refused to change {identity.database}: it does not say that it is a development database",
            expected="a marker in pytest_devenv.marker",
            found="no marker, in an empty database"
            if identity.is_empty
            else "no marker, in a database that holds data",
            where=identity.where,
            remedy=f"if it is yours to change: {adopt}",
        )
    if not marker.names(identity):
        raise _refusal(
            summary=f"refused to change {identity.database}: its marker was written for another database",
            expected=f"a marker for server {identity.system_identifier}, database {identity.oid}",
            found=f"a marker for server {marker.system_identifier}, database {marker.database_oid}: "
            "a dump or a template brought it along",
            where=identity.where,
            remedy=f"if this copy is yours to change: {adopt}",
        )
    if not marker.tier.changeable:
        raise _refusal(
            summary=f"refused to change {identity.database}: its marker says {marker.tier}",
            expected="a marker of environment development or test",
            found=f"environment {marker.tier}",
            where=identity.where,
            remedy="point the settings at a development database",
        )
    return marker


def judge_marking(
    identity: Identity, marker: Marker | None, tier: Tier, origin: Origin, *, confirm: str | None = None
) -> None:
    """Refuse to mark a database that is not ours to mark. Raises GuardError.

    An empty database may be marked when it is first filled, one that was just created by whoever created it, a clone
    when the marker that came along was written on the same server, and any other by adoption: `confirm` repeats its
    name.
    """
    judge_tier(tier, where=identity.where)
    adopt = f"pytest-devenv db adopt {shlex.quote(identity.database)} --environment {tier}"
    if origin is Origin.FILLED and not identity.is_empty:
        raise _refusal(
            summary=f"refused to mark {identity.database}: it already holds data",
            expected="an empty database, or one that carries a marker",
            found="a database that holds data and no marker of its own",
            where=identity.where,
            remedy=f"if it is yours to change: {adopt}",
        )
    if origin is Origin.CLONED and (marker is None or marker.system_identifier != identity.system_identifier):
        raise _refusal(
            summary=f"refused to mark {identity.database} as a clone",
            expected=f"a marker from server {identity.system_identifier} that came along with the template",
            found="no marker" if marker is None else f"a marker from server {marker.system_identifier}",
            where=identity.where,
            remedy=f"if it is yours to change: {adopt}",
        )
    if origin is Origin.ADOPTED and confirm != identity.database:
        raise _refusal(
            summary=f"refused to adopt {identity.database}: its name was not confirmed",
            expected=f"its name, repeated: {identity.database}",
            found="no name" if confirm is None else f"the name {confirm}",
            where=identity.where,
            remedy=f"{adopt} --confirm {shlex.quote(identity.database)}",
        )


def judge_consent(database: str, tier: Tier, consent: Consent | None, *, where: str) -> None:
    """Refuse to migrate a production or staging database without a person's word for this one. Raises GuardError."""
    if consent is None or consent.database != database:
        raise _refusal(
            summary=f"refused to migrate {database}: the environment is {tier} and nobody confirmed it",
            expected=f"the database's name, confirmed: {database}",
            found="no confirmation" if consent is None else f"the name {consent.database}",
            where=where,
            remedy=f"pytest-devenv db migrate --env {tier} --confirm {shlex.quote(database)}",
        )


def _words(name: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()


def _refusal(*, summary: str, expected: str, found: str, where: str, remedy: str) -> GuardError:
    return GuardError(explain(summary, expected=expected, found=found, where=where), remedy=remedy)
