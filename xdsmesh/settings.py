"""The server's settings: parsed once, checked whole, frozen."""

import ipaddress
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Self, TypeVar

from xdsmesh.model.address import host_port, is_loopback
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,253}[a-z0-9])?")
_PORTS: Final = 65536

T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C", bound=StrEnum)


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
        return host_port(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server does. An address of None is a listener that is off.

    ``advertise`` is the IP address by which other machines reach this one; empty if nobody said it.
    ``encryption_key`` is the environment's, in base64: a secret. Without it and a file the server makes one.
    ``roots_file`` is kept with the roots that are to be believed, for proxies; None: no file is.
    """

    dev: bool
    http: Address | None
    xds: Address | None
    https: Address | None
    xds_tls: Address | None
    dns: Address | None
    federation: Address | None
    advertise: str
    datacenter: str
    node: str
    trust_domain: str | None
    config_dir: Path | None
    data_dir: Path | None
    encryption_key_file: Path | None
    encryption_key: str | None = field(repr=False)
    roots_file: Path | None
    log_format: LogFormat
    default_intention_policy: IntentionPolicy

    @classmethod
    def parse(  # noqa: PLR0913 - one argument for each flag of the command
        cls,
        *,
        dev: bool = False,
        config_dir: Path | None = None,
        data_dir: Path | None = None,
        encryption_key_file: Path | None = None,
        encryption_key: str | None = None,
        roots_file: Path | None = None,
        http_addr: str | None = None,
        https_addr: str | None = None,
        xds_addr: str | None = None,
        xds_tls_addr: str | None = None,
        dns_addr: str | None = None,
        federation_addr: str | None = None,
        advertise_addr: str | None = None,
        node: str | None = None,
        datacenter: str | None = None,
        trust_domain: str | None = None,
        default_intention_policy: str | None = None,
        log_format: str | None = None,
    ) -> Self:
        """Check and convert what the flags of ``xdsmesh server`` say; None is a flag that was not given.

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
        if dev and encryption_key_file:
            what = "--dev makes a key in memory"
            flags.refuse("--encryption-key-file", what, "leave out one of the two")
        xds = flags.address("--xds-addr", xds_addr or "127.0.0.1:8502")
        xds_tls = flags.address("--xds-tls-addr", xds_tls_addr or "off")
        policy = default_intention_policy or ("allow" if dev else "deny")
        settings = cls(
            dev=dev,
            http=flags.address("--http-addr", http_addr or "127.0.0.1:8500"),
            xds=xds,
            https=flags.address("--https-addr", https_addr or "off"),
            xds_tls=xds_tls,
            dns=flags.address("--dns-addr", dns_addr or "off"),
            federation=flags.address("--federation-addr", federation_addr or _beside(xds_tls or xds)),
            advertise=_maybe(advertise_addr, flags.ip_address) or "",
            datacenter=flags.text("--datacenter", datacenter or "dc1", _NAME, "a name such as dc1"),
            node=node or platform.node(),
            trust_domain=_maybe(trust_domain, flags.trust_domain),
            config_dir=_maybe(config_dir, flags.folder),
            data_dir=data_dir,
            encryption_key_file=encryption_key_file,
            encryption_key=encryption_key or None,
            roots_file=roots_file,
            log_format=flags.choice("--log-format", log_format or "console", LogFormat),
            default_intention_policy=flags.choice("--default-intention-policy", policy, IntentionPolicy),
        )
        if dev:
            flags.keep_on_loopback(settings)
        flags.raise_problems()
        return settings

    @property
    def reached(self) -> dict[str, Address]:
        """The listeners that other machines reach without a certificate of the mesh, by their flags."""
        listeners = {
            "--http-addr": self.http,
            "--https-addr": self.https,
            "--xds-addr": self.xds,
            "--xds-tls-addr": self.xds_tls,
            "--dns-addr": self.dns,
        }
        return {flag: each for flag, each in listeners.items() if each and not is_loopback(each.host)}


def _maybe(value: T | None, convert: Callable[[T], R]) -> R | None:
    return None if value is None else convert(value)


def _beside(xds: Address | None) -> str:
    """Gateways learn the port from us, so any will do, where they reach us anyway."""
    return host_port(xds.host, 0) if xds else "off"


def is_datacenter_name(text: str) -> bool:
    """Whether a datacenter may be called so."""
    return _NAME.fullmatch(text) is not None


class _Flags:
    """Converts the texts of flags and collects what is wrong with them."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def refuse(self, flag: str, what: str, remedy: str) -> None:
        self._problems.append(Problem(Place(source=flag), what, remedy, code=Code.SETTING))

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
        return Address(host, int(port)) if self._is_ip(flag, host) else None

    def ip_address(self, text: str) -> str:
        return text if self._is_ip("--advertise-addr", text) else ""

    def _is_ip(self, flag: str, host: str) -> bool:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            self.refuse(flag, f"{host!r} is not an IP address", "write one such as 127.0.0.1")
            return False
        return True

    def keep_on_loopback(self, settings: Settings) -> None:
        federation = settings.federation
        others = {"--federation-addr": federation} if federation and not is_loopback(federation.host) else {}
        for flag, address in {**settings.reached, **others}.items():
            what = f"{address.host} can be reached from other machines, and --dev has no tokens to begin with"
            self.refuse(flag, what, "use an address in 127.0.0.0/8, or --data-dir and a token")

    def text(self, flag: str, text: str, pattern: re.Pattern[str], like: str) -> str:
        if not pattern.fullmatch(text):
            self.refuse(
                flag, f"{text!r} is not allowed", f"use lower-case letters, digits and dashes: {like}"
            )
        return text

    def trust_domain(self, text: str) -> str:
        return self.text("--trust-domain", text.lower(), _TRUST_DOMAIN, "a name such as corp.consul")

    def folder(self, path: Path) -> Path:
        if not path.is_dir():
            self.refuse("--config-dir", f"{path} is not a folder", "make it first, or correct the path")
        return path

    def choice(self, flag: str, text: str, choices: type[C]) -> C:
        if text not in list(choices):
            self.refuse(flag, f"{text!r} is not a choice", f"use {' or '.join(choices)}")
            return next(iter(choices))
        return choices(text)
