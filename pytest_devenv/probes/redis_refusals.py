"""What it means when Redis refuses: a verdict for each of its errors, and for each way of not reaching it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_devenv.clients.redis import ForeignReplyError, HandshakeTimeoutError, ReplyError
from pytest_devenv.probes import commands
from pytest_devenv.probes.redact import redacted
from pytest_devenv.verdict import failed, unknown

if TYPE_CHECKING:
    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_EXPECTED = "a Redis server that answers PING with PONG"
_WRITABLE = "a Redis server that takes writes"
# Of servers before Redis 6, which had no code for them, and for a password that nobody asked for.
_AUTH_ERRORS = ("invalid password", "without any password configured", "no password is set")


def refused(environment: Environment, endpoint: Endpoint, error: Exception) -> Verdict:
    """Return the verdict on a command that Redis did not answer as asked; `error` is what the client raised."""
    if isinstance(error, ReplyError):
        return _said(environment, endpoint, error)
    return _unreached(environment, endpoint, error)


def _unreached(environment: Environment, endpoint: Endpoint, error: Exception) -> Verdict:
    """Return the verdict on a server that was not reached, or is none."""
    name, at = endpoint.service, endpoint.address
    deadline_s = environment.settings.deadline_s
    up = commands.bring_up(environment, name)
    setting = commands.address_setting(environment, endpoint)
    match error:
        case ConnectionRefusedError():
            found = (f"{name} refuses connections at {at}", f"connection refused: nothing listens at {at}", up)
        case socket.gaierror():
            summary = f"{name} is at a host that has no address: {endpoint.host}"
            found = (summary, f"the name {endpoint.host} does not resolve", f"correct {setting}")
        case HandshakeTimeoutError():
            summary = f"{name} does not speak TLS as asked at {at}"
            seen = f"no answer to a TLS handshake within {deadline_s:g} s"
            found = (summary, seen, f"write redis:// for rediss:// in {setting}")
        case TimeoutError():
            mend = commands.unless_stranger(environment, endpoint, up)
            found = (f"{name} does not answer at {at}", f"no answer within {deadline_s:g} s", mend)
        case ssl.SSLCertVerificationError():
            summary = f"{name} has a certificate that is not trusted"
            said = error.verify_message or "certificate verify failed"
            found = (summary, f"TLS error: {said}", f"trust it: export SSL_CERT_FILE=ca.pem; or correct {setting}")
        case ssl.SSLError():
            summary = f"{name} does not speak TLS as asked at {at}"
            found = (summary, f"TLS error: {error.reason or error}", f"write redis:// for rediss:// in {setting}")
        case ForeignReplyError():
            summary = f"what answers at {at} is not Redis"
            found = (summary, "an answer in another protocol", "pytest -m ports names who holds the port")
        case ConnectionResetError() | BrokenPipeError():
            summary = f"{name} hangs up at {at}"
            mend = commands.unless_stranger(environment, endpoint, up)
            found = (summary, "the connection was closed before Redis answered, as a dead port forward does", mend)
        case _:
            said = redacted(str(error), environment).strip()
            found = (f"{name} is not reached at {at}", f"{type(error).__name__}: {said}", up)
    where = commands.redis_where(endpoint)
    return failed(found[0], expected=_EXPECTED, found=found[1], where=where, remedy=found[2])


def _said(environment: Environment, endpoint: Endpoint, error: ReplyError) -> Verdict:
    """Return the verdict on what the server said."""
    name, where = endpoint.service, commands.redis_where(endpoint)
    said = redacted(str(error), environment)
    expected, remedy = _EXPECTED, commands.redis_cli(endpoint, "PING")
    summary, found = f"{name} answers with an error", said
    match error.code:
        case "NOAUTH" | "WRONGPASS":
            return _authentication(environment, endpoint, error)
        case "NOPERM":
            user = endpoint.user or "default"
            words = ("ACL", "SETUSER", user, "~pytest-devenv:*", "+@read", "+@write", "+info")
            return unknown(
                f"{user} may not do this on {name}: {redacted(error.text, environment)}",
                where=where,
                remedy=commands.redis_cli(replace(endpoint, user=None), *words),
            )
        case "LOADING":
            summary, found = f"{name} is loading its data", "LOADING: it answers when its data is in memory"
            remedy = f"wait, and see how far it is: {commands.redis_cli(endpoint, 'INFO', 'persistence')}"
        case "READONLY":
            summary, found, expected = f"{name} is a read-only replica", "READONLY: it takes no writes", _WRITABLE
            remedy = commands.redis_cli(endpoint, "REPLICAOF", "NO", "ONE")
        case "MISCONF":
            summary, expected = f"{name} takes no writes, since it cannot save its data", _WRITABLE
            remedy = commands.redis_cli(endpoint, "CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
        case "ERR" if "max number of clients" in said:
            summary, found = f"{name} has no free connection", "maxclients is used up"
            remedy = f"end what is forgotten, which this shows: {commands.redis_cli(endpoint, 'CLIENT', 'LIST')}"
        case "ERR" if any(words in said for words in _AUTH_ERRORS):
            return _authentication(environment, endpoint, error)
    return failed(summary, expected=expected, found=found, where=where, remedy=remedy)


def _authentication(environment: Environment, endpoint: Endpoint, error: ReplyError) -> Verdict:
    name = endpoint.service
    place = commands.password_setting(environment, endpoint, name)
    if "without any password configured" in error.text or "no password is set" in error.text:
        summary, found = f"{name} has no password, and one is configured", "the server knows no password"
        place = commands.without_password(environment, endpoint)
    elif endpoint.password is None:
        summary, found = f"{name} wants a password, and none is configured", "NOAUTH: authentication required"
    else:
        summary, found = f"{name} rejects the password", "WRONGPASS: wrong password, or no such user"
    return failed(summary, expected=_EXPECTED, found=found, where=commands.redis_where(endpoint), remedy=place)
