"""The keys of ``tls_server_config``, as exporter-toolkit has them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from losswatch.config.schema import or_variable
from losswatch.config.section import Name, Section, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["VERIFIED", "TlsConfig"]

_INSECURE = {
    "RequestClientCert": "asks for a certificate and takes any, or none",
    "RequireAnyClientCert": "takes certificates that anybody made for himself",
    "RequireClientCert": "takes certificates that anybody made for himself",
    "VerifyClientCertIfGiven": "lets clients in that send no certificate",
}
"""Go's other names, and why they are not taken."""

VERIFIED = "RequireAndVerifyClientCert"

_Suite = Literal[
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
]
"""What Go does not call insecure; the last three are of TLS 1.3."""

_Curve = Literal["CurveP256", "CurveP384", "CurveP521", "X25519"]

_OF_OPENSSL = {
    "_WITH_": "-",
    "AES_": "AES",
    "_CBC": "",
    "POLY1305_SHA256": "POLY1305",
    "_": "-",
}
"""What to put for parts of Go's names of suites, one after the other."""

_CURVES = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}


def _client_auth(value: object) -> object:
    if isinstance(value, str) and value in _INSECURE:
        raise wrong(
            "is {value}, which {why}; must be NoClientCert or {verified}",
            value=value,
            why=_INSECURE[value],
            verified=VERIFIED,
        )
    return value


def _name(san: str) -> str:
    """Return a name as it is compared: an address is written in one way."""
    try:
        return str(ipaddress.ip_address(san))
    except ValueError:
        return san


_AUTH_SCHEMA = or_variable({"enum": ["NoClientCert", VERIFIED], "type": "string"})

_ClientAuth = Annotated[
    Literal["NoClientCert", "RequireAndVerifyClientCert"],
    BeforeValidator(_client_auth),
    WithJsonSchema(_AUTH_SCHEMA),
]
_Version = Literal["TLS12", "TLS13"]


class TlsConfig(Section):
    """The certificate of the server, and those of its clients."""

    cert_file: Name = Field(description="Path of the server's certificate, in PEM.")
    key_file: Name = Field(description="Path of its key, in PEM.")
    client_auth_type: _ClientAuth = Field(
        default="NoClientCert",
        description="NoClientCert, or RequireAndVerifyClientCert: who has no certificate of"
        " client_ca_file is not let in.",
    )
    client_ca_file: Name | None = Field(
        default=None,
        validate_default=True,
        description="Path of the certificates that those of clients are signed with.",
    )
    client_allowed_sans: list[Annotated[str, AfterValidator(_name)]] = Field(
        default=[],
        description="Only clients whose certificate has one of these names (DNS, IP, e-mail or"
        " URI) are let in. Default: any that is signed.",
    )
    min_version: _Version = Field(default="TLS12", description="TLS12 or TLS13.")
    max_version: _Version = Field(default="TLS13", description="TLS12 or TLS13.")
    cipher_suites: list[_Suite] = Field(
        default=[],
        description="Those of TLS 1.2 that are spoken, the preferred first, by Go's names. TLS 1.3"
        " has its own. Default: those of Python.",
    )
    prefer_server_cipher_suites: bool = Field(
        default=True, description="Whether the order of this side counts, or that of the client."
    )
    curve_preferences: list[_Curve] = Field(
        default=[],
        max_length=1,
        description="The one curve that is spoken, by Go's name. Default: those of OpenSSL.",
    )

    @field_validator("client_ca_file")
    @classmethod
    def _with_policy(cls, path: str | None, info: ValidationInfo) -> str | None:
        policy = info.data.get("client_auth_type")
        if path is None and policy == VERIFIED:
            raise wrong("is missing; {verified} needs it", verified=VERIFIED)
        if path is not None and policy == "NoClientCert":
            raise wrong(
                "is given, but clients are not asked: set client_auth_type: {verified}",
                verified=VERIFIED,
            )
        return path

    @field_validator("client_allowed_sans")
    @classmethod
    def _of_verified(cls, names: list[str], info: ValidationInfo) -> list[str]:
        if names and info.data.get("client_auth_type") == "NoClientCert":
            raise wrong("needs client_auth_type: {verified}", verified=VERIFIED)
        return names

    @field_validator("max_version")
    @classmethod
    def _not_below(cls, version: str, info: ValidationInfo) -> str:
        if version < info.data.get("min_version", version):
            raise wrong("is below min_version; must be TLS13")
        return version

    @field_validator("cipher_suites")
    @classmethod
    def _some_of_the_version(cls, names: list[str], info: ValidationInfo) -> list[str]:
        if names and info.data.get("min_version") == "TLS12" and not _of_tls12(names):
            raise wrong("has none of TLS 1.2; add one, or set min_version: TLS13")
        return names

    @property
    def ciphers(self) -> list[str]:
        """What OpenSSL calls the suites of TLS 1.2."""
        return [_openssl(name) for name in _of_tls12(self.cipher_suites)]

    @property
    def curve(self) -> str | None:
        """What OpenSSL calls the curve, if one is chosen."""
        return _CURVES[self.curve_preferences[0]] if self.curve_preferences else None


def _of_tls12(names: Iterable[str]) -> list[str]:
    return [name for name in names if "_WITH_" in name]


def _openssl(name: str) -> str:
    """Return what OpenSSL calls a suite, given Go's name."""
    name = name.removeprefix("TLS_")
    for part, instead in _OF_OPENSSL.items():
        name = name.replace(part, instead)
    return name
