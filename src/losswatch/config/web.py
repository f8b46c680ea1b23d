"""The keys of ``web``: who may use the server, and how. Those of exporter-toolkit are as there."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from losswatch.config.schema import DURATION, VARIABLE
from losswatch.config.section import Name, Section, wrong, wrong_above
from losswatch.config.tls import VERIFIED, TlsConfig
from losswatch.config.windows import Duration  # pydantic reads it
from losswatch.core.window import parse_duration

__all__ = [
    "ADDRESS",
    "MOST_ROUNDS",
    "HttpServerConfig",
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


_ADDRESS_SCHEMA = {"type": "string", "anyOf": [{"pattern": ADDRESS}, {"pattern": VARIABLE}]}
_HASH_SCHEMA = {"type": "string", "anyOf": [{"pattern": _HASH}, {"pattern": VARIABLE}]}

_Address = Annotated[str, BeforeValidator(check_address), WithJsonSchema(_ADDRESS_SCHEMA)]
_Hash = Annotated[SecretStr, AfterValidator(_hash), WithJsonSchema(_HASH_SCHEMA)]
_User = Annotated[str, Field(min_length=1, max_length=128, pattern="^[^:]+$")]


_NO_LIMIT = (0, "0", "0s")
_PACE_SCHEMA = {"anyOf": [{"type": "string", "pattern": DURATION}, {"enum": [*_NO_LIMIT]}]}
_Pace = Annotated[Duration, WithJsonSchema(_PACE_SCHEMA)]


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


class RateLimitConfig(Section):
    """How many requests are answered."""

    interval: _Pace = Field(
        description="A request is answered each so often, on average; 0 is no limit."
    )
    burst: int = Field(ge=1, le=1_000_000, description="So many may come at once.")


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
    rate_limit: RateLimitConfig | None = Field(
        default=None,
        description="So many requests are answered, of all clients together, but for the probes;"
        " the others get 429: {interval: 1s, burst: 20}.",
    )

    @field_validator("rate_limit", mode="before")
    @classmethod
    def _or_none(cls, limit: object) -> object:
        """Return nothing where the interval is 0: so exporter-toolkit turns the limit off."""
        interval = limit.get("interval") if isinstance(limit, dict) else None
        return None if interval in _NO_LIMIT and interval is not False else limit


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
        verified = tls is not None and tls.client_auth_type == VERIFIED
        return verified or bool(self.basic_auth_users or self.basic_auth_users_file)

    def with_file(self, content: WebFileConfig) -> WebConfig:
        """Return the same with what another file says of it instead."""
        update: dict[str, Any] = {
            name: getattr(content, name) for name in type(content).model_fields
        }
        return self.model_copy(update={**update, "basic_auth_users_file": None})
