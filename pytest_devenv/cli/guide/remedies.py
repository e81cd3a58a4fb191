"""Remedies as commands: which of what a verdict says can be run, and what that would do."""

from __future__ import annotations

import enum
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Effect(enum.IntEnum):
    """What running a command does; of several commands the last of these counts."""

    WAITS = 1
    LOOKS = 2
    CHANGES = 3
    DESTROYS = 4


@dataclass(frozen=True, slots=True)
class Remedy:
    """What mends something: the text, and the commands of it that can be run one after another.

    `by_hand` tells that the text wants something of a person first; there may be no command at all.
    """

    text: str
    commands: tuple[tuple[str, ...], ...] = ()
    effect: Effect | None = None
    by_hand: bool = False


_BY_HAND = re.compile(
    r"\b(mend|correct|edit|add|write|name|set|give|free|rename|remove|install|choose|compare|put|restore|connect|deploy)\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"…|^[A-Z]{4,}$|^<.*>$|\$\(|`|,$")  # or a shell's own, or prose
_SHELL = frozenset({"|", "||", ";", "&", ">", ">>", "<", "$("})
_INTERACTIVE = frozenset({"psql", "edit", "repair"})
# What each program's commands do, by the first of their words that stands here; a program that is not here is not run.
_EFFECTS: dict[str, dict[str, Effect]] = {
    "kubectl": {
        **dict.fromkeys(("get", "describe", "logs", "events", "cluster-info", "top", "diff", "auth"), Effect.LOOKS),
        **dict.fromkeys(("wait",), Effect.WAITS),
        **dict.fromkeys(("apply", "create", "patch", "rollout", "scale", "set", "expose", "config"), Effect.CHANGES),
        **dict.fromkeys(("delete", "drain"), Effect.DESTROYS),
    },
    "docker": {
        **dict.fromkeys(("info", "ps", "logs"), Effect.LOOKS),
        **dict.fromkeys(("start", "unpause", "restart", "up"), Effect.CHANGES),
        **dict.fromkeys(("stop", "rm", "down"), Effect.DESTROYS),
    },
    "minikube": {"status": Effect.LOOKS, "start": Effect.CHANGES, "delete": Effect.DESTROYS},
    "kind": {**dict.fromkeys(("create", "load", "export"), Effect.CHANGES), "delete": Effect.DESTROYS},
    "tilt": {
        **dict.fromkeys(("get", "logs"), Effect.LOOKS),
        **dict.fromkeys(("wait",), Effect.WAITS),
        **dict.fromkeys(("up", "trigger", "enable"), Effect.CHANGES),
    },
    "pytest-devenv": {
        **dict.fromkeys(("config", "validate", "status", "history"), Effect.LOOKS),
        **dict.fromkeys(("down", "reset", "rollback", "cleanup", "destroy"), Effect.DESTROYS),
        **dict.fromkeys(
            ("up", "migrate", "seed", "seed-sync", "setup", "create", "adopt", "job", "init", "stamp"),
            Effect.CHANGES,
        ),
    },
    "pytest": {"-m": Effect.LOOKS},
    "ss": {"-ltnp": Effect.LOOKS},
    "tail": {"-n": Effect.LOOKS},
    "pip": {"install": Effect.CHANGES},
    "kill": {"": Effect.DESTROYS},
}


def read(text: str) -> Remedy:
    """Return what a verdict's remedy offers: the first commands that change something, else the first at all."""
    found = list(_offers(text))
    if not found:
        return Remedy(text, by_hand=True)
    mending = [each for each in found if each[1] is not Effect.LOOKS]
    commands, effect, before = (mending or found)[0]
    return Remedy(text, commands, effect, by_hand=bool(_BY_HAND.search(before)))


def effect_of(words: Sequence[str]) -> Effect | None:
    """Return what a command does, None for one that is not known, or that wants a person at the terminal."""
    program, *rest = words
    known = _EFFECTS.get(program)
    if known is None or any(word in _INTERACTIVE for word in words):
        return None
    if "" in known:
        return known[""]
    return next((known[word] for word in rest if word in known), None)


def _offers(text: str) -> Iterator[tuple[tuple[tuple[str, ...], ...], Effect, str]]:
    """Yield each piece of a remedy that is commands to run: these, what they do, and the words before them."""
    before = ""
    for piece in re.split(r";\s+|\n|,\s+(?=or\b)|,\s+(?=then:)", text):
        words, colon, line = piece.rpartition(": ")
        commands = _commands(line)
        before = f"{before} {words}{colon}"
        if commands:
            yield commands, max(effect for each in commands if (effect := effect_of(each)) is not None), before
        else:
            before += line


def _commands(line: str) -> tuple[tuple[str, ...], ...]:
    """Return the commands of a line, which `&&` joins; none where any of it could not be run as it stands."""
    try:
        words = shlex.split(line)
    except ValueError:
        return ()
    if not words or any(word in _SHELL or _PLACEHOLDER.search(word) for word in words):
        return ()
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "&&":
            commands.append([])
        else:
            commands[-1].append(word)
    if any(not each or effect_of(each) is None for each in commands):
        return ()
    return tuple(tuple(each) for each in commands)
