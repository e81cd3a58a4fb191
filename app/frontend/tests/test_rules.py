"""The rules of the page, and that they are the backend's."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.backend.passwords import RULES, unmet_rules

FRONTEND = Path(__file__).parents[1]
PASSWORDS = (
    "",
    "Correct-Horse-7",
    "correct-horse-7",
    "CORRECT-HORSE-7",
    "Correct-Horse-x",
    "Correct Horse 77",
    "Aa1!Aa1!Aa1",
    "Aa1!Aa1!Aa1!",
    "Ünïcödé-Pässwört-٣",
    "Aa1!😀😀😀😀",
    "ΣΊΣΥΦΟΣ-σίσυφος-1",
    "Lower and Upper 1€",
    "Tab\tand\u00a0space 1A",
    "ǅ-titlecase-only-1",
)

_LIST_RULES = """
import { rules, unmetRules } from "./rules.js";
const passwords = JSON.parse(process.argv[1]);
console.log(JSON.stringify({
  rules: rules.map(({ name, text }) => [name, text]),
  unmet: passwords.map((password) => unmetRules(password).map((rule) => rule.name)),
}));
"""


@pytest.fixture(scope="module")
def node() -> str:
    """Find node, or say that it is missing."""
    found = shutil.which("node")
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("node is not installed")
    return found


@pytest.fixture(scope="module")
def page(node: str) -> dict[str, Any]:
    """Give what the page's module says of its rules and of each example."""
    ended = subprocess.run(
        [node, "--input-type=module", "--eval", _LIST_RULES, json.dumps(PASSWORDS)],
        cwd=FRONTEND,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


def test_the_rules_module_keeps_its_own_promises(node: str) -> None:
    """The module's tests pass in node."""
    tests = [str(path) for path in sorted(FRONTEND.glob("tests/*.test.js"))]
    ended = subprocess.run([node, "--test", *tests], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_page_and_backend_have_the_same_rules(page: dict[str, Any]) -> None:
    """Names, words and order are the same on both sides."""
    assert page["rules"] == [[rule.name, rule.text] for rule in RULES]


@pytest.mark.parametrize(
    ("index", "password"), list(enumerate(PASSWORDS)), ids=[ascii(password) for password in PASSWORDS]
)
def test_page_and_backend_judge_alike(page: dict[str, Any], index: int, password: str) -> None:
    """What the form accepts the backend accepts, and they refuse for the same reasons."""
    assert page["unmet"][index] == [rule.name for rule in unmet_rules(password)]
