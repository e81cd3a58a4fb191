"""The options: one table, read from every source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import ConfigError
from pytest_devenv.options import OPTIONS, Option, Value, add_to, duration_s, option, overrides, resolve
from pytest_devenv.settings import TIER_ALIASES, Settings, TargetName, Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOD: Mapping[str, tuple[str, Value]] = {
    "devenv": ("yes", True),
    "target": ("embedded", "embedded"),
    "cluster": ("kind", "kind"),
    "context": ("kind-shop", "kind-shop"),
    "namespace": ("shop-2", "shop-2"),
    "environment": ("dev", "dev"),
    "report": ("out/report.json", "out/report.json"),
    "deadline": ("250ms", 0.25),
    "jobs": ("3", 3),
    "shard": (" 2/4", "2/4"),
    "keep": ("off", False),
    "require": ("tilt", "tilt"),
    "ascii": ("always", "always"),
}
BAD: Mapping[str, str] = {
    "devenv": "perhaps",
    "target": "clutser",
    "cluster": "minikube",
    "context": "kind shop",
    "namespace": "kind shop",
    "environment": "live",
    "report": " ",
    "deadline": "-1",
    "jobs": "65",
    "shard": "5/4",
    "keep": "",
    "require": "tlit",
    "ascii": "yes",
}
EACH = pytest.mark.parametrize("each", OPTIONS, ids=lambda each: each.name)


class FakeParser:
    """Takes down what is registered, as pytest's own parser does."""

    def __init__(self) -> None:
        self.options: dict[str, dict[str, object]] = {}
        self.inis: dict[str, tuple[str, str, object]] = {}

    def getgroup(self, name: str, description: str) -> FakeParser:
        """Return itself as the group of options."""
        assert (name, description) == ("devenv", "development environment (pytest-devenv)")
        return self

    def addoption(self, flag: str, **attributes: object) -> None:
        """Take down a command-line option."""
        self.options[flag] = attributes

    def addini(self, name: str, help: str, type: str, default: object) -> None:  # noqa: A002  # pytest's names
        """Take down an ini key."""
        self.inis[name] = (help, type, default)


def test_every_option_is_registered_in_both_places_with_one_help_text() -> None:
    """The command line and the ini file know the same options, none with a default that hides the other sources."""
    parser = FakeParser()
    add_to(parser)  # type: ignore[arg-type]  # a parser by its behaviour

    assert list(parser.options) == [
        "--devenv",
        "--devenv-target",
        "--devenv-cluster",
        "--devenv-context",
        "--devenv-namespace",
        "--devenv-environment",
        "--devenv-report",
        "--devenv-deadline",
        "--devenv-jobs",
        "--devenv-shard",
        "--devenv-keep",
        "--devenv-require",
        "--devenv-ascii",
    ]
    for each in OPTIONS:
        registered = parser.options[each.flag]
        assert registered["default"] is None
        assert registered["dest"] == each.ini
        assert parser.inis[each.ini] == (each.help, "bool" if each.kind == "switch" else "string", None)
        assert registered["help"] == each.help


@EACH
def test_an_option_is_read_from_every_source(each: Option) -> None:
    """The command line goes before the environment, that before the ini file, that before the default."""
    text, value = GOOD[each.name]
    other = {"devenv": "0", "keep": "1", "jobs": "5", "deadline": "9"}.get(each.name, BAD[each.name])

    assert resolve(each, text, {each.variable: other}, other) == (value, each.flag)
    assert resolve(each, None, {each.variable: text}, other) == (value, f"environment {each.variable}")
    assert resolve(each, None, {}, text) == (value, f"ini {each.ini}")
    assert resolve(each, None, {}, None) == (each.default, "default")


@EACH
def test_a_wrong_value_names_its_source(each: Option) -> None:
    """The message says which of the sources is to be mended, and what it allows."""
    wrong = BAD[each.name]
    for source, cli, environ, ini in (
        (each.flag, wrong, {}, None),
        (f"environment {each.variable}", None, {each.variable: wrong}, None),
        (f"ini {each.ini}", None, {}, wrong),
    ):
        with pytest.raises(ConfigError) as refused:
            resolve(each, cli, environ, ini)
        message = f'{source}\n  expected: {each.expected}\n  found: "{wrong}"\n  where: {source}'
        assert refused.value.message == message


def test_a_typo_is_answered_with_the_word_that_was_meant() -> None:
    """The whole message, with its remedy."""
    with pytest.raises(ConfigError) as refused:
        resolve(option("target"), "clutser", {}, None)

    assert str(refused.value) == (
        "--devenv-target\n"
        "  expected: one of auto, cluster, embedded, addresses\n"
        '  found: "clutser"\n'
        "  where: --devenv-target\n"
        "  remedy: did you mean cluster?"
    )


def test_false_and_empty_are_values() -> None:
    """What is given counts, even where Python calls it false."""
    assert resolve(option("keep"), None, {"PYTEST_DEVENV_KEEP": "0"}, True) == (  # noqa: FBT003
        False,
        "environment PYTEST_DEVENV_KEEP",
    )
    with pytest.raises(ConfigError, match='found: ""\n  where: environment PYTEST_DEVENV_TARGET'):
        resolve(option("target"), None, {"PYTEST_DEVENV_TARGET": ""}, "embedded")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(1, 1.0), (0.5, 0.5), ("3", 3.0), ("250ms", 0.25), ("5s", 5.0), ("2m", 120.0), ("1h", 3600.0), (" 1.5 s ", 1.5)],
)
def test_durations(given: object, seconds: float) -> None:
    """A duration is a number of seconds, or a text with a unit."""
    assert duration_s(given) == seconds


@pytest.mark.parametrize(
    "given", [0, -1, True, None, "", "5 parsecs", "0s", "-3s", "1e3", float("inf"), float("nan"), []]
)
def test_what_is_no_duration(given: object) -> None:
    """Nothing that is not above zero and finite is a duration, nor is a boolean."""
    with pytest.raises(ValueError):  # noqa: PT011  # the value is the whole message
        duration_s(given)


def test_overrides_hold_only_what_was_given() -> None:
    """An option that nobody gave leaves the file's value alone; one without a key never overrides."""
    cli = {"devenv_target": "cluster", "devenv_jobs": "3"}
    ini = {"devenv_deadline": "2s"}

    assert overrides({"PYTEST_DEVENV_ENVIRONMENT": "test"}, cli.get, ini.get) == {
        "target": ("cluster", "--devenv-target"),
        "environment": ("test", "environment PYTEST_DEVENV_ENVIRONMENT"),
        "deadline_s": (2.0, "ini devenv_deadline"),
    }
    assert overrides({}) == {}


def test_the_table_knows_the_words_of_the_settings() -> None:
    """Options that override a key allow just what the key allows, and the key is there."""
    assert option("target").choices == tuple(TargetName)
    assert set(option("environment").choices) == set(Tier)
    assert {*option("environment").choices, *option("environment").also} == set(TIER_ALIASES)
    assert {each.key for each in OPTIONS if each.key is not None} <= set(Settings.__dataclass_fields__)


def test_an_unknown_option_is_an_error() -> None:
    """Asking for an option that is not in the table does not give a default."""
    with pytest.raises(KeyError):
        option("tagret")
