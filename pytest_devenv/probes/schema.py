"""Whether a database has the tables, columns, indexes, views and policies that it must have, and answers queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes import commands
from pytest_devenv.probes.asking import asked
from pytest_devenv.probes.migrations import applied_id
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.shared import Shared
from pytest_devenv.verdict import Verdict, failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.asking import Connection
    from pytest_devenv.settings import Database, Migrations, Settings
    from pytest_devenv.targets.environment import Environment

_OBJECTS = """
    select case when c.relkind in ('r', 'p', 'f') then 'table'
                when c.relkind in ('v', 'm') then 'view' else 'index' end,
           n.nspname, c.relname, null, pg_table_is_visible(c.oid), coalesce(i.indisvalid, true)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_index i on i.indexrelid = c.oid
     where c.relkind in ('r', 'p', 'f', 'v', 'm', 'i', 'I') and n.nspname not like 'pg\\_%'
       and n.nspname not in ('information_schema', 'pytest_devenv')
    union all
    select 'column', n.nspname, c.relname, a.attname, pg_table_is_visible(c.oid), true
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attnum > 0 and not a.attisdropped
       and n.nspname not like 'pg\\_%' and n.nspname not in ('information_schema', 'pytest_devenv')
    union all
    select 'policy', n.nspname, c.relname, p.polname, pg_table_is_visible(c.oid), true
      from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
"""


DRIFT_S, LINT_S = 60.0, 45.0
# Of a history that contradicts its folder nobody can say what is pending.
_LEGIBLE = ("migrations.none_dirty", "migrations.none_edited", "migrations.none_missing")


@dataclass(frozen=True, slots=True)
class Objects:
    """The names of a database's objects by their kind, as settings may spell them; invalid indexes apart."""

    names: dict[str, frozenset[str]]
    invalid: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of required objects."""

    word: str
    plural: str

    @property
    def probe(self) -> str:
        return f"schema.has_{self.plural}"

    def required(self, database: Database) -> tuple[str, ...]:
        return {
            "table": database.required_tables,
            "column": database.required_columns,
            "index": database.required_indexes,
            "view": database.required_views,
            "policy": database.required_policies,
        }[self.word]


_TABLES = _Kind("table", "tables")
KINDS = (
    _TABLES,
    _Kind("column", "columns"),
    _Kind("index", "indexes"),
    _Kind("view", "views"),
    _Kind("policy", "policies"),
)


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of what the settings require of each database; they share one reading."""
    for database in settings.databases.values():
        shared = Shared(partial(_read, database))
        first = tables_id(database)
        needs = (applied_id(database),) if first is None else (applied_id(database), first)
        for kind in KINDS:
            if kind.required(database):
                yield Probe(
                    name=kind.probe,
                    subject=database.name,
                    look=partial(_has, database, kind, shared),
                    requires=needs[:1] if kind is _TABLES else needs,
                    mark="schema",
                    eager=True,
                )
        if database.migrations is not None:
            history = ("migrations.all_applied", "migrations.none_edited", "migrations.none_missing")
            yield Probe(
                name="schema.matches_migrations",
                subject=database.name,
                look=partial(_matches_migrations, database, database.migrations),
                requires=(*(probe_id(name, database.name) for name in history), *_required_ids(database)),
                deadline_s=DRIFT_S,
                mark="schema",
            )
            yield Probe(
                name="schema.pending_is_safe",
                subject=database.name,
                look=partial(_pending_is_safe, database),
                requires=tuple(probe_id(name, database.name) for name in _LEGIBLE),
                deadline_s=LINT_S,
                mark="schema",
            )
        if database.verify:
            yield Probe(
                name="schema.answers_queries",
                subject=database.name,
                look=partial(_answers_queries, database),
                requires=needs,
                deadline_s=settings.deadline_s * (len(database.verify) + 1),
                mark="schema",
            )


