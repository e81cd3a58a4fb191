"""Whether the files and programs that the settings name are there: of loops, of commands, of a kind cluster."""

from __future__ import annotations

import importlib.util
import shutil
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.probe import Probe
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.settings import Loop, Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_PYTHON = "{python}"
_MODULE = 3  # {python} -m NAME


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield a probe for each command and each loop, and one for the configuration of a kind cluster."""
    for service in settings.services.values():
        if service.command:
            yield Probe(name="files.has_its_program", subject=service.name, look=partial(_has_its_program, service))
    for loop in settings.loops.values():
        yield Probe(name="files.can_be_edited", subject=loop.name, look=partial(_can_be_edited, loop))
    if settings.kind is not None and settings.kind.config is not None:
        yield Probe(name="files.configure_kind", subject="kind", look=partial(_configures_kind, settings.kind.config))


def _has_its_program(service: Service, environment: Environment) -> Verdict:
    """Look for what the embedded target would run: a program, a module of the project, or a script of it."""
    root, key = environment.settings.root, f"services.{service.name}.command"
    program, *words = service.command
    missing: str | None = None
    if program == _PYTHON:
        missing = _missing_of_python(root, words)
    elif "{" not in program and shutil.which(program) is None and not (root / program).is_file():
        missing = f"the program {program}, which is neither on PATH nor below {root}"
    if missing is None:
        return passed(f"{service.name} has what its command runs")
    return failed(
        f"the command of {service.name} names what is not there",
        expected="a program, or a module or script of the project",
        found=missing,
        where=f"{key} in {environment.settings.file.name}",
        remedy=f"correct {key} in {environment.settings.file.name}",
    )


def _missing_of_python(root: Path, words: list[str]) -> str | None:
    """Return what a Python could not run of these words, None where it can, or where that is for it to say."""
    if words[:1] == ["-m"] and len(words) >= _MODULE - 1:
        name = words[1]
        place = root.joinpath(*name.split("."))
        if place.with_suffix(".py").is_file() or (place / "__main__.py").is_file():
            return None
        top = name.partition(".")[0]
        if not (root / top).exists() and importlib.util.find_spec(top) is not None:
            return None
        return f"the module {name}, which is not below {root}"
    script = words[0] if words and words[0].endswith(".py") and "{" not in words[0] else None
    return f"the script {script}, which is not below {root}" if script and not (root / script).is_file() else None


def _can_be_edited(loop: Loop, environment: Environment) -> Verdict:
    settings = environment.settings
    file, where = settings.root / loop.edit, f"loops.{loop.name} in {settings.file.name}"
    if not file.is_file():
        return failed(
            f"the file that the loop {loop.name} edits is not there",
            expected="the path of a file",
            found=f"no file {file}",
            where=where,
            remedy=f"correct loops.{loop.name}.edit in {settings.file.name}",
        )
    count = 1 if loop.at is None else file.read_bytes().count(loop.at.encode())
    if count == 1:
        return passed(f"{loop.edit} can be edited")
    return failed(
        f"the loop {loop.name} finds no place for its stamp",
        expected=f"the text {loop.at!r} once",
        found=f"it stands there {count} times",
        where=str(file),
        remedy=f"correct loops.{loop.name}.at in {settings.file.name}: a text that stands there once",
    )


def _configures_kind(config: str, environment: Environment) -> Verdict:
    settings = environment.settings
    if (settings.root / config).is_file():
        return passed(f"{config} is there")
    return failed(
        "the configuration of the kind cluster is not there",
        expected="the path of a file",
        found=f"no file {settings.root / config}",
        where=f"kind.config in {settings.file.name}",
        remedy=f"correct kind.config in {settings.file.name}",
    )
