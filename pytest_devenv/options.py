"""The options of a run: one table, from which come the command line, the ini file, the environment and the docs."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from pytest_devenv.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

GROUP = "devenv"
_WORDS_OF_TRUTH = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
_DURATION = r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?"
_UNITS = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_S = 10**9
MOST_JOBS = 64
INSTANCE = "PYTEST_DEVENV_INSTANCE"  # the folder of the embedded environment that another process owns, to be joined
VALIDATING = "PYTEST_DEVENV_VALIDATING"  # set for programs that a Tiltfile runs while it is only looked at

Value = str | int | float | bool | None


class Option(NamedTuple):
    """One option. Its name gives the flag, the ini key and the environment variable.

    `key` is the key of the settings that the option overrides; such an option has no default of its own. (A named
    tuple, since every pytest run makes this class, and a dataclass takes five times as long to make.)
    """

    name: str
    kind: Literal["choice", "name", "path", "seconds", "count", "shard", "switch"]
    help: str
    default: Value = None
    choices: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    key: str | None = None

    @property
    def flag(self) -> str:
        """The command-line option: `--devenv-target`."""
        return f"--{self._suffixed('-')}"

    @property
    def ini(self) -> str:
        """The key in pytest's own configuration: `devenv_target`."""
        return self._suffixed("_")

    @property
    def variable(self) -> str:
        """The environment variable: `PYTEST_DEVENV_TARGET`."""
        return f"PYTEST_{self._suffixed('_').upper()}"

    @property
    def dest(self) -> str:
        """The attribute of the parsed command line."""
        return self.ini

    @property
    def metavar(self) -> str | None:
        """What help texts show for the value."""
        if self.kind == "choice":
            return "{" + ",".join(self.choices) + "}"
        names = {"name": "NAME", "path": "FILE", "seconds": "SECONDS", "count": "N", "shard": "I/N"}
        return names.get(self.kind)

    @property
    def expected(self) -> str:
        """What the option allows, as messages say it."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        return {
            "name": "a name, without spaces",
            "path": "the path of a file",
            "seconds": "a duration: a number of seconds, or a text such as 250ms, 5s, 2m",
            "count": f"an integer from 1 to {MOST_JOBS}",
            "shard": "I/N, the Ith of N parts, such as 1/4, or N alone in a pod of an Indexed Job",
            "switch": "true or false",
        }[self.kind]

    def _suffixed(self, joint: str) -> str:
        return GROUP if self.name == GROUP else f"{GROUP}{joint}{self.name}"


OPTIONS: tuple[Option, ...] = (
    Option(
        name="devenv",
        kind="switch",
        default=False,
        help="let the packaged checks join this run, whatever -m selects",
    ),
    Option(
        name="target",
        kind="choice",
        choices=("auto", "cluster", "embedded", "addresses"),
        key="target",
        help="where the environment runs: in a cluster, as processes of this machine, or at given addresses",
    ),
    Option(
        name="cluster",
        kind="choice",
        choices=("context", "kind", "controlplane"),
        key="cluster",
        help="where the cluster comes from: a kube context, a kind cluster of this run, a control plane without nodes",
    ),
    Option(
        name="context",
        kind="name",
        key="context",
        help="the kube context to use in the place of the current one; the settings have to allow it",
    ),
    Option(
        name="namespace",
        kind="name",
        key="namespace",
        help="the namespace of the environment in the cluster, in the place of the one of the settings",
    ),
    Option(
        name="environment",
        kind="choice",
        choices=("development", "test", "staging", "production"),
        also=("dev", "testing", "stage", "prod"),
        key="environment",
        help="what the environment is for; only development and test are ever changed",
    ),
    Option(
        name="report",
        kind="path",
        help="write what was found, as JSON, to this file",
    ),
    Option(
        name="deadline",
        kind="seconds",
        key="deadline_s",
        help="the longest that a single look may take, in seconds or as 250ms, 5s, 2m",
    ),
    Option(
        name="jobs",
        kind="count",
        default=8,
        help=f"how many probes look at the same time, 1 to {MOST_JOBS}",
    ),
    Option(
        name="shard",
        kind="shard",
        help="run one part of the selected tests, always the same for the same ids; "
        "N alone takes the part from JOB_COMPLETION_INDEX",
    ),
    Option(
        name="keep",
        kind="switch",
        default=False,
        help="leave what the run made running when it ends: the embedded environment, which `pytest-devenv env down` "
        "ends, or the kind cluster",
    ),
    Option(
        name="require",
        kind="choice",
        choices=("nothing", "tilt"),
        key="require",
        help="what has to be there for a healthy run, where its checks would otherwise be off",
    ),
    Option(
        name="ascii",
        kind="choice",
        choices=("auto", "always", "never"),
        default="auto",
        help="draw verdicts with ASCII symbols; auto asks the terminal's encoding",
    ),
)


def option(name: str) -> Option:
    """Return the option of this name; raises KeyError."""
    for each in OPTIONS:
        if each.name == name:
            return each
    raise KeyError(name)


def add_to(parser: pytest.Parser) -> None:
    """Register every option with pytest, on the command line and as an ini key.

    What was not given stays None: `resolve` decides, and says which source was wrong.
    """
    group = parser.getgroup(GROUP, "development environment (pytest-devenv)")
    for each in OPTIONS:
        if each.kind == "switch":
            group.addoption(each.flag, dest=each.dest, action="store_true", default=None, help=each.help)
            parser.addini(each.ini, each.help, type="bool", default=None)
        else:
            group.addoption(each.flag, dest=each.dest, metavar=each.metavar, default=None, help=each.help)
            parser.addini(each.ini, each.help, type="string", default=None)


def resolve(option: Option, cli: object, environ: Mapping[str, str], ini: object) -> tuple[Value, str]:
    """Return the value of an option and its source: the command line, the environment, the ini file or the default.

    `cli` and `ini` are None where nothing was given. Raises `ConfigError`, which names the source that was wrong.
    """
    given = (
        (cli, option.flag),
        (environ.get(option.variable), f"environment {option.variable}"),
        (ini, f"ini {option.ini}"),
    )
    for value, source in given:
        if value is not None:
            return convert(option, value, source), source
    return option.default, "default"


def overrides(
    environ: Mapping[str, str],
    cli: Callable[[str], object] = lambda _dest: None,
    ini: Callable[[str], object] = lambda _name: None,
) -> dict[str, tuple[object, str]]:
    """Return what the options override in the settings: by key, the value and its source, as `settings.read` takes it.

    `cli` and `ini` give the raw value for an option's `dest` and `ini` name, None where there is none.
    """
    found: dict[str, tuple[object, str]] = {}
    for each in OPTIONS:
        if each.key is None:
            continue
        value, source = resolve(each, cli(each.dest), environ, ini(each.ini))
        if source != "default":
            found[each.key] = (value, source)
    return found


def convert(option: Option, value: object, source: str) -> Value:
    """Return the value as the option's type; raises `ConfigError`, which names the source."""
    try:
        return _CONVERTERS[option.kind](option, value)
    except ValueError as wrong:
        found = f'"{value}"' if isinstance(value, str) else repr(value)
        message = f"{source}\n  expected: {option.expected}\n  found: {found}\n  where: {source}"
        raise ConfigError(message, remedy=_meant(option, value)) from wrong


