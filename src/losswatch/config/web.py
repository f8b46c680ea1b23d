"""The keys of ``web``: who may use the server, and how. Those of exporter-toolkit are as there."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from losswatch.config.schema import VARIABLE, or_variable
from losswatch.config.section import Name, Section, wrong, wrong_above
from losswatch.config.windows import Duration  # noqa: TC001  # pydantic reads it
from losswatch.core.window import parse_duration

__all__ = [
    "ADDRESS",
    "MOST_ROUNDS",
    "HttpServerConfig",
    "TlsConfig",
    "WebConfig",
    "WebFileConfig",
    "check_address",
    "hash_problem",
]

ADDRESS = r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"
"""What an address and port look like."""

_HASH = r"^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$"
_LEAST_ROUNDS, MOST_ROUNDS = 4, 16
"""The cost of a hash: with 16 one look takes seconds; with 31 it would take a day."""

_HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""What may be set, and the values of it where there are only some."""

_INSECURE = {
    "RequestClientCert": "asks for a certificate and takes any, or none",
    "RequireAnyClientCert": "takes certificates that anybody made for himself",
    "RequireClientCert": "takes certificates that anybody made for himself",
    "VerifyClientCertIfGiven": "lets clients in that send no certificate",
}
"""Go's other names, and why they are not taken."""

_VERIFIED = "RequireAndVerifyClientCert"


def check_address(listen: object) -> object:
    """Return an address and port as they are, or raise with what is wrong."""
    if not isinstance(listen, str) or not re.fullmatch(ADDRESS, listen):
        rule = "must be an address and a port, as in 127.0.0.1:18100"
    elif int(listen.rpartition(":")[2]) > 65535:
        rule = "must have a port up to 65535"
    else:
        return listen
    raise wrong("is {listen}; {rule}", listen=f"{listen!r:.60}", rule=rule)


def hash_problem(text: str) -> str:
    """Return what is wrong with the hash of a password, without showing it; nothing if it fits."""
    if not re.fullmatch(_HASH, text):
        return "is no bcrypt hash; make one with `htpasswd -nBC 10 USER`: what follows the colon"
    if not _LEAST_ROUNDS <= int(text[4:6]) <= MOST_ROUNDS:
        return f"has a cost of {text[4:6]}; must be from {_LEAST_ROUNDS} to {MOST_ROUNDS}"
    return ""


def _hash(secret: SecretStr) -> SecretStr:
    if problem := hash_problem(secret.get_secret_value()):
        raise wrong("{problem}", problem=problem)
    return secret


def _client_auth(value: object) -> object:
    if isinstance(value, str) and value in _INSECURE:
        raise wrong(
            "is {value}, which {why}; must be NoClientCert or {verified}",
            value=value,
            why=_INSECURE[value],
            verified=_VERIFIED,
        )
    return value


def _name(san: str) -> str:
    """Return a name as it is compared: an address is written in one way."""
    try:
        return str(ipaddress.ip_address(san))
    except ValueError:
        return san


_ADDRESS_SCHEMA = {"type": "string", "anyOf": [{"pattern": ADDRESS}, {"pattern": VARIABLE}]}
_HASH_SCHEMA = {"type": "string", "anyOf": [{"pattern": _HASH}, {"pattern": VARIABLE}]}
_AUTH_SCHEMA = or_variable({"enum": ["NoClientCert", _VERIFIED], "type": "string"})

_Address = Annotated[str, BeforeValidator(check_address), WithJsonSchema(_ADDRESS_SCHEMA)]
_Hash = Annotated[SecretStr, AfterValidator(_hash), WithJsonSchema(_HASH_SCHEMA)]
_ClientAuth = Annotated[
    Literal["NoClientCert", "RequireAndVerifyClientCert"],
    BeforeValidator(_client_auth),
    WithJsonSchema(_AUTH_SCHEMA),
]
_User = Annotated[str, Field(min_length=1, max_length=128, pattern="^[^:]+$")]
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

    @field_validator("client_ca_file")
    @classmethod
    def _with_policy(cls, path: str | None, info: ValidationInfo) -> str | None:
        policy = info.data.get("client_auth_type")
        if path is None and policy == _VERIFIED:
            raise wrong("is missing; {verified} needs it", verified=_VERIFIED)
        if path is not None and policy == "NoClientCert":
            raise wrong(
                "is given, but clients are not asked: set client_auth_type: {verified}",
                verified=_VERIFIED,
            )
        return path

    @field_validator("client_allowed_sans")
    @classmethod
    def _of_verified(cls, names: list[str], info: ValidationInfo) -> list[str]:
        if names and info.data.get("client_auth_type") == "NoClientCert":
            raise wrong("needs client_auth_type: {verified}", verified=_VERIFIED)
        return names

    @field_validator("max_version")
    @classmethod
    def _not_below(cls, version: str, info: ValidationInfo) -> str:
        if version < info.data.get("min_version", version):
            raise wrong("is below min_version; must be TLS13")
        return version


