"""What the server holds for a proxy, compared with what an Envoy says that it has."""

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import unified_diff
from typing import Any, Final

import httpx

from xdsmesh.cli.errors import CommandError
from xdsmesh.status import HeldConfig
from xdsmesh.translate.dump import Config, NotADumpError, read_dump, read_held

_TIMEOUT: Final = httpx.Timeout(30, connect=5)
_INDENT: Final = 2


def server_config(held: HeldConfig) -> Config:
    """What the server holds, in canonical form."""
    try:
        return read_held({name: [it.resource for it in each] for name, each in held.resources.items()})
    except NotADumpError as error:
        raise CommandError(f"the server holds what this release does not know: {error}") from error


def envoy_config(address: str) -> Config:
    """What an Envoy uses of what it got from its control plane, in canonical form.

    Raises:
        CommandError: there is no Envoy's admin interface at the address.
    """
    try:
        answer = httpx.get(f"http://{address}/config_dump?include_eds", timeout=_TIMEOUT, trust_env=False)
        return read_dump(json.loads(answer.text))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CommandError(
            f"cannot reach the admin interface of an Envoy at {address}: {error}"
            " (`xdsmesh envoy --admin-bind HOST:PORT` opens one)"
        ) from error
    except (ValueError, NotADumpError) as error:
        raise CommandError(f"what {address} answers is not an Envoy's configuration: {error}") from error


def differences(server: Config, envoy: Config, types: Iterable[str]) -> Iterator[str]:
    """By type and name, who has what alone, and where they differ; nothing when they are equal."""
    for name in types:
        here, there = server[name], envoy[name]
        for resource in sorted({*here, *there}):
            title = f"{name} {resource}"
            if resource not in there:
                yield f"only the server has {title}"
            elif resource not in here:
                yield f"only Envoy has {title}"
            elif here[resource] != there[resource]:
                yield from unified_diff(
                    _lines(here[resource]),
                    _lines(there[resource]),
                    f"server: {title}",
                    f"Envoy: {title}",
                    lineterm="",
                )


def _lines(resource: Mapping[str, Any]) -> list[str]:
    return json.dumps(resource, indent=_INDENT, sort_keys=True, ensure_ascii=False).splitlines()
