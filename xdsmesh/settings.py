"""The server's settings: parsed once, checked whole, frozen."""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from xdsmesh.model.errors import Place, Problem, RefusedError

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,253}[a-z0-9])?")
_PORTS: Final = 65536


class LogFormat(StrEnum):
    """How the log is written: a line of JSON each, or for a person's eyes."""

    JSON = "json"
    CONSOLE = "console"


class IntentionPolicy(StrEnum):
    """What happens to a call that no intention decides."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and a port to listen on; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server does. An address of None is a listener that is off."""

    dev: bool
    http: Address | None
    xds: Address | None
    https: Address | None
    xds_tls: Address | None
    dns: Address | None
    datacenter: str
    node: str
    trust_domain: str | None
    config_dir: Path | None
    data_dir: Path | None
    log_format: LogFormat
    default_intention_policy: IntentionPolicy

    @classmethod
    def parse(  # noqa: PLR0913 - one argument for each flag of the command
        cls,
        *,
        dev: bool = False,
        http_addr: str = "127.0.0.1:8500",
        xds_addr: str = "127.0.0.1:8502",
        https_addr: str = "off",
        xds_tls_addr: str = "off",
        dns_addr: str = "off",
        datacenter: str = "dc1",
        node: str = "",
        trust_domain: str = "",
        config_dir: str = "",
        data_dir: str = "",
        log_format: str = "console",
        default_intention_policy: str = "",
    ) -> Self:
        """Check and convert what the flags of ``xdsmesh server`` say.

        Raises:
            RefusedError: with all problems, each under the name of its flag.
        """
        flags = _Flags()
        if dev and data_dir:
            flags.refuse("--data-dir", "--dev keeps everything in memory", "leave out one of the two")
        if not dev and not data_dir:
            flags.refuse(
                "--data-dir", "the server needs a folder for its data", "or use --dev to try it in memory"
            )
        settings = cls(
            dev=dev,
            http=flags.address("--http-addr", http_addr),
            xds=flags.address("--xds-addr", xds_addr),
            https=flags.address("--https-addr", https_addr),
            xds_tls=flags.address("--xds-tls-addr", xds_tls_addr),
            dns=flags.address("--dns-addr", dns_addr),
            datacenter=flags.text("--datacenter", datacenter, _NAME, "a name such as dc1"),
            node=node or "localhost",
            trust_domain=flags.text(
                "--trust-domain", trust_domain.lower(), _TRUST_DOMAIN, "a name such as corp.consul"
            )
            if trust_domain
            else None,
            config_dir=flags.folder("--config-dir", config_dir),
            data_dir=Path(data_dir) if data_dir else None,
            log_format=flags.choice("--log-format", log_format, LogFormat),
            default_intention_policy=flags.choice(
                "--default-intention-policy",
                default_intention_policy or ("allow" if dev else "deny"),
                IntentionPolicy,
            ),
        )
        flags.raise_problems()
        return settings


class _Flags:
    """Converts the texts of flags and collects what is wrong with them."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def refuse(self, flag: str, what: str, remedy: str) -> None:
        self._problems.append(Problem(Place(source=flag), what, remedy))

    def raise_problems(self) -> None:
        if self._problems:
            raise RefusedError(*self._problems)

    def address(self, flag: str, text: str) -> Address | None:
        if text == "off":
            return None
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]").replace("localhost", "127.0.0.1")
        if not colon or not port.isascii() or not port.isdigit() or int(port) >= _PORTS:
            self.refuse(flag, f"{text!r} is not an address", "write host:port, or off")
            return None
        try:
            ip = ipaddress.ip_address(host)
        except ValueError:
            self.refuse(flag, f"{host!r} is not an IP address", "write one such as 127.0.0.1")
            return None
        if not ip.is_loopback:
            self.refuse(
                flag,
                f"{host} can be reached from other machines, and nothing authenticates callers yet",
                "use an address in 127.0.0.0/8",
            )
        return Address(host, int(port))

    def text(self, flag: str, text: str, pattern: re.Pattern[str], like: str) -> str:
        if not pattern.fullmatch(text):
            self.refuse(
                flag, f"{text!r} is not allowed", f"use lower-case letters, digits and dashes: {like}"
            )
        return text

    def folder(self, flag: str, text: str) -> Path | None:
        if text and not Path(text).is_dir():
            self.refuse(flag, f"{text} is not a folder", "make it first, or correct the path")
        return Path(text) if text else None

    def choice(self, flag: str, text: str, choices: type[StrEnum]) -> Any:
        try:
            return choices(text)
        except ValueError:
            self.refuse(flag, f"{text!r} is not a choice", f"use {' or '.join(choices)}")
            return next(iter(choices))
