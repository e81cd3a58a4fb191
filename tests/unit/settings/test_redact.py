"""What must not be shown."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pytest_devenv.settings.problems import shown, shown_url
from pytest_devenv.settings.redact import looks_secret, redact, redact_login, redact_url


@pytest.mark.parametrize(
    "key",
    [
        "JWT_SECRET",
        "TOKEN_ENCRYPTION_KEY",
        "PGPASSWORD",
        "apiKey",
        "password",
        "GITHUB_TOKEN",
        "Credentials",
        "DB_PASS",
    ],
)
def test_names_of_secrets_are_known(key: str) -> None:
    """A variable whose name says that it holds a secret is one."""
    assert looks_secret(key)


@pytest.mark.parametrize("key", ["DATABASE_URL", "KEYBOARD", "PUBLIC_KEY", "LOG_LEVEL", "AUTHOR", "MONKEY", "PASSAGE"])
def test_other_names_hide_nothing(key: str) -> None:
    """A variable whose name only contains such letters is shown."""
    assert not looks_secret(key)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://kiro:hunter2@db:5432/kiro", "postgres://kiro:***@db:5432/kiro"),
        ("redis://:hunter2@db", "redis://:***@db"),
        ("postgres://kiro:hun/te@r2@db/kiro", "postgres://kiro:***@db/kiro"),
        ("https://hunter2@example.org/x", "https://***@example.org/x"),
        ("postgres://db/kiro?user=a&password=hunter2&x=1", "postgres://db/kiro?user=a&password=***&x=1"),
        ("--api-key=hunter2", "--api-key=***"),
        ("a postgres://a:b@c, redis://:d@e", "a postgres://a:***@c, redis://:***@e"),
        ("http://localhost:5000,http://localhost:3000", "http://localhost:5000,http://localhost:3000"),
        ("postgres://kiro@db/kiro", "postgres://kiro@db/kiro"),
        ("{database.kiro.url}", "{database.kiro.url}"),
    ],
)
def test_the_passwords_of_a_text_are_hidden(text: str, shown: str) -> None:
    """Of a text with a password, all but the password is shown."""
    assert redact_url(text) == shown


def test_a_secret_variable_is_hidden_whole_unless_it_is_a_placeholder() -> None:
    """A placeholder holds nothing to hide."""
    assert redact("JWT_SECRET", "x") == "***"
    assert redact("REDIS_TOKEN", "{redis.url}") == "{redis.url}"
    assert redact("LOG_LEVEL", "info") == "info"


SCHEMES = st.sampled_from(["postgresql://", "postgresql:/", "postgresql:", "redis://", "http://", "pg//", ""])
PASSWORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=4, max_size=20)


@example(scheme="postgresql:/", user="shop", password="0://", end="@h")
@example(scheme="", user="shop", password="//0:0", end="@h")
@example(scheme="postgresql:", user="", password="//x://x:x", end="@h")
@example(scheme="http://", user="", password="0://", end="@h/a@b?c")
@given(
    scheme=SCHEMES,
    user=st.sampled_from(["shop", "", "sh/op"]),
    password=PASSWORDS,
    end=st.sampled_from(["@h", "@h:5432", "@h:99999/shop", "@h:port", "@", "@h h", "@h,i/shop", "@h/a@b?c"]),
)
def test_a_password_in_a_malformed_url_is_never_shown(scheme: str, user: str, password: str, end: str) -> None:
    """Wherever the parts of a refused URL may seem to end, its password is in none that is shown."""
    assume(password not in f"{scheme}{user}:***{end} (string)")
    text = f"{scheme}{user}:{password}{end}"

    assert password not in shown_url(text)
    assert password not in shown(text)
    assert password not in redact_login(text)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://shop:Sup,er@h/shop", "postgresql://shop:***@h/shop"),
        ("postgresql://sh/op:Super@h", "postgresql://sh/op:***@h"),
        ("https://hunter,2@example.org/x", "https://***@example.org/x"),
        ("http://127.0.0.1:3000/api", "http://127.0.0.1:3000/api"),
        ("postgresql://shop@h/shop?password=Super", "postgresql://shop@h/shop?password=***"),
    ],
)
def test_a_whole_url_hides_its_password_whatever_it_holds(url: str, shown: str) -> None:
    """In a text a comma ends a URL; of a URL that stands alone it is a part."""
    assert redact_login(url) == shown
