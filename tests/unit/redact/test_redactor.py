"""The last net: no secret survives, and messages stay readable."""

from __future__ import annotations

import base64
import json
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_devenv.redact.redactor import Redactor
from pytest_devenv.report.failure import failure_text
from pytest_devenv.report.jsonfile import to_json
from pytest_devenv.report.properties import properties
from pytest_devenv.report.terminal import render
from pytest_devenv.report.view import View
from pytest_devenv.secret import Secret
from pytest_devenv.verdict import Evidence, failed
from tests.unit.report import samples

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x2FF, exclude_categories=("Cc", "Cs"))
    | st.sampled_from(" \\'\"%/"),
    min_size=8,
    max_size=40,
).filter(lambda text: len(set(text)) > 3 and not text.isalpha())  # an ordinary word is another promise
RENDERINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a URL, lower case": lambda secret: (
        quote(secret, safe="").lower() if secret == secret.lower() else quote(secret)
    ),
    "in a path": quote,
    "in a query": quote_plus,
    "quoted twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "JSON": json.dumps,
    "JSON, not only ASCII": lambda secret: json.dumps(secret, ensure_ascii=False),
    "JSON in JSON": lambda secret: json.dumps(json.dumps({"dsn": secret})),
    "conninfo": lambda secret: "'" + secret.replace("\\", "\\\\").replace("'", "\\'") + "'",
    "SQL": lambda secret: "'" + secret.replace("'", "''") + "'",
    "shell": shlex.quote,
    "Python": repr,
    "ASCII": ascii,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
}


@pytest.mark.parametrize("spelling", RENDERINGS)
@given(
    secret=SECRETS, before=st.sampled_from(["", "x", "at ", "a=", "("]), after=st.sampled_from(["", "y", " is", ")"])
)
def test_no_spelling_of_a_secret_survives(spelling: str, secret: str, before: str, after: str) -> None:
    """A secret of eight characters or more is gone from a text, however it was quoted, whatever stands beside it."""
    spelled = RENDERINGS[spelling](secret)

    text = Redactor([Secret(secret)]).text(f"{before}{spelled}{after}")

    assert secret not in text
    assert spelled.strip("\"'") not in text
    assert "***" in text


@settings(deadline=None)
@given(secret=SECRETS, before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_no_secret_survives_within_base64(secret: str, before: bytes, after: bytes) -> None:
    """Base64 of a text that holds a secret does not give it back, wherever in the text it stands."""
    text = Redactor([secret]).text(base64.b64encode(before + secret.encode() + after).decode())

    assert "***" in text
    assert all(secret.encode() not in base64.b64decode(part + "A" * (-len(part) % 4)) for part in text.split("***"))


@settings(deadline=None, max_examples=30)
@given(secret=SECRETS)
def test_no_secret_survives_in_any_output(secret: str) -> None:
    """Whatever field of a verdict holds a secret, no output of the run shows it."""
    assume(secret not in _outputs("hunter2!hunter2"))  # such as the name of a field

    outputs = _outputs(secret)

    assert secret not in outputs
    assert quote(secret, safe="") not in outputs


def _outputs(secret: str) -> str:
    verdict = failed(
        f"login with {secret} failed",
        expected=f"postgresql://shop:{quote(secret, safe='')}@127.0.0.1/shop",
        found=json.dumps({"password": secret}),
        where=f"host=127.0.0.1 password='{secret}'",
        remedy=f"export POSTGRES_PASSWORD={shlex.quote(secret)}",
        evidence=(Evidence(f"log of {secret}", f"one\n{secret}\nthree"),),
        password=secret,
    )
    run = Redactor([secret]).value(samples.run(samples.entry("postgres.accepts_connections", "postgres", verdict)))
    pairs = properties(run.entries[0])
    data = to_json(run)
    texts = (json.dumps(data, ensure_ascii=False), json.dumps(data), failure_text(run.entries[0].verdict), str(pairs))
    return "\n".join([render(run, View(verbosity=1)), *texts])


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("postgres://shop:pw@db:5432/shop", "postgres://shop:***@db:5432/shop"),
        ("redis://:pw@cache:6379 refused", "redis://:***@cache:6379 refused"),
        ("postgres://shop:p@ss/w@db/shop", "postgres://shop:***@db/shop"),
        ("host=db password=pw user=shop", "host=db password=*** user=shop"),
        (r"host=db password='a b\' c' user=shop", "host=db password=*** user=shop"),
        ("export POSTGRES_PASSWORD=pw", "export POSTGRES_PASSWORD=***"),
        ('{"password": "p w", "user": "shop"}', '{"password": "***", "user": "shop"}'),
        ("{'api_key': 'abc'}", "{'api_key': \"***\"}"),
        ("  JWT_SECRET: abc", "  JWT_SECRET: ***"),
        ("/callback?access_token=abc", "/callback?access_token=***"),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("authorization: Basic c2hvcDpwdw==", "authorization: Basic ***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl expired", "*** expired"),
        ("ALTER ROLE shop PASSWORD 'it''s'", "ALTER ROLE shop PASSWORD ***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n.", "***\n."),
    ],
)
def test_an_unknown_secret_is_known_by_its_place(text: str, redacted: str) -> None:
    """A password, token or key that no setting names is hidden where its place says what it is."""
    assert Redactor().text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "FATAL:  password authentication failed for user postgres",
        "wrong password: the server refused it",
        "http://127.0.0.1:43213/health?by=a@b",
        "PGPASSWORD=$POSTGRES_PASSWORD psql",
        'PGPASSWORD="$(kubectl get secret shop -o json)" psql',
        'password = { env = "SHOP_PASSWORD" }',
        "postgresql://<user>:<password>@<host>",
        "curl --header 'Authorization: Bearer $TOKEN' localhost",
        "missing secret=shop-jwt; no token is set",
        "PostgreSQL 18.6 accepts queries on 127.0.0.1:5432",
    ],
)
def test_a_message_without_a_secret_stays_as_it_is(text: str) -> None:
    """Messages about passwords, references to secrets, and ports are no secrets."""
    assert Redactor(["password", "postgres", "5432", "pw"]).text(text) == text


