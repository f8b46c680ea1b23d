"""What the YAML says of who may use the server, as the server takes it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from losswatch.config.users import read_users
from losswatch.core.window import parse_duration
from losswatch.errors import ConfigError, ListenError, Problem
from losswatch.service.address import is_of_this_machine, split_address
from losswatch.web.doors import Doors
from losswatch.web.rate import Rate
from losswatch.web.tls import Certificates, TlsSettings

if TYPE_CHECKING:
    from pathlib import Path

    from losswatch.config.model import RateLimitConfig, TlsConfig, WebConfig
    from losswatch.web.passwords import Passwords

__all__ = ["is_open", "make_doors", "warn_of_open_doors"]

logger = logging.getLogger(__name__)


def make_doors(config: WebConfig, folder: Path, before: Doors | None = None) -> Doors:
    """Return what is asked of clients; the files are read.

    With the users of before, who is known stays known; with the rate of before, what
    was taken of it is gone: nobody gets around it who can have the config loaded again.

    Raises
    ------
    ConfigError
        A file cannot be used.
    """
    headers = config.http_server_config.headers
    return Doors(
        connections=config.max_connections,
        seconds=parse_duration(config.client_timeout),
        certificates=_certificates(config.tls_server_config, folder),
        passwords=_passwords(config, folder, before.passwords if before else None),
        rate=_rate(config.rate_limit, before.rate if before else None),
        headers=tuple((name.lower().encode(), text.encode()) for name, text in headers.items()),
    )


def is_open(listen: str, config: WebConfig) -> bool:
    """Tell whether everybody in a network can use the server."""
    host, _ = split_address(listen)
    return not is_of_this_machine(host) and not config.authenticates


def warn_of_open_doors(listen: str, config: WebConfig) -> None:
    """Log it where everybody in a network can use the server."""
    if is_open(listen, config):
        logger.warning(
            "listening on %s, and nobody is asked who he is: whoever reaches it can read the cost"
            " and send events; see basic_auth_users and client_auth_type in the section web",
            listen,
        )


def _certificates(config: TlsConfig | None, folder: Path) -> Certificates | None:
    if config is None:
        return None
    settings = TlsSettings(
        folder / config.cert_file,
        folder / config.key_file,
        None if config.client_ca_file is None else folder / config.client_ca_file,
        frozenset(config.client_allowed_sans),
        config.min_version,
        config.max_version,
        tuple(config.ciphers),
        config.prefer_server_cipher_suites,
        config.curve,
    )
    try:
        return Certificates(settings)
    except ListenError as error:
        raise ConfigError("web", [Problem(0, "tls_server_config", str(error))]) from None


def _rate(limit: RateLimitConfig | None, before: Rate | None) -> Rate | None:
    if limit is None:
        return None
    interval = parse_duration(limit.interval)
    if before is not None and before.is_of(interval, limit.burst):
        return before
    return Rate(interval, limit.burst)


def _passwords(config: WebConfig, folder: Path, before: Passwords | None) -> Passwords | None:
    users = {name: secret.get_secret_value() for name, secret in config.basic_auth_users.items()}
    if config.basic_auth_users_file is not None:
        users = read_users(folder / config.basic_auth_users_file)
    if not users:
        return None
    if before is not None and before.is_of(users):
        return before
    from losswatch.web.passwords import Passwords  # noqa: PLC0415  # it loads bcrypt

    return Passwords(users)
