"""Whose Envoy ``xdsmesh envoy`` is to run."""

from typing import TYPE_CHECKING, Final

import typer

from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.gateways import SERVED, Registration, find_gateway

if TYPE_CHECKING:
    from xdsmesh.cli.answers import AgentService

_SERVED: Final = ("connect-proxy", *SERVED.values())


def check_whose(
    sidecar_for: str | None, proxy_id: str | None, gateway: Registration | None, *, register: bool
) -> None:
    """See that it was said whose Envoy to run, and that once.

    Raises:
        typer.BadParameter: it was not.
    """
    if gateway is None and bool(sidecar_for) == bool(proxy_id):
        raise typer.BadParameter("say whose Envoy: give --sidecar-for, --proxy-id or --gateway")
    if gateway and sidecar_for:
        raise typer.BadParameter("--gateway stands before no single service: leave out --sidecar-for")
    if gateway and (gateway.address or gateway.wan_address or gateway.bind_addresses) and not register:
        raise typer.BadParameter("addresses are for a gateway to register: add --register")
    if gateway is None and register:
        raise typer.BadParameter("--register is for gateways: `xdsmesh services register` is for services")


def find(
    services: "dict[str, AgentService]",
    sidecar_for: str | None,
    proxy_id: str | None,
    gateway: Registration | None,
) -> "AgentService":
    """The proxy that is meant.

    Raises:
        CommandError: there is none, or more than one.
    """
    if sidecar_for:
        return find_sidecar(services, sidecar_for)
    if proxy_id:
        return find_proxy(services, proxy_id, gateway.kind if gateway else "")
    if gateway is None:
        raise ValueError("nobody is meant")
    return find_gateway(services, gateway.kind, gateway.service)


def find_sidecar(services: "dict[str, AgentService]", service_id: str) -> "AgentService":
    """The sidecar that stands before an instance; ids are compared without case, as Consul does it.

    Raises:
        CommandError: there is none, or more than one.
    """
    wanted = service_id.casefold()
    fronting = [each for each in services.values() if each.stands_before]
    sidecars = [each for each in fronting if each.stands_before.casefold() == wanted]
    if len(sidecars) == 1:
        return sidecars[0]
    if sidecars:
        ids = ", ".join(sorted(each.id for each in sidecars))
        raise CommandError(f"several sidecars stand before {service_id!r}: {ids} (deregister all but one)")
    raise CommandError(_no_sidecar(services, service_id))


def find_proxy(services: "dict[str, AgentService]", proxy_id: str, kind: str = "") -> "AgentService":
    """A sidecar or a gateway by its own id, perhaps of one kind only.

    Raises:
        CommandError: there is no such proxy, or it has no Envoy.
    """
    found = services.get(proxy_id)
    if found is None:
        raise CommandError(
            f"no proxy with the id {proxy_id!r} is registered (`xdsmesh services list` shows what is)"
        )
    if kind and found.kind != kind:
        raise CommandError(f"{proxy_id!r} is a {found.kind or 'service'}, and not a {kind}")
    if found.kind not in _SERVED:
        what = f"a {found.kind}, which is not served yet" if found.kind else "an ordinary service"
        raise CommandError(f"{proxy_id!r} is {what} (--sidecar-for {proxy_id} runs the Envoy before it)")
    return found


def _no_sidecar(services: "dict[str, AgentService]", service_id: str) -> str:
    fronted = sorted({each.stands_before for each in services.values()} - {""})
    others = f"; there are sidecars for {', '.join(fronted)}" if fronted else ""
    by_id = {each.casefold(): service for each, service in services.items()}
    found = by_id.get(service_id.casefold())
    if found is None:
        return (
            f"no service with the id {service_id!r} is registered{others}"
            " (`xdsmesh services register FILE` registers one, with `connect { sidecar_service {} }` in it)"
        )
    if found.stands_before:
        return f"{found.id!r} is itself a sidecar: use --sidecar-for {found.stands_before}"
    return (
        f"service {found.id!r} has no sidecar{others}"
        " (add `connect { sidecar_service {} }` to its definition and register it again)"
    )
