"""What a filter can select: one row of the catalog, ``{Node, Service, Checks}``, read from an instance.

Selectors are those of Consul's health API:
https://developer.hashicorp.com/consul/api-docs/health#filtering-2
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from xdsmesh.model.catalog import Check, Instance, Proxy, Upstream


class Type(StrEnum):
    """What a selector yields, in the words of an error."""

    TEXT = "a text"
    NUMBER = "a number"
    TEXTS = "a list of texts"
    MAP = "a map"
    OBJECTS = "a list of objects"


@dataclass(frozen=True, slots=True)
class Field:
    """How to read what is selected.

    With ``each``, ``get`` yields one value for every object of a list, and a comparison holds if it
    holds for any of them. With ``optional`` the value is None where a map lacks the key.
    """

    type: Type
    get: Callable[[Instance], Any]
    each: bool = False
    optional: bool = False


def select(path: tuple[str, ...]) -> Field | None:
    """The field at a path, such as ``("Service", "Meta", "version")``; None: there is no such field."""
    if field := _FIELDS.get(path):
        return field
    parent = _FIELDS.get(path[:-1])
    return _entry_of(parent, path[-1]) if parent and parent.type is Type.MAP else None


def closest(path: tuple[str, ...]) -> str:
    """The selector that a wrong one most likely means, or an empty text."""
    maps = (name for name, field in _FIELDS.items() if field.type is Type.MAP)
    known = [*_FIELDS, *((*name, path[-1]) for name in maps if len(path) > 1)]
    by_lower = {".".join(name).lower(): ".".join(name) for name in known}
    found = get_close_matches(".".join(path).lower(), by_lower, n=1)
    return by_lower[found[0]] if found else ""


def fields_below(path: tuple[str, ...]) -> tuple[str, ...]:
    """The selectors one step below a group of fields, such as ``Service``; none if it is no such group."""
    step = len(path) + 1
    below = (name[:step] for name in _FIELDS if len(name) >= step and name[: len(path)] == path)
    return tuple(dict.fromkeys(".".join(name) for name in below))


def _entry_of(parent: Field, key: str) -> Field:
    def get(row: Instance) -> str | None:
        entries: Mapping[str, str] = parent.get(row)
        return entries.get(key)

    return Field(Type.TEXT, get, optional=True)


def _of_proxy(type_: Type, get: Callable[[Proxy], Any]) -> Field:
    """A field of the proxy's settings, which are all empty on what is no proxy."""
    return Field(type_, lambda row: get(row.proxy or _NO_PROXY))


def _of_upstream(type_: Type, get: Callable[[Upstream], Any]) -> Field:
    def values(row: Instance) -> Iterable[Any]:
        return [get(upstream) for upstream in row.proxy.upstreams] if row.proxy else ()

    return Field(type_, values, each=True)


def _of_check(type_: Type, get: Callable[[Instance, Check], Any]) -> Field:
    return Field(type_, lambda row: [get(row, check) for check in row.checks], each=True)


_NO_PROXY: Final = Proxy(destination_service_name="", local_service_address="")

_TABLE: Final = {
    "Node.Node": Field(Type.TEXT, lambda row: row.node.name),
    "Node.Address": Field(Type.TEXT, lambda row: row.node.address),
    "Node.Datacenter": Field(Type.TEXT, lambda row: row.node.datacenter),
    "Node.Meta": Field(Type.MAP, lambda row: row.node.meta),
    "Service.ID": Field(Type.TEXT, lambda row: row.id),
    "Service.Service": Field(Type.TEXT, lambda row: row.service),
    "Service.Kind": Field(Type.TEXT, lambda row: row.kind),
    "Service.Address": Field(Type.TEXT, lambda row: row.address),
    "Service.Port": Field(Type.NUMBER, lambda row: row.port),
    "Service.Tags": Field(Type.TEXTS, lambda row: row.tags),
    "Service.Meta": Field(Type.MAP, lambda row: row.meta),
    "Service.Weights.Passing": Field(Type.NUMBER, lambda row: row.weights.passing),
    "Service.Weights.Warning": Field(Type.NUMBER, lambda row: row.weights.warning),
    "Service.Proxy.DestinationServiceName": _of_proxy(
        Type.TEXT, lambda proxy: proxy.destination_service_name
    ),
    "Service.Proxy.DestinationServiceID": _of_proxy(Type.TEXT, lambda proxy: proxy.destination_service_id),
    "Service.Proxy.LocalServiceAddress": _of_proxy(Type.TEXT, lambda proxy: proxy.local_service_address),
    "Service.Proxy.LocalServicePort": _of_proxy(Type.NUMBER, lambda proxy: proxy.local_service_port),
    "Service.Proxy.Upstreams": _of_proxy(Type.OBJECTS, lambda proxy: proxy.upstreams),
    "Service.Proxy.Upstreams.DestinationName": _of_upstream(
        Type.TEXT, lambda upstream: upstream.destination_name
    ),
    "Service.Proxy.Upstreams.LocalBindAddress": _of_upstream(
        Type.TEXT, lambda upstream: upstream.local_bind_address
    ),
    "Service.Proxy.Upstreams.LocalBindPort": _of_upstream(
        Type.NUMBER, lambda upstream: upstream.local_bind_port
    ),
    "Checks": Field(Type.OBJECTS, lambda row: row.checks),
    "Checks.Node": _of_check(Type.TEXT, lambda row, _: row.node.name),
    "Checks.CheckID": _of_check(Type.TEXT, lambda _, check: check.id),
    "Checks.Name": _of_check(Type.TEXT, lambda _, check: check.name),
    "Checks.Status": _of_check(Type.TEXT, lambda _, check: check.status),
    "Checks.Notes": _of_check(Type.TEXT, lambda _, check: check.notes),
    "Checks.Output": _of_check(Type.TEXT, lambda _, check: check.output),
    "Checks.ServiceID": _of_check(Type.TEXT, lambda row, _: row.id),
    "Checks.ServiceName": _of_check(Type.TEXT, lambda row, _: row.service),
    "Checks.ServiceTags": _of_check(Type.TEXTS, lambda row, _: row.tags),
}
_FIELDS: Final = {tuple(name.split(".")): field for name, field in _TABLE.items()}
