"""HTTP proxies on the way to an API server."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.", "::1")
_ANSWER_BYTES = 16 * 1024


def of_environment(host: str, port: int, *, tls: bool) -> str | None:
    """Return the proxy that the environment names for a host, as kubectl would take it: never for this machine."""
    names = ("HTTPS_PROXY", "https_proxy") if tls else ("HTTP_PROXY", "http_proxy")
    proxy = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if proxy is None or host.startswith(_LOOPBACK):
        return None
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # it is there, not in the stubs

    return None if proxy_bypass_environment(f"{host}:{port}") else proxy


def through(proxy: str, host: str, port: int, left_s: float) -> socket.socket:
    """Open a tunnel through an HTTP proxy. Raises OSError where it does not make one."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.scheme != "http" or parts.hostname is None:
        msg = f"the proxy is of scheme {parts.scheme}, where only http can be used"
        raise OSError(msg)
    plain = socket.create_connection((parts.hostname, parts.port or 80), timeout=left_s)
    try:
        _tunnel(plain, f"{parts.hostname}:{parts.port or 80}", f"{host}:{port}")
    except BaseException:
        plain.close()
        raise
    return plain


def _tunnel(plain: socket.socket, proxy: str, server: str) -> None:
    plain.sendall(f"CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < _ANSWER_BYTES:
        byte = plain.recv(1)  # not one byte more than the proxy's own answer
        if not byte:
            break
        answer += byte
    status = answer.split(b"\r\n", 1)[0].decode(errors="replace")
    if " 200" not in status:
        msg = f"the proxy {proxy} made no tunnel: {status or 'no answer'}"
        raise OSError(msg)
