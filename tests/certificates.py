"""Certificates for tests, made by the real OpenSSL, and clients that show them."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

from servers import binary


class Pair(NamedTuple):
    """A certificate and its key."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates of a test."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self.root = self._paths(name)
        # Without a usage Python from 3.13 on does not trust it.
        subject = ["-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        _openssl("req", "-x509", *_key(self.root), *_out(self.root), *subject)

    def sign(self, name: str, *names: str) -> Pair:
        """Return a certificate with alternative names such as ``DNS:localhost``."""
        pair = self._paths(f"{self._name}-{name}")
        more = ["-addext", f"subjectAltName={','.join(names)}"] if names else []
        authority = ["-CA", str(self.root.cert), "-CAkey", str(self.root.key)]
        subject = ["-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:FALSE"]
        _openssl("req", "-x509", *_key(pair), *_out(pair), *authority, *subject, *more)
        return pair

    def _paths(self, name: str) -> Pair:
        return Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")


def client(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    """Return how a client speaks that trusts an authority, and shows a certificate."""
    context = ssl.create_default_context(cafile=authority.root.cert)
    if pair is not None:
        context.load_cert_chain(*pair)
    return context


def connect(port: int, context: ssl.SSLContext, seconds: float = 10.0) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except BaseException:
        plain.close()
        raise


def ask(connection: socket.socket, path: str = "/metrics", head: str = "") -> bytes:
    """Send a request and return all that comes back; raise if nothing does."""
    request = f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{head}\r\n"
    connection.sendall(request.encode())
    answer = b""
    while data := connection.recv(65536):
        answer += data
    if not answer:
        raise ConnectionError("closed without an answer")
    return answer


def _key(pair: Pair) -> list[str]:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    return [*curve, "-keyout", str(pair.key)]


def _out(pair: Pair) -> list[str]:
    return ["-out", str(pair.cert), "-days", "2"]


def _openssl(*arguments: str) -> None:
    command = [binary("openssl"), *arguments]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