def duration_s(value: object) -> float:
    """Return a duration in seconds: of a number, or of a text such as `250ms`, `5s`, `2m`, `1h`. Raises ValueError."""
    seconds = math.nan
    if isinstance(value, str):
        match = re.fullmatch(_DURATION, value.strip())
        if match is not None:
            seconds = float(match[1]) * _UNITS[match[2]]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) if value < _LONGEST_S else math.inf
    if not 0 < seconds < math.inf:
        raise ValueError(value)
    return seconds


def _meant(option: Option, value: object) -> str | None:
    if option.kind != "choice" or not isinstance(value, str):
        return None
    import difflib

    close = difflib.get_close_matches(value.casefold(), (*option.choices, *option.also), n=1)
    return f"did you mean {close[0]}?" if close else None


def _choice(option: Option, value: object) -> Value:
    if not isinstance(value, str) or value not in (*option.choices, *option.also):
        raise ValueError(value)
    return value


def _name(_option: Option, value: object) -> Value:
    if not isinstance(value, str) or re.fullmatch(r"\S+", value) is None:
        raise ValueError(value)
    return value


def _path(_option: Option, value: object) -> Value:
    if not isinstance(value, str) or value.strip() == "":
        raise ValueError(value)
    return value


def _count(_option: Option, value: object) -> Value:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_JOBS:
        raise ValueError(value)
    return value


def _shard(_option: Option, value: object) -> Value:
    match = re.fullmatch(r"(?:([0-9]{1,3})/)?([0-9]{1,3})", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(value)
    index, count = int(match[1] or 1), int(match[2])
    if not 1 <= index <= count:
        raise ValueError(value)
    return f"{count}" if match[1] is None else f"{index}/{count}"


def _switch(_option: Option, value: object) -> Value:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.strip().lower() not in _WORDS_OF_TRUTH:
        raise ValueError(value)
    return _WORDS_OF_TRUTH[value.strip().lower()]


_CONVERTERS: Mapping[str, Callable[[Option, object], Value]] = {
    "choice": _choice,
    "name": _name,
    "path": _path,
    "seconds": lambda _option, value: duration_s(value),
    "count": _count,
    "shard": _shard,
    "switch": _switch,
}
