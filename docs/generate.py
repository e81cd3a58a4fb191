"""Write docs/configuration.md from the schema of the settings and the table of options: `python docs/generate.py`."""  # noqa: INP001  # a script beside its page

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.options import OPTIONS
from pytest_devenv.settings.keys import Key, Named, Table
from pytest_devenv.settings.model import ServiceKind
from pytest_devenv.settings.routines import BUILDS, IMAGE, LIMIT, LOOP, STAGE
from pytest_devenv.settings.schema import DATABASE, MIGRATIONS, ROOT, SERVICE
from pytest_devenv.settings.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).with_name("configuration.md")

_INTRODUCTION = """\
# Configuration

<!-- Written by docs/generate.py from the schema and the options table: edit those. -->

An environment is described by one `[tool.pytest-devenv]` table in `pyproject.toml`, or by a `pytest-devenv.toml` with
the same keys at its top level. The nearest one counts, in the working directory or above it; relative paths begin at
its folder. `pytest-devenv init` writes a first one from what a project already says, `pytest-devenv config` prints
every value with its source. What is wrong is said all at once: each key with what is allowed, what was found and where.

A value comes from the first of these that gives one: the command line, the environment, pytest's ini file, the
configuration file, the default.
"""
_OPTIONS = """\
## Options of a run

Each option can be given on the command line of pytest, as an environment variable, or as a key of pytest's own
configuration. Some override a key of the configuration file for one run.
"""
_PLACEHOLDERS = """\
## Placeholders

The values of `command` and `env` may hold placeholders, which the `embedded` target fills in. `{{` and `}}` stand for
braces. A service whose placeholder is used has to be among those that are required, directly or through others.

| placeholder | stands for |
| --- | --- |
| `{python}` | the Python that runs the tests |
| `{host}`, `{port}` | where this service is to listen |
| `{<service>.host}`, `{<service>.port}` | where another service listens |
| `{<service>.url}` | its base URL, with credentials where it has some |
| `{database.<name>.url}` | the URL of a database, with credentials |
"""
_TABLES = (
    ("The table itself", "[tool.pytest-devenv]", ROOT, ""),
    (
        "Services",
        "[tool.pytest-devenv.services.<name>]",
        SERVICE,
        "A service is a thing with an address, or a Job. Its name stands in the ids of checks.",
    ),
    ("Databases", "[tool.pytest-devenv.databases.<name>]", DATABASE, "A database of a service of kind `postgres`."),
    ("Migrations", "[tool.pytest-devenv.databases.<name>.migrations]", MIGRATIONS, ""),
    ("Loops", "[tool.pytest-devenv.loops.<name>]", LOOP, "A way from an edit to seeing it live."),
    (
        "Budgets",
        "[tool.pytest-devenv.budgets.<name>]",
        LIMIT,
        "A number that a check of the project's own keeps, with the fixture `keeps_budget`.",
    ),
    (
        "Stages",
        "[tool.pytest-devenv.verify.<name>]",
        STAGE,
        "A stage of `pytest-devenv env verify` that runs checks of the project's own, after those that are packaged.",
    ),
    ("Images", "[tool.pytest-devenv.images.<name>]", IMAGE, "An image that the project builds itself."),
    ("Builds", "[tool.pytest-devenv.builds]", BUILDS, "What building all of them may take."),
)


def document() -> str:
    """Return the text of docs/configuration.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield _OPTIONS
    yield "| option | allows | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for each in OPTIONS:
        names = f"`{each.flag}`<br>`{each.variable}`<br>`{each.ini}`"
        allowed = _cell(each.expected) + (f" (or, for short, {', '.join(each.also)})" if each.also else "")
        default = f"`{each.key}` of the file" if each.key is not None else _default(each.default)
        yield f"| {names} | {allowed} | {default} | {_cell(each.help)} |"
    yield ""
    for title, header, table, sentence in _TABLES:
        yield f"## {title}\n"
        yield f"`{header}`{': ' + sentence if sentence else ''}\n"
        yield from _rows(table)
        yield ""
    yield _PLACEHOLDERS.rstrip("\n")
    yield ""


def _rows(table: Table) -> Iterator[str]:
    kinds = table is SERVICE
    yield f"| key | allows | default |{' fits |' if kinds else ''} meaning |"
    yield f"| --- | --- | --- |{' --- |' if kinds else ''} --- |"
    for name, key, default in _flat(table, ""):
        fits = (f" {', '.join(key.kinds)} |" if len(key.kinds) < len(ServiceKind) else " all |") if kinds else ""
        yield f"| `{name}` | {_cell(_allowed(key))} | {default} |{fits} {_cell(key.doc)} |"


def _flat(table: Table, prefix: str) -> Iterator[tuple[str, Key, str]]:
    for name, key in table.keys.items():
        if isinstance(key.shape, Named):
            continue
        yield f"{prefix}{name}", key, _default_of(table, name, key)
        if isinstance(key.shape, Table) and key.shape is not MIGRATIONS:
            for below, each, default in _flat(key.shape, f"{prefix}{name}."):
                yield below, replace(each, kinds=key.kinds), default


def _allowed(key: Key) -> str:
    match key.shape:
        case Shape(expected):
            return expected
        case Table(_, keys):
            return f"a table with {', '.join(f'`{each}`' for each in keys)}"
        case _:
            return "tables, by name"


def _default_of(table: Table, name: str, key: Key) -> str:
    if table.required(name):
        return "required"
    if key.by_kind:
        return ", ".join(f"`{value}` ({kind})" for kind, value in key.by_kind.items())
    if isinstance(key.shape, Table) and table.default(name) is not None:
        return "see below"
    return _default(table.default(name))


def _default(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case float() if value.is_integer():
            return f"`{int(value)}`"
        case tuple():
            return "`[]`"
        case str() | int() | float():
            return f"`{value}`"
        case _:
            return "`{}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
