"""Text from outside loses the secrets in it, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_devenv.probes.redact import redacted
from tests.unit.probes.samples import environment


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no correct-horse-1 here", "no *** here"),
        ("signed with s3cr3t-key", "signed with ***"),
        ("postgres://shop:anything@db/shop", "postgres://shop:***@db/shop"),
        ('{"token": "abc.def", "user": "ada"}', '{"token": "***", "user": "ada"}'),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("password authentication failed", "password authentication failed"),
        ('{"secret": "s3cr3t"}', '{"secret": "***"}'),
        ("/callback?access_token=abc&state=1", "/callback?access_token=***&state=1"),
        ("from the URL: p%40ss-word and p@ss-word", "from the URL: *** and ***"),
    ],
)
def test_secrets_are_taken_out(text: str, shown: str) -> None:
    """Known values, logins in URLs and values named like secrets are hidden; ordinary words stay."""
    variables = {"JWT_SECRET": "s3cr3t-key", "CACHE_URL": "redis://:p%40ss-word@cache", "DB_PASSWORD": "password"}
    assert redacted(text, replace(environment(), variables={"backend": variables})) == shown