@pytest.mark.parametrize("secret", ["password", "Postgres", "shop", "abc"])
def test_a_secret_that_is_an_ordinary_word_is_hidden_only_in_its_place(secret: str) -> None:
    """A weak password does not tear holes into messages, which would give it away, but no URL or setting shows it."""
    redactor = Redactor([secret], words=["shop"])

    assert redactor.text(f"the {secret} is there") == f"the {secret} is there"
    assert redactor.text(f"postgres://u:{secret}@h/db password={secret}") == "postgres://u:***@h/db password=***"


def test_a_short_secret_is_hidden_as_a_word_of_its_own() -> None:
    """A secret of four to seven characters is hidden, but not out of the middle of a longer word."""
    redactor = Redactor(["xray7"])

    assert redactor.text("redis-cli -a xray7 ping xray77") == "redis-cli -a *** ping xray77"


def test_every_line_of_a_secret_of_several_lines_is_hidden() -> None:
    """A key that is shown line by line, as in the tail of a log, is hidden too."""
    key = "MIIEpAIBAAKCAQEA75a\nq9x1kZJ0aTjz3GmB7Qk="

    assert Redactor([key]).text("log: MIIEpAIBAAKCAQEA75a") == "log: ***"


def test_a_value_under_a_sensitive_name_is_hidden() -> None:
    """The facts of a verdict show no password, whatever it is."""
    verdict = failed("no", expected="e", found="f", where="w", remedy="r", password="password", port=5432)

    assert Redactor().value(verdict).facts == {"password": "***", "port": 5432}


def test_a_redactor_shows_nothing_of_what_it_knows() -> None:
    """Neither its representation nor its text gives a secret away."""
    assert repr(Redactor(["correct horse"])) == "Redactor(***)"


def test_redacting_twice_changes_nothing() -> None:
    """What is hidden stays as it is."""
    redactor = Redactor(["hunter2!hunter2"])
    once = redactor.text("postgres://shop:hunter2!hunter2@h password='x' token=y hunter2!hunter2")

    assert redactor.text(once) == once


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["a", "a_", "://a:", "password", "password='", "\\", "\\'", "eyJaaaa.", "-", " ", "\n"]
)
def test_a_hostile_text_costs_no_time(piece: str) -> None:
    """No text makes the rules run away, such as a log of one endless word."""
    Redactor(["\\'\\''' \"\\\\'" * 4]).text(piece * (20_000 // len(piece)))
