"""From the text of a file to the frozen tree: parse, lay overrides over it, validate, build."""

from __future__ import annotations

import re
import tomllib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import ConfigError
from pytest_devenv.options import OPTIONS
from pytest_devenv.settings import rules
from pytest_devenv.settings.lines import lines_of
from pytest_devenv.settings.locate import OWN_FILE, TABLE
from pytest_devenv.settings.problems import Problem, error, shown
from pytest_devenv.settings.schema import ROOT
from pytest_devenv.settings.tables import Path_, Reading, build, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_devenv.settings.model import Settings


def load(file: Path, overrides: Mapping[str, tuple[object, str]], environ: Mapping[str, str]) -> Settings:
    """Return the settings of a file; see `settings.read.read`."""
    file = file.absolute()
    return parse(file, _text(file), overrides, environ)


def parse(file: Path, text: str, overrides: Mapping[str, tuple[object, str]], environ: Mapping[str, str]) -> Settings:
    """Return the settings that a text gives if it stands in the file; nothing is read but the paths it names."""
    prefix = () if file.name == OWN_FILE else ("tool", TABLE)
    raw = _table(file, _parsed(file, text), prefix)
    given = _lay_over(raw, overrides, environ)
    reading = Reading(file, prefix, lines_of(text), given)
    values = read_table(reading, ROOT, raw, ())
    rules.check(reading, values, environ)
    if reading.problems:
        raise error(file, reading.problems)
    for service in values.get("services", {}).values():  # type: ignore[attr-defined]  # the schema says it is a table
        if "url" in service:
            service["url"] = rules.normal_url(service["url"], service["kind"])
    settings: Settings = build(
        ROOT, values, root=file.parent, file=file, sources=MappingProxyType(dict(reading.sources))
    )
    return settings


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as wrong:
        message = f"expected: a file that can be read\n  found: {wrong.strerror}\n  where: {file}"
        raise ConfigError(message) from wrong
    try:
        return data.decode()
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        problem = Problem(
            key="encoding",
            expected="UTF-8, the encoding of TOML",
            found=f"the byte 0x{data[wrong.start]:02x}",
            where=f"{file.name}:{line}",
            remedy="save the file as UTF-8",
        )
        raise error(file, [problem]) from wrong


def _parsed(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as wrong:
        said = "tables or arrays nested too deeply" if isinstance(wrong, RecursionError) else str(wrong)
        place = re.search(r" \(at line (\d+), column (\d+)\)$", said)
        where = (
            file.name if place is None else f"{file.name}:{place[1]}:{place[2]} (line {place[1]}, column {place[2]})"
        )
        found = said if place is None else said[: place.start()]
        problem = Problem(key="syntax", expected="valid TOML", found=found, where=where)
        raise error(file, [problem]) from wrong


def _table(file: Path, document: dict[str, Any], prefix: Path_) -> dict[str, Any]:
    table: Any = document
    for part in prefix:
        table = table.get(part) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        header = f"[{'.'.join(prefix)}]"
        problem = Problem(
            key=".".join(prefix),
            expected=f"a table {header}",
            found="nothing" if table is None else shown(table),
            where=file.name,
            remedy="pytest-devenv init --write",
        )
        raise error(file, [problem])
    return table


def _lay_over(
    raw: dict[str, Any], overrides: Mapping[str, tuple[object, str]], environ: Mapping[str, str]
) -> dict[Path_, str]:
    """Put into the raw table what goes before it, and return the source of each such key path."""
    given: dict[Path_, str] = {}
    for option in OPTIONS:
        if option.key is not None and option.variable in environ:
            raw[option.key] = environ[option.variable]
            given[(option.key,)] = f"environment {option.variable}"
    services = raw.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        variable = rules.variable(name)
        if isinstance(service, dict) and variable in environ:
            service["url"] = environ[variable]
            given["services", name, "url"] = f"environment {variable}"
    for key, (value, source) in overrides.items():
        *tables, last = key.split(".")
        place = raw
        for part in tables:
            place = place.setdefault(part, {})
        place[last] = value
        given[(*tables, last)] = source
    return given
