"""Access tokens as the checks need them: read without the key, and made by somebody who has it or has not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_devenv.secret import Secret


def claims(token: str) -> dict[str, Any]:
    """Return what a token claims, believed or not."""
    found: dict[str, Any] = json.loads(_decoded(token.split(".")[1]))
    return found


def signed(claimed: dict[str, Any], key: Secret) -> str:
    """Return a token that claims this, signed with HMAC-SHA-256 (RFC 7515)."""
    head = _encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    text = f"{head}.{_encoded(json.dumps(claimed).encode())}"
    return f"{text}.{_encoded(hmac.digest(key.reveal().encode(), text.encode(), hashlib.sha256))}"


def unsigned(claimed: dict[str, Any]) -> str:
    """Return a token that claims this and says that it needs no signature."""
    return f"{_encoded(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())}.{_encoded(json.dumps(claimed).encode())}."


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
