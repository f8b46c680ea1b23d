"""Certificates: of the server, read again when their files change, and of its clients."""

from __future__ import annotations

import ipaddress
import logging
import os
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from losswatch.errors import ListenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Signature = tuple[tuple[int, ...] | None, ...]

__all__ = ["Certificates", "TlsSettings"]

logger = logging.getLogger(__name__)

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """What is spoken, and with whom.

    With ``client_ca_file`` a client must have a certificate that is signed by
    one of those; with ``allowed_sans`` it must have one of these names too.
    ``ciphers`` are those of TLS 1.2; they and the ``curve`` have OpenSSL's names.
    """

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    allowed_sans: frozenset[str] = frozenset()
    min_version: Literal["TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS12", "TLS13"] = "TLS13"
    ciphers: tuple[str, ...] = ()
    prefer_own_ciphers: bool = True
    curve: str | None = None

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        files = [self.cert_file, self.key_file]
        return files if self.client_ca_file is None else [*files, self.client_ca_file]


class Certificates:
    """The context of TLS for each new connection, by the files as they are now.

    Where they changed but make no sense, as in the middle of a rotation, the
    last good ones go on. For one thread.

    Raises
    ------
    ListenError
        The files make no sense at the start.
    """

    def __init__(self, settings: TlsSettings) -> None:
        self._settings = settings
        self._signature = _signature(settings.files)
        self._context = _context(settings)

    def context(self) -> ssl.SSLContext:
        """Return the context to speak with. Costs a look at each file."""
        signature = _signature(self._settings.files)
        if signature != self._signature:
            self._signature = signature
            try:
                self._context = _context(self._settings)
                logger.info("the certificates were read again")
            except ListenError as error:
                logger.error("%s; those of before are used on", error)
        return self._context

    def admits(self, certificate: Mapping[str, object] | None) -> bool:
        """Tell whether a client may come in whose certificate was verified."""
        allowed = self._settings.allowed_sans
        return not allowed or not allowed.isdisjoint(_names_of(certificate or {}))


def _signature(files: Sequence[Path]) -> Signature:
    return tuple(map(_stamp, files))


def _stamp(file: Path) -> tuple[int, ...] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    # The second changes with the owner and the mode: what could not be read may be read now.
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _context(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[settings.min_version]
    context.maximum_version = _VERSIONS[settings.max_version]
    context.options |= ssl.OP_NO_RENEGOTIATION
    _choose_ciphers(context, settings)
    context.set_alpn_protocols(["http/1.1"])
    file = settings.cert_file
    try:
        context.load_cert_chain(settings.cert_file, settings.key_file, password=_no_password)
        if settings.client_ca_file is not None:
            file = settings.client_ca_file
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(file)
    except (OSError, ValueError) as error:  # of ssl they are both
        raise ListenError(f"cannot speak TLS: {_where(settings, file)}: {_why(error)}") from None
    return context


def _choose_ciphers(context: ssl.SSLContext, settings: TlsSettings) -> None:
    key = "cipher_suites"
    try:
        if settings.ciphers:
            context.set_ciphers(":".join(settings.ciphers))
        key = "curve_preferences"
        if settings.curve is not None:
            context.set_ecdh_curve(settings.curve)
    except (OSError, ValueError):  # as where a machine is held to FIPS
        why = f"OpenSSL of this machine speaks nothing of {key}; name others"
        raise ListenError(f"cannot speak TLS: {why}") from None
    if settings.prefer_own_ciphers:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE  # Python sets it


def _no_password() -> str:
    """Refuse a key that is encrypted: without this, the terminal would be asked."""
    raise ValueError("the key is encrypted; decrypt it: openssl pkey -in KEY -out PLAIN")


def _where(settings: TlsSettings, file: Path) -> str:
    unreadable = [path for path in settings.files if not os.access(path, os.R_OK)]
    if unreadable:
        return f"{unreadable[0]}"
    return f"{file}" if file == settings.client_ca_file else f"{file} and {settings.key_file}"


def _why(error: OSError | ValueError) -> str:
    """Return what a person can do something with: OpenSSL says little."""
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return "the key is not that of the certificate"
    if isinstance(error, ssl.SSLError):
        known = str(reason or "no certificates and keys in PEM").replace("_", " ").lower()
        return (
            f"cannot be read as PEM: {known}; cert_file and client_ca_file must hold certificates,"
            " key_file a key"
        )
    if isinstance(error, FileNotFoundError):
        return f"{error.strerror}; paths are taken from the folder of the file that names them"
    if isinstance(error, PermissionError):
        return f"{error.strerror}; let the user of this process read it"
    return getattr(error, "strerror", None) or str(error)


def _names_of(certificate: Mapping[str, object]) -> set[str]:
    """Return the alternative names of a certificate, addresses as Python writes them."""
    pairs = certificate.get("subjectAltName", ())
    return {_address(name) if kind == "IP Address" else name for kind, name in pairs}  # type: ignore[attr-defined]


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return text