def tables_id(database: Database) -> str | None:
    """Return the id of the probe that says whether the required tables are there, if any are required."""
    return probe_id(_TABLES.probe, database.name) if database.required_tables else None


def _required_ids(database: Database) -> tuple[str, ...]:
    """Return the ids of all probes that look for required objects of a database."""
    return tuple(probe_id(kind.probe, database.name) for kind in KINDS if kind.required(database))


def _matches_migrations(database: Database, migrations: Migrations, environment: Environment) -> Verdict:
    from pytest_devenv.probes.drift import compare

    return compare(database, migrations, environment)


def _pending_is_safe(database: Database, environment: Environment) -> Verdict:
    from pytest_devenv.migrate import engine_for
    from pytest_devenv.migrate.lint import judge

    return judge(engine_for(database, environment.settings.root), environment.address(database.name))


def _answers_queries(database: Database, environment: Environment) -> Verdict:
    from pytest_devenv.probes.queries import answers

    return answers(database, environment)


def _read(database: Database, environment: Environment) -> Objects | Verdict:
    return asked(environment, environment.address(database.name), _objects)


def _objects(connection: Connection) -> Objects:
    names: dict[str, set[str]] = {kind.word: set() for kind in KINDS}
    invalid: set[str] = set()
    for word, schema, relation, part, visible, valid in connection.execute(_OBJECTS):
        plain = relation if part is None else f"{relation}.{part}"
        spelled = {f"{schema}.{plain}", plain} if visible else {f"{schema}.{plain}"}
        names[word] |= spelled
        if not valid:
            invalid |= spelled
    return Objects({word: frozenset(each) for word, each in names.items()}, frozenset(invalid))


def _has(database: Database, kind: _Kind, shared: Shared[Objects | Verdict], environment: Environment) -> Verdict:
    objects = shared.get(kind.probe, environment)
    if isinstance(objects, Verdict):
        return objects
    required = kind.required(database)
    there = objects.names[kind.word]
    missing = [name for name in required if name not in there]
    invalid = [name for name in required if name in there and kind.word == "index" and name in objects.invalid]
    if not missing and not invalid:
        return passed(f"{database.name}: {len(required)} of {len(required)} {kind.plural}", required=len(required))
    bad = len(missing) + len(invalid)
    word = kind.word if bad == 1 else kind.plural
    state = "not valid" if not missing else "missing"
    address = environment.address(database.name)
    return failed(
        f"{bad} required {word} of {database.name} {'is' if bad == 1 else 'are'} {state}",
        expected=f"{kind.plural} {', '.join(required)}",
        found="; ".join(
            [f"no {kind.word} {name}{_nearest(name, there)}" for name in missing]
            + [f"index {name} is there and not valid: its build did not end" for name in invalid]
        ),
        where=str(address),
        remedy=_remedy(database, kind, missing, invalid, environment),
        missing=len(missing),
    )


def _nearest(name: str, there: frozenset[str]) -> str:
    """Return the same name in another schema, else the most similar one, as an addition to a sentence."""
    from difflib import get_close_matches

    elsewhere = sorted(each for each in there if each.endswith(f".{name}"))
    near = elsewhere or get_close_matches(name, sorted(there), n=1, cutoff=0.7)
    return f" (there is {near[0]})" if near else ""


def _remedy(database: Database, kind: _Kind, missing: list[str], invalid: list[str], environment: Environment) -> str:
    address = environment.address(database.name)
    if not missing:
        quoted = ".".join(f'"{part}"' for part in invalid[0].split("."))
        return commands.psql(address, f"reindex index concurrently {quoted}")
    if database.migrations is None:
        return f"create what is missing: {commands.psql(address)}"
    setting = f"databases.{database.name}.required_{kind.plural} in {environment.settings.file.name}"
    return (
        f"every migration is applied: add one that creates {missing[0]}, or correct {setting};"
        f" if it was dropped by hand: {commands.reset(database.name)}"
    )