class HttpServerConfig(Section):
    """What every answer has."""

    http2: bool = Field(
        default=True,
        description="Taken for files of other exporters; HTTP/1.1 is spoken all the same.",
    )
    headers: dict[str, str] = Field(
        default={},
        json_schema_extra={"propertyNames": {"enum": [*_HEADERS]}},
        description=f"Headers of every answer; may be {', '.join(_HEADERS)}.",
    )

    @field_validator("headers")
    @classmethod
    def _known(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if name not in _HEADERS:
                raise wrong(
                    "has {name}; must be of {known}", name=f"{name:.60}", known=", ".join(_HEADERS)
                )
            if not value.isprintable() or not value.isascii():
                raise wrong("has {name} with a line feed or the like; remove it", name=name)
            if _HEADERS[name] and value and value not in _HEADERS[name]:
                allowed = " or ".join(_HEADERS[name])
                raise wrong("has {name}; must be {allowed}", name=name, allowed=allowed)
        # With a space around it no answer could be written.
        return {name: text for name, value in headers.items() if (text := value.strip())}


class WebFileConfig(Section):
    """What stands in the file of ``--web.config.file``, as exporter-toolkit has it."""

    tls_server_config: TlsConfig | None = Field(
        default=None, description="Speak TLS. Certificates are read again when they change."
    )
    http_server_config: HttpServerConfig = Field(
        default=HttpServerConfig(), description="What every answer has: {headers: {...}}."
    )
    basic_auth_users: dict[_User, _Hash] = Field(
        default={},
        json_schema_extra={"writeOnly": True},
        description="Names of users, each with the bcrypt hash of the password. Without any"
        " nobody is asked.",
    )


class WebConfig(WebFileConfig):
    """Who may use the server, and how much of it."""

    basic_auth_users_file: Name | None = Field(
        default=None,
        description="Path of a file with such users, as htpasswd makes it: a line user:hash"
        " for each. Read at the start and at a reload.",
    )
    max_connections: int = Field(
        default=512,
        ge=8,
        le=100_000,
        description="So many clients at a time; for a further one the one is cut that has been"
        " silent for longest.",
    )
    client_timeout: Duration = Field(
        default="10s",
        description="A client that does not get on for so long is cut: with the handshake, with"
        " the head of a request, with reading the answer.",
    )
    probe_listen: _Address | None = Field(
        default=None,
        description="A second address that answers the probes alone, without TLS and password.",
    )
    enable_lifecycle: bool = Field(
        default=False, description="Whether POST or PUT /-/reload loads this file again."
    )

    @field_validator("basic_auth_users_file")
    @classmethod
    def _one_of_two(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is not None and info.data.get("basic_auth_users"):
            raise wrong_above("has basic_auth_users and basic_auth_users_file; must have one")
        return path

    @field_validator("client_timeout")
    @classmethod
    def _long_enough(cls, timeout: str) -> str:
        if not 0.1 <= parse_duration(timeout) <= 3600:
            raise wrong("is {timeout}; must be from 100ms to 1h", timeout=timeout)
        return timeout

    @property
    def authenticates(self) -> bool:
        """Whether clients must show who they are."""
        tls = self.tls_server_config
        verified = tls is not None and tls.client_auth_type == _VERIFIED
        return verified or bool(self.basic_auth_users or self.basic_auth_users_file)

    def with_file(self, content: WebFileConfig) -> WebConfig:
        """Return the same with what another file says of it instead."""
        update: dict[str, Any] = {
            name: getattr(content, name) for name in type(content).model_fields
        }
        return self.model_copy(update={**update, "basic_auth_users_file": None})
