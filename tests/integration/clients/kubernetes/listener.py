"""A real TLS listener in the place of an API server: it answers as told, and counts what reaches it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.unit.clients.kubernetes.samples import config, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from pytest_devenv.clients.kubernetes import Kubeconfig


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: plain values become JSON, bytes go as they are, and a list of bytes as one chunk each.

    `held` keeps the end of the answer back until the listener ends.
    """

    status: int = 200
    body: object = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    held: bool = False


def status(code: int, reason: str, message: str) -> Answer:
    """Return a refusal as an API server words it."""
    return Answer(code, {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code})


class _Handler(BaseHTTPRequestHandler):
    """Takes requests for its listener, and gives its answers."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length))
        self.server.listener.requests.append(request)
        self.reply(self.server.listener.answer(request))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815  # http.server's names

    def reply(self, given: Answer) -> None:
        self.send_response(given.status)
        for name, value in given.headers.items():
            self.send_header(name, value)
        if isinstance(given.body, list):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in given.body:
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            self.hold(given)
            self.wfile.write(b"0\r\n\r\n")
            return
        text = given.body if isinstance(given.body, bytes) else json.dumps(given.body).encode()
        self.hold(given)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def hold(self, given: Answer) -> None:
        if given.held:
            self.server.listener.ending.wait(60)

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""


class _Server(ThreadingHTTPServer):
    """A server that counts its connections."""

    daemon_threads = True
    listener: Listener

    def get_request(self) -> Any:  # noqa: ANN401  # socketserver's
        connection = super().get_request()
        self.listener.connections += 1
        return connection

    def handle_error(self, *_: object) -> None:
        """Let a client go that went."""


class Listener:
    """A server on an ephemeral port of this machine, with a certificate for `names`. Use it as a context manager."""

    def __init__(self, folder: Path, answer: Callable[[Request], Answer], *, names: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.answer = answer
        self.requests: list[Request] = []
        self.connections = 0
        self.ending = threading.Event()
        self.authority = folder / "authority.crt"
        self._make_certificate(names)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.listener = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def server(self) -> str:
        """Its URL."""
        return f"https://127.0.0.1:{self.port}"

    def kubeconfig(
        self, *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, context: str = "kind-shop"
    ) -> Kubeconfig:
        """Write a kubeconfig that leads here, and return its context."""
        given = {"server": self.server, "certificate-authority": str(self.authority)}
        file = written(self.folder / "config", context=context, cluster=given | (cluster or {}), user=user)
        return config(file, context=context)

    def _make_certificate(self, names: tuple[str, ...]) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver of a test")])
        now = dt.datetime.now(dt.UTC)
        hosts: list[x509.GeneralName] = [x509.DNSName(each) for each in names]
        hosts = hosts or [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.authority.write_bytes(pem)
        (self.folder / "server.crt").write_bytes(pem)
        (self.folder / "server.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
