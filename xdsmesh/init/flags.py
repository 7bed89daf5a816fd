"""What a person says of services by the flags of `xdsmesh init`, and all that is wrong with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from xdsmesh.config.wording import nearest, quoted
from xdsmesh.init.services import Service, Upstream

_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_IMAGE: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/:@-]*[A-Za-z0-9])?")
_MAX_PORT: Final = 65535
_MAX_SERVICES: Final = 200
"""Each has an address and a network of its own in compose; far fewer belong on one machine."""
_PROTOCOLS: Final = ("tcp", "http", "http2", "grpc")


def read_services(
    services: Sequence[str],
    upstreams: Sequence[str] = (),
    protocols: Sequence[str] = (),
    images: Sequence[str] = (),
    published: Sequence[str] = (),
) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """Read the flags: the services in the order given, and the problems, each a sentence for a person.

    Only without a problem are the services complete. ``services`` are ``NAME:PORT``, ``upstreams``
    ``CALLER:SERVICE:PORT``, ``protocols`` ``NAME=PROTOCOL``, ``images`` ``NAME=IMAGE``, ``published``
    ``NAME:PORT``.
    """
    reading = _Reading()
    ports = reading.services(services)
    calls = reading.upstreams(upstreams, ports)
    protocol_of = reading.protocols(protocols, ports)
    image_of = reading.images(images, ports)
    published_at = reading.published(published, ports)
    named = (
        Service(
            name,
            port,
            tuple(calls.get(name, ())),
            protocol_of.get(name, ""),
            image_of.get(name, ""),
            published_at.get(name, 0),
        )
        for name, port in ports.items()
    )
    return tuple(named), tuple(reading.problems)


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
                    "write up to 40 of a-z, 0-9 and -, with a letter first and no - at the end, "
                    "and then the port, as in web:8080",
                )
                continue
            if name in ports:
                self._wrong(where, f"{name} is given twice", "keep one of them")
            # Known by its name even if the port is wrong, so that nothing else is said of who names it.
            ports.setdefault(name, self._port(where, port, f"{name}:8080"))
        if not given:
            self._wrong("--service", "no service is named", "add --service web:8080 for each of yours")
        if len(ports) > _MAX_SERVICES:
            self._wrong("--service", f"these are {len(ports)} services", f"name at most {_MAX_SERVICES}")
        return ports

    def upstreams(self, given: Sequence[str], known: Mapping[str, int]) -> dict[str, list[Upstream]]:
        calls: dict[str, list[Upstream]] = {}
        for where, (caller, called, port) in self._parts(
            "--upstream", given, ":", "CALLER:SERVICE:PORT", "web:api:9191"
        ):
            self._known(where, caller, known)
            if caller == called:
                self._wrong(where, f"{caller} would call itself", "name two services")
            else:
                self._known(where, called, known)
            if any(each.service == called for each in calls.get(caller, ())):
                self._wrong(where, f"{caller} has {called} as an upstream already", "keep one of them")
            upstream = Upstream(called, self._port(where, port, f"{caller}:{called}:9191"))
            calls.setdefault(caller, []).append(upstream)
        return calls

    def protocols(self, given: Sequence[str], known: Mapping[str, int]) -> dict[str, str]:
        protocols: dict[str, str] = {}
        for where, (name, protocol) in self._parts("--protocol", given, "=", "NAME=PROTOCOL", "db=tcp"):
            self._known(where, name, known)
            if protocol not in _PROTOCOLS:
                self._wrong(
                    where, f"{quoted(protocol)} is no protocol", f"write one of {', '.join(_PROTOCOLS)}"
                )
            if name in protocols:
                self._wrong(where, f"{name} has a protocol already", "keep one of them")
            protocols[name] = protocol
        return protocols

    def images(self, given: Sequence[str], known: Mapping[str, int]) -> dict[str, str]:
        images: dict[str, str] = {}
        for where, (name, image) in self._parts("--image", given, "=", "NAME=IMAGE", "web=nginx:stable"):
            self._known(where, name, known)
            if not _IMAGE.fullmatch(image):
                self._wrong(where, f"{quoted(image)} is no image", f"write {name}=IMAGE")
            if name in images:
                self._wrong(where, f"{name} has an image already", "keep one of them")
            images[name] = image
        return images

    def published(self, given: Sequence[str], known: Mapping[str, int]) -> dict[str, int]:
        ports: dict[str, int] = {}
        for where, (name, port) in self._parts("--publish", given, ":", "NAME:PORT", "web:8000"):
            self._known(where, name, known)
            number = self._port(where, port, f"{name}:8000")
            if name in ports:
                self._wrong(where, f"{name} is published already", "keep one of them")
            ports[name] = number
        return ports

    def _parts(
        self, flag: str, given: Sequence[str], separator: str, shape: str, example: str
    ) -> Iterator[tuple[str, list[str]]]:
        """The flag with its value, and the parts of those that have the shape."""
        expected = shape.count(separator)
        for text in given:
            parts = text.split(separator, expected)
            if len(parts) > expected and all(parts):
                yield f"{flag} {text}", parts
            else:
                self._wrong(f"{flag} {text}", f"this is not {shape}", f"write it as in {example}")

    def _known(self, where: str, name: str, known: Mapping[str, int]) -> None:
        if name in known:
            return
        near = nearest(name, known)
        remedies = [
            *([f"write {near}"] if near else []),
            *([f"add --service {name}:PORT"] if _NAME.fullmatch(name) else []),
        ]
        remedy = ", or ".join(remedies) or "write the name of a --service"
        self._wrong(where, f"{quoted(name)} is no service named here", remedy)

    def _port(self, where: str, text: str, example: str) -> int:
        if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _MAX_PORT:
            return int(text)
        what = f"{quoted(text)} is no port" if text else "the port is missing"
        self._wrong(where, what, f"write a number from 1 to {_MAX_PORT}, as in {example}")
        return 0

    def _wrong(self, where: str, what: str, remedy: str) -> None:
        self.problems.append(f"{where}: {what}: {remedy}")
