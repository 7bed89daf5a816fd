"""What ``xdsmesh services register`` sends: the services and checks of files, or one service from flags."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from xdsmesh.cli.client import Client
from xdsmesh.cli.errors import ServerRefusedError
from xdsmesh.cli.files import check_body, registrations_of, service_body
from xdsmesh.cli.options import pairs
from xdsmesh.cli.output import progress
from xdsmesh.model.errors import Place


@dataclass(frozen=True, slots=True)
class _Sending:
    """Something to register."""

    what: str
    name: str
    place: Place
    send: Callable[[bytes], None]
    body: bytes


def register_files(client: Client, names: Sequence[str], *, progress_shown: bool) -> None:
    """Register the services of files, then the checks beside them, and print each that is done.

    Raises:
        RefusedError: with all problems of the files; then nothing is registered.
        ServerRefusedError: with the place of what the server refused.
    """
    done: list[str] = []
    try:
        for each in progress(_sendings(client, names), "Registering", shown=progress_shown):
            try:
                each.send(each.body)
            except ServerRefusedError as error:
                raise error.at({each.name: each.place}) from error
            done.append(f"Registered {each.what}: {each.name}")
    finally:
        for line in done:
            typer.echo(line)


def service_of(name: str, fields: Mapping[str, Any]) -> bytes:
    """A service as the API takes it."""
    return json.dumps({"Name": name, **fields}).encode()


def tagged_addresses(texts: list[str] | None) -> dict[str, dict[str, Any]] | None:
    """The addresses of an option ``--tagged-address KEY=HOST:PORT``; None: it is not given."""
    given = pairs(texts, "--tagged-address", "wan=203.0.113.7:8080")
    return {key: _address(value) for key, value in given.items()} if given else None


def _address(text: str) -> dict[str, Any]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit()):
        raise typer.BadParameter(f"--tagged-address: {text!r} is not HOST:PORT, such as wan=203.0.113.7:8080")
    return {"Address": host.removeprefix("[").removesuffix("]"), "Port": int(port)}


def _sendings(client: Client, names: Sequence[str]) -> list[_Sending]:
    found = registrations_of(names)
    services = (
        _Sending("service", each.value.name, each.place, client.register_service, service_body(each.value))
        for each in found.services
    )
    checks = (
        _Sending("check", each.value.own_id, each.place, client.register_check, check_body(each.value))
        for each in found.checks
    )
    return [*services, *checks]
