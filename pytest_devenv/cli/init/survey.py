"""A look over a project: which files tell of its environment, and what they say together."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.cli.init.compose import read_compose
from pytest_devenv.cli.init.dotenv import part_of_database_url, read_dotenv, servers
from pytest_devenv.cli.init.found import Found, FoundDatabase, FoundService, kind_of, safe_name
from pytest_devenv.cli.init.manifests import Manifests
from pytest_devenv.cli.init.tiltfile import Resource, Tiltfile, read_tiltfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SKIPPED = frozenset(
    {"node_modules", "build", "dist", "target", "vendor", "site-packages", "__pycache__", "tests", "test"}
)
_DEEPEST = 4
_MOST_FILES = 5000
_LARGEST_BYTES = 1_000_000
_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_DOTENV = (".env", ".env.example")
_SEEDS = frozenset({"seed", "seeds", "fixtures"})  # whose files may be numbered as migrations are
_VERSIONED = re.compile(r"\d+_.+\.sql")


def survey(folder: Path) -> Found:
    """Return what the files below a folder say. What cannot be read is said in `notes`, and never stops the look."""
    notes: list[str] = []
    files = list(_files(folder))
    manifests = _manifests(folder, files, notes)
    tilt = _tiltfile(folder)
    dotenv, told_by = _dotenv(folder)
    services: dict[str, FoundService] = {}
    for each in (*manifests.services(), *_composed(folder, dotenv, notes)):
        services[each.name] = services[each.name].over(each) if each.name in services else each
    kinds = {each.kind for each in services.values()}
    services |= {each.name: each for each in servers(dotenv, told_by) if each.kind not in kinds}
    services = {each.name: each for each in _completed(services.values(), tilt, dotenv)}
    databases = tuple(_databases(folder, files, services.values(), dotenv, notes))
    on_cluster = any(each.workload is not None for each in services.values()) or tilt.resources
    return Found(
        name=_project_name(folder),
        target="cluster" if on_cluster else "addresses" if services else "auto",
        namespace=manifests.namespace(),
        contexts=tuple(each for each in tilt.contexts if re.search(r"[^\s*?]", each)),
        secrets=tuple(each for each in manifests.secrets() if re.fullmatch(r"[^\s\[\]]+", each)),
        services=services,
        databases=databases,
        notes=tuple(notes),
        variables=frozenset(dotenv) if told_by == _DOTENV[0] else frozenset(),
    )


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that are worth a look, in a stable order."""
    count = 0
    for place, folders, names in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        keep = sorted(each for each in folders if not each.startswith(".") and each not in _SKIPPED)
        folders[:] = keep if depth < _DEEPEST else []
        for name in sorted(names):
            count += 1
            if count > _MOST_FILES:
                return
            yield Path(place, name)


def _text(file: Path) -> str | None:
    """Return the text of a file of ordinary size, or None."""
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            return None
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _manifests(folder: Path, files: Iterable[Path], notes: list[str]) -> Manifests:
    import yaml

    manifests = Manifests()
    for file in files:
        text = _text(file) if file.suffix in {".yaml", ".yml"} and file.name not in _COMPOSE else None
        if text is None or "apiVersion" not in text:
            continue
        name = file.relative_to(folder).as_posix()
        try:
            manifests.add(name, text)
        except (yaml.YAMLError, ValueError, RecursionError):  # a ValueError for a date that is none
            notes.append(f"{name} was passed over: it is no plain YAML (a template?)")
    return manifests


def _composed(folder: Path, dotenv: dict[str, str], notes: list[str]) -> list[FoundService]:
    import yaml

    for name in _COMPOSE:
        text = _text(folder / name)
        if text is None:
            continue
        try:
            return list(read_compose(name, text, dotenv))
        except (yaml.YAMLError, ValueError, RecursionError):  # a ValueError for a date that is none
            notes.append(f"{name} was passed over: it is no YAML")
    return []


def _tiltfile(folder: Path) -> Tiltfile:
    text = _text(folder / "Tiltfile")
    return Tiltfile() if text is None else read_tiltfile(text)


def _dotenv(folder: Path) -> tuple[dict[str, str], str]:
    """Return the variables of .env, or else of its example, and the file's name. No secret is taken from it."""
    for name in _DOTENV:
        text = _text(folder / name)
        if text is not None:
            return read_dotenv(text), name
    return {}, ""


