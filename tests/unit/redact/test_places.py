"""Secrets known by their place: what is seen at a glance must not let one through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_devenv.redact import places
from pytest_devenv.redact.places import hide_in_place, redact_url

FOLDED = (chr(0x17F), chr(0x212A), chr(0x130))  # an s, a k and an i to a pattern that ignores case
WORDS = (
    *("password", "PASSWD", "pwd", "passphrase", "requirepass", "Token", "jwt-secret", "api_key", "client_secret"),
    *("Authorization", "bearer ", "Basic ", "eyJhbGciOi", ".eyJzdWIiOj.", "-----BEGIN PRIVATE KEY-----", "https://"),
    *("postgres://", "--", "?", "&", "=", ":", ": ", "@", "'", '"', "\n", " ", "/", "ada", "4711abcd"),
    *FOLDED,
)


@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join))
def test_a_glance_lets_no_secret_through(text: str) -> None:
    """A text that is left alone at a glance is one that every rule leaves alone."""
    glanced = hide_in_place(text), redact_url(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "_HINTS", ("",))
        assert (hide_in_place(text), redact_url(text)) == glanced


@pytest.mark.parametrize("hint", places._HINTS)  # noqa: SLF001  # that none is superfluous is what is tested
def test_each_hint_is_needed(hint: str) -> None:
    """A secret that only this word gives away is hidden."""
    text = {
        "://": "postgres://ada:4711abcd@db",
        "pass": "passwd=4711abcd",
        "pwd": "pwd=4711abcd",
        "token": "token=4711abcd",
        "secret": '"my-secret": "4711abcd"',
        "key": "api_key=4711abcd",
        "authorization": "Authorization: 4711abcd",
        "bearer": "Bearer 4711abcd",
        "eyj": "eyJ4711.eyK4711abcd.x",
    }[hint]
    assert "4711abcd" not in redact_url(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "_HINTS", tuple(each for each in places._HINTS if each != hint))  # noqa: SLF001
        assert redact_url(text) == text
