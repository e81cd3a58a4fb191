"""What a seed's file says of itself is read without running it, or refused with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_devenv.seed.declare import declare_python, declare_sql
from pytest_devenv.settings import Tier

PYTHON = """
import does_not_exist

class Helper:
    name = "no seed: it has no run"

class States:
    name = "states"
    version: int = 3
    description = "The states"
    environments = ("dev", "testing")
    dependencies = ("a", "b", "a")

    def run(self, ctx):
        raise SystemExit
"""
SQL = """
-- any remark
-- name: states
-- version: 3
-- description: The states: all of them
-- environments: dev, testing
-- dependencies: a, b, a

SELECT 1;
-- version: 9
"""


def test_a_class_declares_a_seed_without_being_run() -> None:
    """The class with a run method is read as it stands; neither it nor its imports are executed."""
    found = declare_python(PYTHON)
    assert (found.name, found.version, found.description, found.class_name) == ("states", 3, "The states", "States")
    assert found.tiers == frozenset({Tier.DEVELOPMENT, Tier.TEST})
    assert found.dependencies == ("a", "b")


def test_a_comment_at_the_head_declares_an_sql_seed() -> None:
    """The header ends with the first statement; what comes later declares nothing."""
    found = declare_sql(SQL)
    assert (found.name, found.version, found.description, found.class_name) == (
        "states",
        3,
        "The states: all of them",
        None,
    )
    assert found.tiers == frozenset({Tier.DEVELOPMENT, Tier.TEST})
    assert found.dependencies == ("a", "b")


def test_without_environments_the_layer_decides() -> None:
    """A seed that names no environments leaves them open."""
    assert declare_sql("-- name: a\n-- version: 1\n-- description: d\n").tiers is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("    def run", "    def walk", "expected one class with a method run(self, ctx), found none"),
        ("class Helper:", "class Other:\n    def run(self): ...\nclass Helper:", "found Other, States"),
        ('name = "states"', 'name = "sta" + "tes"', "line 8: name must be a literal"),
        ("version: int = 3", "version: int = 0", "version must be a whole number from 1, found 0"),
        ("version: int = 3", 'version = "1.2"', "found '1.2'"),
        ("version: int = 3", "version = True", "found True"),
        ('description = "The states"', 'description = " "', "description must be text"),
        ('description = "The states"', "pass", "it does not say its description"),
        ('("dev", "testing")', '("dev", "qa")', "environments names 'qa', which is none of production"),
        ('("a", "b", "a")', '"ab"', "dependencies must be a tuple of names, found 'ab'"),
        ("class States:", "class States", "line 7: expected ':'"),
        ("class States:", "\0class States:", "invalid Python"),
    ],
)
def test_what_cannot_be_a_seed_is_refused_with_its_reason(old: str, new: str, reason: str) -> None:
    """Each defect of a declaration is named, with its line where it has one."""
    with pytest.raises(ValueError, match=r".") as caught:
        declare_python(PYTHON.replace(old, new))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("-- version: 3", "", "it does not say its version"),
        ("-- version: 3", "-- version: three", "found 'three'"),
        ("-- version: 3", "-- version: 3\n-- version: 4", "its header gives version twice"),
        ("-- environments: dev", "-- environments: nowhere", "environments names 'nowhere'"),
    ],
)
def test_what_cannot_be_an_sql_seed_is_refused_with_its_reason(old: str, new: str, reason: str) -> None:
    """Each defect of a header is named."""
    with pytest.raises(ValueError, match=r".") as caught:
        declare_sql(SQL.replace(old, new))
    assert reason in str(caught.value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No file makes the reader fail in another way than by a reason."""
    for declare in (declare_python, declare_sql):
        with pytest.raises(ValueError, match=r"."):
            declare(text)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=500))
def test_a_description_round_trips(description: str) -> None:
    """What a description says is what is read, in both languages."""
    sql = declare_sql(f"-- name: a\n-- version: 1\n-- description: {description}\n")
    python = declare_python(
        f"class A:\n    name = 'a'\n    version = 1\n    description = {description!r}\n    def run(self): ...\n"
    )
    assert sql.description == python.description == description
