"""Whether what the buttons of a Tiltfile run is there: commands of ours, and what pytest is told to select."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pytest_devenv.probes.project.told import others
from pytest_devenv.probes.tilt import TILTFILE
from pytest_devenv.verdict import Verdict, failed, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.project.evaluating import Resource, Resources
    from pytest_devenv.settings import Settings

# Says what is wrong with words for `pytest-devenv`, None where nothing is.
Commands: TypeAlias = Callable[[Sequence[str]], str | None]

TRIGGERS_S = 60.0
_OURS = ("pytest-devenv", "pytest", "py.test")
_SHELL = re.compile(r"[|&;<>()$`\n]")
_WORD = re.compile(r"[A-Za-z_]\w*")
_ARGUMENTS = re.compile(r"\([^)]*\)")  # of a mark in an expression
_MARKER = re.compile(r"^@pytest\.mark\.([A-Za-z_]\w*)", re.MULTILINE)
_NO_VALUE = frozenset({"-v", "-vv", "-q", "-qq", "-s", "-x", "-l"})


def triggers_run_what_is_there(commands: Commands, resources: Resources, settings: Settings) -> Verdict:
    """Read the command of every local resource that is `pytest-devenv` or `pytest`; those of others are theirs."""
    wrong: list[tuple[str, str]] = []
    selecting: list[tuple[Resource, str]] = []
    ours = 0
    for each in resources.values():
        program, words = _own(_words(each.command))
        if program is None:
            continue
        ours += 1
        if program == "pytest-devenv":
            said = commands(words)
            wrong += [] if said is None else [(each.name, f"{shlex.join(words)}: {said}")]
            continue
        paths, expression = _selected(words)
        wrong += [
            (each.name, f"no file or folder {path}")
            for path in paths
            if not (settings.root / each.folder / path.partition("::")[0]).exists()
        ]
        if expression is not None:
            selecting.append((each, expression))
    unmarked = _unknown_marks(selecting, settings)
    if isinstance(unmarked, Verdict):
        return unmarked
    wrong += unmarked
    if not wrong:
        return passed(f"{ours} triggers run commands, paths and marks that are there", triggers=ours)
    name, found = wrong[0]
    return failed(
        f"the trigger {name} runs what is not there" + (f", and {len(wrong) - 1} more do" if wrong[1:] else ""),
        expected="a command of pytest-devenv, and paths and marks that pytest knows",
        found=found,
        where=str(settings.root / TILTFILE),
        remedy=f"correct the command of {name} in the {TILTFILE}",
        evidence=others("also", [": ".join(each) for each in wrong[1:]]),
    )


def _words(command: Sequence[str]) -> list[str]:
    """Return the words of a command; of a shell's line, where it is nothing but one command."""
    if len(command) == 3 and Path(command[0]).name in {"sh", "bash"} and command[1] == "-c":  # noqa: PLR2004
        try:
            return [] if _SHELL.search(command[2]) else shlex.split(command[2])
        except ValueError:
            return []
    return list(command)


def _own(words: list[str]) -> tuple[str | None, list[str]]:
    """Return which of our programs a command is, as `uv run pytest` is too, and the words for it."""
    for at, word in enumerate(words):
        if Path(word).name in _OURS:
            return "pytest-devenv" if Path(word).name == "pytest-devenv" else "pytest", words[at + 1 :]
        if at and not word.startswith("-") and word != "run":
            break
    return None, []


def _selected(words: list[str]) -> tuple[list[str], str | None]:
    """Return the paths that pytest is given, and its expression of marks."""
    paths: list[str] = []
    expression: str | None = None
    before = ""
    for word in words:
        if before == "-m":
            expression = word
        elif word.startswith("-m") and word != "-m" and not word.startswith("--"):
            expression = word[2:]
        elif not word.startswith("-") and (not before.startswith("-") or before in _NO_VALUE or "=" in before):
            paths.append(word)
        before = word
    return paths, expression


def _unknown_marks(selecting: list[tuple[Resource, str]], settings: Settings) -> list[tuple[str, str]] | Verdict:
    """Return the marks of expressions that nobody has registered, asking pytest itself which there are."""
    if not selecting:
        return []
    paths = sorted({path for each, _ in selecting for path in _selected(_own(_words(each.command))[1])[0]})
    there = [path for path in paths if (settings.root / path.partition("::")[0]).exists()]
    command = [sys.executable, "-m", "pytest", "--markers", *there]
    try:
        done = subprocess.run(
            command, cwd=settings.root, capture_output=True, text=True, timeout=TRIGGERS_S - 5, check=False
        )
    except subprocess.TimeoutExpired:
        return unknown("pytest does not say its marks in time", where=str(settings.root), remedy=shlex.join(command))
    known = set(_MARKER.findall(done.stdout))
    if not known:
        said = " ".join((done.stderr or done.stdout).split())[:300]
        return unknown(f"pytest does not say its marks: {said}", where=str(settings.root), remedy="pytest --markers")
    return [
        (each.name, f"the mark {name}, which nobody has registered")
        for each, expression in selecting
        for name in _names(expression)
        if name not in known
    ]


def _names(expression: str) -> Iterator[str]:
    return (each for each in _WORD.findall(_ARGUMENTS.sub("", expression)) if each not in {"and", "or", "not"})
