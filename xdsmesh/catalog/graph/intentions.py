"""What intentions need of other entries: HTTP to judge requests by, and the providers of tokens."""

from collections.abc import Iterator

from xdsmesh.catalog.graph.change import Change, Fault
from xdsmesh.catalog.graph.entry_set import EntrySet
from xdsmesh.chain.types import HTTP_LIKE
from xdsmesh.config.kinds.jwt_provider import JWTProvider
from xdsmesh.config.kinds.service_intentions import ServiceIntentions
from xdsmesh.model.codes import Code


def faults(entries: EntrySet, change: Change) -> Iterator[Fault]:
    """Permissions and tokens of requests to a service without HTTP, and providers that do not exist."""
    for intentions in entries.every(ServiceIntentions):
        if change.writes(intentions) or change.touches(intentions.name):
            yield from _requests(intentions, entries)
        yield from _providers(intentions, entries)


def _requests(intentions: ServiceIntentions, entries: EntrySet) -> Iterator[Fault]:
    if not (intentions.has_permissions or intentions.needs_tokens):
        return
    protocol = entries.protocol(intentions.name)
    if protocol in HTTP_LIKE:
        return
    if intentions.has_permissions:
        yield Fault(
            Code.L7_INTENTION_ON_L4,
            (intentions.KIND, intentions.name),
            ("permissions", intentions.name),
            f'service-intentions "{intentions.name}" has Permissions, but the protocol of '
            f'"{intentions.name}" is {protocol}, which has no requests to judge by them',
            "set the service's protocol to http, http2 or grpc, or give its sources an Action",
        )
    if intentions.needs_tokens:
        yield Fault(
            Code.L7_INTENTION_ON_L4,
            (intentions.KIND, intentions.name),
            ("tokens", intentions.name),
            f'service-intentions "{intentions.name}" needs a JWT, but the protocol of '
            f'"{intentions.name}" is {protocol}, which has no requests to carry one',
            "set the service's protocol to http, http2 or grpc, or take the JWT out",
        )


def _providers(intentions: ServiceIntentions, entries: EntrySet) -> Iterator[Fault]:
    for provider in sorted(intentions.providers):
        if entries.read(JWTProvider.KIND, provider) is None:
            yield Fault(
                Code.JWT_PROVIDER,
                (intentions.KIND, intentions.name),
                ("provider", intentions.name, provider),
                f'service-intentions "{intentions.name}" needs tokens of jwt-provider "{provider}", '
                "and there is none of this name",
                "keep or write the provider, or take it out of the intentions first",
            )
