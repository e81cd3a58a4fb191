"""The services and databases of an environment as a graph: what requires what, and how each of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.probes.databases import needed_by
from pytest_devenv.probes.jobs import migrated_by
from pytest_devenv.report.causes import cause_of, roots
from pytest_devenv.report.lines import one_line
from pytest_devenv.report.model import group_name, worst_state
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.report.model import Entry, Run
    from pytest_devenv.settings import Settings

DATABASE = "database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A service or a database. Without a look it has no state.

    `requires` are the keys of other nodes. `said` is what the worst of its checks found. A `root` is what others that
    are `blocked_by` it wait for, by its key.
    """

    key: str
    name: str
    kind: str
    requires: tuple[str, ...]
    state: State | None = None
    said: str = ""
    address: str | None = None
    root: bool = False
    blocked_by: str | None = None
    remedy: str | None = None


def nodes(settings: Settings, run: Run | None = None) -> tuple[Node, ...]:
    """Return the nodes, each after all that it requires; with a run, how each of them was found."""
    seen = {} if run is None else _seen(settings, run)
    required = _required(settings)
    ordered: dict[str, Node] = {}

    def place(key: str) -> None:
        if key in ordered:
            return
        for each in required[key]:
            place(each)
        ordered[key] = _node(settings, key, required[key], seen.get(key), run)

    for key in required:
        place(key)
    return tuple(ordered.values())


def tops(found: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return the nodes that no other requires, in their order."""
    needed = {key for node in found for key in node.requires}
    return tuple(node for node in found if node.key not in needed)


def plain(settings: Settings, found: tuple[Node, ...]) -> dict[str, Any]:
    """Return the graph as plain JSON values."""
    return {
        "environment": settings.name,
        "nodes": [
            {
                "key": node.key,
                "name": node.name,
                "kind": node.kind,
                "requires": list(node.requires),
                "state": None if node.state is None else node.state.value,
                "said": node.said or None,
                "address": node.address,
                "root": node.root,
                "blocked_by": node.blocked_by,
                "remedy": node.remedy,
            }
            for node in found
        ],
    }


def database_key(name: str) -> str:
    """Return the key of a database, which may be called as a service is."""
    return f"{DATABASE} {name}"


def _required(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return what each service and database requires. A database requires its server, and the Job that migrates it."""
    required: dict[str, tuple[str, ...]] = {}
    jobs = [each for each in settings.services.values() if each.kind is ServiceKind.JOB]
    for service in settings.services.values():
        databases = needed_by(settings, service) if service.kind is ServiceKind.HTTP else ()
        required[service.name] = (*service.requires, *(database_key(each.name) for each in databases))
    for database in settings.databases.values():
        built = (job.name for job in jobs if database in tuple(migrated_by(settings, job)))
        required[database_key(database.name)] = (database.service, *built)
    return required


def _seen(settings: Settings, run: Run) -> dict[str, list[Entry]]:
    """Return the checks of each node; those that belong to none, as to a whole cluster, are left out."""
    seen: dict[str, list[Entry]] = {}
    for entry in run.entries:
        if entry.subject in settings.services:
            seen.setdefault(entry.subject, []).append(entry)
        elif entry.subject in settings.databases:
            seen.setdefault(database_key(entry.subject), []).append(entry)
    return seen


def _node(
    settings: Settings, key: str, requires: tuple[str, ...], entries: list[Entry] | None, run: Run | None
) -> Node:
    is_database = key.startswith(f"{DATABASE} ")
    name = key.removeprefix(f"{DATABASE} ")
    kind = DATABASE if is_database else settings.services[name].kind.value
    if run is None or entries is None:
        return Node(key=key, name=name, kind=kind, requires=requires)
    state = worst_state(entry.verdict.state for entry in entries)
    lead = next(entry for entry in entries if entry.verdict.state is state)
    by_probe = {entry.probe: entry for entry in run.entries}
    own = {entry.probe for entry in entries}
    return Node(
        key=key,
        name=name,
        kind=kind,
        requires=requires,
        state=state,
        said=one_line(lead.verdict.summary),
        address=next((each.address for each in run.services if each.service == key), None),
        root=any(root.probe in own for root in roots(run)),
        blocked_by=_blamed(run, lead, by_probe) if state is State.BLOCKED else None,
        remedy=lead.verdict.remedy if state in {State.FAIL, State.UNKNOWN} else None,
    )


def _blamed(run: Run, entry: Entry, by_probe: Mapping[str, Entry]) -> str:
    """Return what blocks an entry: the service or database of its cause, else the cause itself."""
    cause = cause_of(entry, by_probe)
    root = by_probe.get(cause)
    if root is None:
        return cause
    return root.subject if group_name(run, root) != root.kind else cause
