"""What it means when an HTTP service is not reached, or does not answer in HTTP: a verdict for each way."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import TYPE_CHECKING

from pytest_devenv.probes import commands
from pytest_devenv.probes.redact import redacted
from pytest_devenv.verdict import failed

if TYPE_CHECKING:
    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


def refused(environment: Environment, endpoint: Endpoint, path: str, error: Exception) -> Verdict:
    """Return the verdict on a request that got no answer; `error` is what the client raised."""
    name, at = endpoint.service, endpoint.address
    up = commands.bring_up(environment, name)
    logs = commands.read_log(environment, name, otherwise=up)
    look = commands.request(environment, endpoint, path)
    url = endpoint.base_url.rstrip("/") + path
    setting = commands.address_setting(environment, endpoint)
    match error:
        case ConnectionRefusedError():
            found = (f"{name} refuses connections at {at}", f"connection refused: nothing listens at {at}", up)
        case socket.gaierror():
            summary = f"{name} is at a host that has no address: {endpoint.host}"
            found = (summary, f"the name {endpoint.host} does not resolve", f"correct {setting}")
        case ssl.SSLCertVerificationError():
            summary = f"{name} has a certificate that is not trusted"
            said = error.verify_message or "certificate verify failed"
            found = (summary, f"TLS error: {said}", f"trust it: export SSL_CERT_FILE=ca.pem; or correct {setting}")
        case ssl.SSLError():
            summary = f"{name} does not speak TLS as asked at {at}"
            found = (summary, f"TLS error: {error.reason or error}", f"write http:// for https:// in {setting}")
        case TimeoutError():
            deadline_s = environment.settings.deadline_s
            summary = f"{name} does not answer at {at}"
            mend = up if environment.attached else logs
            found = (
                summary,
                f"no whole answer within {deadline_s:g} s",
                commands.unless_stranger(environment, endpoint, mend),
            )
        case http.client.RemoteDisconnected():
            summary = f"{name} closes the connection without an answer"
            found = (summary, "the connection was closed before a status line", logs)
        case ConnectionResetError() | BrokenPipeError():
            summary = f"{name} resets the connection"
            found = (summary, "the connection was reset before a status line", logs)
        case http.client.IncompleteRead():
            summary = f"{name} closes the connection in the middle of its answer"
            seen = f"{len(error.partial)} bytes, and {error.expected} more were announced"
            found = (summary, seen, logs)
        case http.client.BadStatusLine() | http.client.LineTooLong():
            summary = f"what answers at {at} is not HTTP"
            found = (summary, "an answer in another protocol", "pytest -m ports names who holds the port")
        case _:
            said = redacted(str(error), environment).strip()
            found = (f"{name} is not reached at {at}", f"{type(error).__name__}: {said}", look)
    return failed(found[0], expected=f"an HTTP answer from {url}", found=found[1], where=f"GET {url}", remedy=found[2])
