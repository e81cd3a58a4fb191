"""Values with placeholders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_devenv.settings.template import TemplateError, names, placeholders, render


def test_placeholders_are_filled_in() -> None:
    """Each placeholder becomes its value, and doubled braces become single ones."""
    text = '{{"url": "http://{host}:{port}/{{x}}"}}'

    assert names(text) == ("host", "port")
    assert render(text, {"host": "h", "port": "1"}) == '{"url": "http://h:1/{x}"}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a{", "a single { at character 2"),
        ("}", "a single } at character 1"),
        ("{}", "{} at character 1, which is no placeholder"),
        ("ab{x y}", "{x y} at character 3, which is no placeholder"),
        ("{a..b}", "{a..b} at character 1, which is no placeholder"),
        ("{a{b}}", "a single { at character 1"),
    ],
)
def test_a_template_that_cannot_be_read_says_where(text: str, said: str) -> None:
    """The message names the character at which the template goes wrong."""
    with pytest.raises(TemplateError) as refused:
        names(text)

    assert str(refused.value) == said


@given(st.text())
def test_any_text_survives_with_its_braces_doubled(text: str) -> None:
    """Doubling the braces of a text gives a template that renders to the text."""
    assert render(text.replace("{", "{{").replace("}", "}}"), {}) == text


def test_a_placeholder_without_a_value_is_an_error() -> None:
    """Nothing is filled in silently."""
    with pytest.raises(KeyError, match="port"):
        render("{port}", {})


def test_every_service_and_database_has_its_placeholders() -> None:
    """Services give host, port and url; databases a url."""
    assert placeholders(["pg"], ["kiro"]) == (
        "python",
        "host",
        "port",
        "pg.host",
        "pg.port",
        "pg.url",
        "database.kiro.url",
    )