def _completed(services: Iterable[FoundService], tilt: Tiltfile, dotenv: dict[str, str]) -> Iterator[FoundService]:
    """Fill in what the Tiltfile and .env add; leave out what cannot stand: unknown requires, circles, ports twice."""
    found = {each.name: each for each in services}
    for resource in tilt.resources:
        name = safe_name(resource.name)
        if name in found:
            found[name] = _told(found[name], resource)
        elif name is not None and (own := _only_told(name, resource)) is not None:
            found[name] = own
    claimed: set[int] = set()
    only_postgres = [each.name for each in found.values() if each.kind == "postgres"]
    for name in [each.name for each in found.values() if each.kind == "job" and not each.requires]:
        found[name] = replace(found[name], requires=tuple(only_postgres) if len(only_postgres) == 1 else ())
    requires = _without_circles(found)
    for each in found.values():
        local = each.local_port if each.local_port not in claimed and _is_port(each.local_port) else None
        if local is not None:
            claimed.add(local)
        user = each.user
        if only_postgres == [each.name]:
            user = user or dotenv.get("POSTGRES_USER") or part_of_database_url(dotenv, "username")
        port = each.port if _is_port(each.port) else None
        yield replace(each, requires=requires[each.name], local_port=local, port=port, user=user or None)


def _told(service: FoundService, resource: Resource) -> FoundService:
    """Return a service with the port and the requires that the Tiltfile gives it."""
    requires = tuple(filter(None, map(safe_name, resource.requires)))
    forwards = sorted(resource.ports, key=lambda pair: pair[1] != service.port)
    told = replace(service, requires=requires)
    if forwards:
        local, inside = forwards[0]
        told = replace(told, local_port=local, port=service.port or inside)
    return told.over(service)


def _only_told(name: str, resource: Resource) -> FoundService | None:
    """Return a service that only the Tiltfile tells of, such as one whose manifests a chart makes."""
    kind = kind_of(resource.name, tuple(inside or local for local, inside in resource.ports))
    if kind is None or not resource.ports:
        return None
    local, inside = resource.ports[0]
    return FoundService(
        name=name,
        kind=kind,
        told_by="Tiltfile",
        port=inside or local,
        local_port=local,
        requires=tuple(filter(None, map(safe_name, resource.requires))),
        health=resource.health if kind == "http" else None,
    )


def _without_circles(found: dict[str, FoundService]) -> dict[str, tuple[str, ...]]:
    """Return what each service requires, without what is unknown or closes a circle; servers come last."""
    requires: dict[str, tuple[str, ...]] = {}
    for each in sorted(found.values(), key=lambda each: each.kind in {"postgres", "redis"}):
        for other in each.requires:
            if other in found and not _leads(requires, other, each.name):
                requires[each.name] = (*requires.get(each.name, ()), other)
    return {name: requires.get(name, ()) for name in found}


def _leads(requires: dict[str, tuple[str, ...]], start: str, goal: str) -> bool:
    """Return whether the requires of a service lead to another one."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting += requires.get(name, ())
    return False


def _is_port(port: int | None) -> bool:
    return port is not None and 1 <= port <= 65535  # noqa: PLR2004  # the range of TCP ports


def _databases(
    folder: Path, files: Iterable[Path], services: Iterable[FoundService], dotenv: dict[str, str], notes: list[str]
) -> Iterator[FoundDatabase]:
    """Yield the folders of migrations, each with the engine whose layout it has, and the databases without any."""
    by_folder: dict[Path, set[str]] = {}
    for file in files:
        by_folder.setdefault(file.parent, set()).add(file.name)
    places = {
        place: engine
        for place, names in by_folder.items()
        if not _SEEDS & set(place.relative_to(folder).parts) and (engine := _engine(place, names)) is not None
    }
    single = len(places) == 1
    told = {each.database: each.name for each in services if each.database is not None}
    only = next(iter(told)) if len(told) == 1 else None
    named = only or dotenv.get("POSTGRES_DB") or (part_of_database_url(dotenv, "path") or "").strip("/")
    taken: set[str] = set()
    for place, engine in places.items():
        path = place.relative_to(folder).as_posix()
        own = place.name not in {"migrations", "alembic", "migration", "db", "database", ""}
        guess = (named if single and named else place.name if own else named) or folder.name
        name = safe_name(guess) or "database"
        if name in taken:
            notes.append(f"{path} looks like {engine} migrations too; say which database they build")
        elif path != ".":
            taken.add(name)
            yield FoundDatabase(name=name, engine=engine, path=path, service=told.get(name))
    for name, service in told.items():
        if name not in taken:
            yield FoundDatabase(name=name, service=service)


def _engine(place: Path, names: set[str]) -> str | None:
    if "env.py" in names and (place / "versions").is_dir():
        return "alembic"
    versioned = [name for name in names if _VERSIONED.fullmatch(name)]
    if not versioned:
        return None
    return "bun" if any(name.endswith((".tx.up.sql", ".tx.down.sql")) for name in versioned) else "sqlx"


def _project_name(folder: Path) -> str:
    text = _text(folder / "pyproject.toml")
    name: object = None
    if text is not None:
        try:
            project = tomllib.loads(text).get("project")
            name = project.get("name") if isinstance(project, dict) else None
        except ValueError:
            name = None
    return (safe_name(name) if isinstance(name, str) else None) or safe_name(folder.name) or "environment"
