"""No secret in what is said of a seed's failure."""

from __future__ import annotations

import pytest

from pytest_devenv.seed.mask import masked

ENVIRON = {"ADMIN_PASSWORD": "Tr0ub4dor'&3", "API_KEY": "production", "PATH": "/usr/bin", "TOKEN": "abc"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("given correct-horse", "given ***"),
        ("weak: Tr0ub4dor'&3!", "weak: ***!"),
        (f"weak: {'Tr0ub4dor&3'!r}", "weak: 'Tr0ub4dor&3'"),
        ("postgresql://kiro:hunter2@db/kiro", "postgresql://kiro:***@db/kiro"),
        ("password=hunter2", "password=***"),
        ("refused in production, see /usr/bin", "refused in production, see /usr/bin"),
        ("abcdef", "abcdef"),
        ("pin 424242", "pin ***"),
        ("quoted correct%2Dhorse", "quoted ***"),
    ],
)
def test_secrets_are_hidden_and_ordinary_words_are_not(text: str, clean: str) -> None:
    """What the seed was given and what the environment names a secret is hidden, wherever it stands."""
    assert masked(text, given=["correct-horse", "x", "424242"], environ=ENVIRON) == clean


def test_a_secret_in_a_repr_is_hidden_too() -> None:
    """Python writes a value with its quotes escaped in most messages."""
    assert "Tr0ub" not in masked(
        f"bad {'Tr0ub4dor' + chr(39) + '&3' + chr(10)!r}", given=["Tr0ub4dor'&3\n"], environ={}
    )
