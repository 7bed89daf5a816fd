"""The services that a person names for `xdsmesh init`, and all that is wrong with what was named."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xdsmesh.config.wording import nearest, quoted

_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_MAX_PORT: Final = 65535
_MAX_SERVICES: Final = 200
"""Each has an address and a network of its own in compose; far fewer belong on one machine."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service that another one calls, and the port at which its own sidecar listens for that."""

    service: str
    port: int


@dataclass(frozen=True, slots=True)
class Service:
    """A service: the port of its application, whom it calls, and in containers its image and published port.

    Without ``image`` an application of ours stands in its place. ``published`` is 0 if nobody outside of the
    mesh reaches the application.
    """

    name: str
    port: int
    upstreams: tuple[Upstream, ...] = ()
    image: str = ""
    published: int = 0

    @property
    def id(self) -> str:
        """The id of its only instance."""
        return f"{self.name}-1"


def read_services(
    services: Sequence[str],
    upstreams: Sequence[str] = (),
    images: Sequence[str] = (),
    published: Sequence[str] = (),
) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """Read the flags: the services in the order given, and the problems, each a sentence for a person.

    Only without a problem are the services complete. ``services`` are ``NAME:PORT``, ``upstreams``
    ``CALLER:SERVICE:PORT``, ``images`` ``NAME=IMAGE``, ``published`` ``NAME:PORT``.
    """
    reading = _Reading()
    ports = reading.services(services)
    calls = reading.upstreams(upstreams, ports)
    image_of = reading.images(images, ports)
    published_at = reading.published(published, ports)
    named = (
        Service(name, port, tuple(calls.get(name, ())), image_of.get(name, ""), published_at.get(name, 0))
        for name, port in ports.items()
    )
    return tuple(named), tuple(reading.problems)


def callers(services: Sequence[Service], name: str) -> Iterator[str]:
    """The names of those that call a service."""
    return (each.name for each in services if any(upstream.service == name for upstream in each.upstreams))


class _Reading:
    """Reads flag by flag, and keeps what is wrong with each: one mistake does not hide another."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def services(self, given: Sequence[str]) -> dict[str, int]:
        ports: dict[str, int] = {}
        for text in given:
            where = f"--service {text}"
            name, _, port = text.partition(":")
            if not _NAME.fullmatch(name):
                self._wrong(
                    where,
                    f"{quoted(name)} is no name for containers and units",
                    "write up to 40 of a-z, 0-9 and -, with a letter first and no - at the end",
                )
            elif name in ports:
                self._wrong(where, f"{name} is given twice", "keep one of them")
            # Known by its name even if the port is wrong, so that nothing else is said of who names it.
            ports.setdefault(name, self._port(where, port, f"{name or 'web'}:8080"))
        if not given:
            self._wrong("--service", "no service is named", "add --service web:8080 for each of yours")
        if len(ports) > _MAX_SERVICES:
            self._wrong("--service", f"these are {len(ports)} services", f"name at most {_MAX_SERVICES}")
        return ports

    def upstreams(self, given: Sequence[str], known: Mapping[str, int]) -> dict[str, list[Upstream]]:
        calls: dict[str, list[Upstream]] = {}
        for text in given:
            where = f"--upstream {text}"
            caller, _, rest = text.partition(":")
            called, _, port = rest.partition(":")
            self._known(where, caller, known)
            self._known(where, called, known)
            if caller == called:
                self._wrong(where, f"{caller} would call itself", "name two services")
            if any(each.service == called for each in calls.get(caller, ())):
                self._wrong(where, f"{caller} has {called} as an upstream already", "keep one of them")
            upstream = Upstream(called, self._port(where, port, f"{caller or 'web'}:{called or 'api'}:9191"))
            calls.setdefault(caller, []).append(upstream)
        return calls

    def images(self, given: Sequence[str], known: Mapping[str, int]) -> dict[str, str]:
        images: dict[str, str] = {}
        for text in given:
            where = f"--image {text}"
            name, _, image = text.partition("=")
            self._known(where, name, known)
            if not image or any(each.isspace() or each in "\"'\\$" for each in image):
                self._wrong(where, f"{quoted(image)} is no image", f"write {name or 'web'}=IMAGE")
            if name in images:
                self._wrong(where, f"{name} has an image already", "keep one of them")
            images[name] = image
        return images

    def published(self, given: Sequence[str], known: Mapping[str, int]) -> dict[str, int]:
        ports: dict[str, int] = {}
        for text in given:
            where = f"--publish {text}"
            name, _, port = text.partition(":")
            self._known(where, name, known)
            number = self._port(where, port, f"{name or 'web'}:8080")
            if name in ports:
                self._wrong(where, f"{name} is published already", "keep one of them")
            ports[name] = number
        return ports

    def _known(self, where: str, name: str, known: Mapping[str, int]) -> None:
        if name in known:
            return
        near = nearest(name, filter(_NAME.fullmatch, known))
        remedy = f"write {near}, or add" if near else "add"
        self._wrong(
            where, f"{quoted(name)} is no service named here", f"{remedy} --service {name or 'web'}:PORT"
        )

    def _port(self, where: str, text: str, example: str) -> int:
        if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _MAX_PORT:
            return int(text)
        what = f"{quoted(text)} is no port" if text else "the port is missing"
        self._wrong(where, what, f"write a number from 1 to {_MAX_PORT}, as in {example}")
        return 0

    def _wrong(self, where: str, what: str, remedy: str) -> None:
        self.problems.append(f"{where}: {what}: {remedy}")


def clashes(listeners: Sequence[tuple[str, int, str]]) -> Iterator[str]:
    """The ports that two want at one address: ``listeners`` are the address, the port, and who wants it."""
    holders: dict[tuple[str, int], str] = {}
    for address, port, who in listeners:
        holder = holders.setdefault((address, port), who)
        if port and holder != who:
            yield f"port {port} of {address}: {holder} and {who} both want it: give one of them another port"
