"""``/v1/xdsmesh/intentions/check``: what the intentions say of a call or of one request, and which rule does.

This path is our own; Consul's ``/v1/connect/intentions/check`` is in ``intentions.py``.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import ClientException

from xdsmesh.api.about import About
from xdsmesh.api.changes import Topic, destination_topic, entry_topic
from xdsmesh.api.intention_query import pair_of
from xdsmesh.api.intentions import DESTINATION, SOURCE, intentions_about
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import BY_INDEX
from xdsmesh.api.queries import Queries, Seen
from xdsmesh.api.reply import Sent
from xdsmesh.api.request import AnyRequest
from xdsmesh.api.shapes import Shape
from xdsmesh.catalog.intention_edits import KIND
from xdsmesh.catalog.protocols import destination_protocol
from xdsmesh.chain.protocol import ServiceProtocol
from xdsmesh.chain.types import ReadEntry
from xdsmesh.config.entry import Entry
from xdsmesh.config.intentions import Caller, Intention
from xdsmesh.config.kinds.mesh import NAME as MESH
from xdsmesh.config.kinds.mesh import Mesh
from xdsmesh.config.kinds.service_intentions import ALL, ServiceIntentions
from xdsmesh.explain.paths import normalize_path
from xdsmesh.explain.permissions import InboundRequest
from xdsmesh.explain.requests import refusal
from xdsmesh.explain.types import Refusal
from xdsmesh.explain.verdict import Verdict, decide, refused
from xdsmesh.ir.authorization import Authorization
from xdsmesh.ir.intentions import build_authorization
from xdsmesh.ir.mesh import build_incoming
from xdsmesh.ir.normalization import Normalization, needed_by
from xdsmesh.ir.types import Protocol
from xdsmesh.model.origin import Source
from xdsmesh.settings import IntentionPolicy

METHOD: Final = Parameter("method", "The method of a request; GET unless given.")
PATH: Final = Parameter("path", "The path of a request, as it is sent; `/` unless given.")
HEADER: Final = Parameter(
    "header",
    "A header of a request, `Name:Value`; or several.",
    {"type": "array", "items": {"type": "string"}},
)


class VerdictRow(Shape, frozen=True):
    """Whether a call is allowed, and why.

    ``class`` is `intention`, `permission`, `default`, `token`, or `request` if Envoy refuses the request
    itself; ``rule`` the intention that speaks about the caller, and ``origin`` where it is written:
    `file:line:column`, `API`, or in a secondary datacenter `PRIMARY`. ``permission`` counts from 0.
    """

    allowed: bool
    class_: str
    reason: str
    default_policy: str
    protocol: str
    protocol_reason: str
    rule: str = ""
    permission: int | None = None
    origin: str = ""


@get(
    "/v1/xdsmesh/intentions/check",
    opt=doc(SOURCE, DESTINATION, METHOD, PATH, HEADER, *BY_INDEX, reply=VerdictRow),
)
async def check(
    request: AnyRequest, queries: NamedDependency[Queries], about: NamedDependency[About]
) -> Sent:
    """Whether a source may call a destination, and which rule says so.

    With a method, a path or headers it is about one request, which shows no token; else about a connection.
    """
    caller, destination = pair_of(request)
    asked = _inbound(request)
    policy = about.default_intention_policy
    view = queries.view

    def look() -> Seen:
        about_both = {entry_topic(KIND, destination), entry_topic(KIND, ALL)}
        topics: set[Topic] = {destination_topic(destination), *about_both}

        def read(kind: str, name: str) -> Entry | None:
            topics.add(entry_topic(kind, name))
            stored = view.entries.get((kind, name))
            return stored.value if stored else None

        protocol = destination_protocol(view, destination, read)
        is_http = Protocol.of(protocol.protocol).is_http
        if asked and not is_http:
            raise ClientException(_without_requests(protocol))

        def judged(inbound: InboundRequest | None) -> Verdict:
            return decide(
                intentions_about(view, destination),
                caller,
                destination,
                inbound,
                protocol_is_http=is_http,
                allow_by_default=policy is IntentionPolicy.ALLOW,
            )

        if asked is None or caller.peer:
            verdict = judged(asked)
        else:
            mesh = read(Mesh.KIND, MESH)
            incoming = build_incoming(mesh if isinstance(mesh, Mesh) else None)
            normalization = incoming.normalization or needed_by(_authorization(read, destination, about))
            inbound = replace(asked, names_caller=incoming.names_caller)
            verdict = _of_request(caller, destination, inbound, normalization, judged)
        return Seen(_row(verdict, policy, protocol), frozenset(topics))

    return await queries.answer(request, look)


def _without_requests(protocol: ServiceProtocol) -> str:
    return (
        f"{protocol.service} speaks {protocol.protocol} ({protocol.reason}), where there are no requests"
        " (leave out method, path and header, or set the protocol to http, http2 or grpc)"
    )


def _inbound(request: AnyRequest) -> InboundRequest | None:
    """The request that is asked about, as it is sent; None: there is none."""
    given = request.query_params
    texts: list[str] = given.getall("header", [])
    method, path = given.get("method"), given.get("path")
    if method is None and path is None and not texts:
        return None
    headers = tuple(_header(each) for each in texts)
    wanted = InboundRequest((method or "GET").upper(), "/" if path is None else path, headers)
    wrong = refusal(wanted.as_sent())
    if wrong:
        raise ClientException(f"Envoy answers such a request with {wrong.status}: {wrong.reason}")
    return wanted


def _authorization(read: ReadEntry, destination: str, about: About) -> Authorization:
    """What the sidecar of an http destination is told."""
    own, general = read(KIND, destination), read(KIND, ALL)
    return build_authorization(
        own if isinstance(own, ServiceIntentions) else None,
        general if isinstance(general, ServiceIntentions) else None,
        is_http=True,
        allow_by_default=about.default_intention_policy is IntentionPolicy.ALLOW,
        trust_domain=about.trust_domain,
    )


def _of_request(
    caller: Caller,
    destination: str,
    sent: InboundRequest,
    normalization: Normalization,
    judged: Callable[[InboundRequest], Verdict],
) -> Verdict:
    """The verdict about a request as it looks when its destination has normalized it."""
    normalized = normalize_path(sent.path, normalization)
    if isinstance(normalized, Refusal):
        return refused(caller, destination, normalized)
    verdict = judged(replace(sent, path=normalized.path))
    if not normalized.redirects:
        return verdict
    return replace(verdict, sentence=f"Envoy redirects to {normalized.path}, where {verdict.sentence}")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name:
        raise ClientException(f"Invalid header: {text!r} (write Name:Value, such as x-debug:1)")
    return name, value.strip()


def _row(verdict: Verdict, policy: IntentionPolicy, protocol: ServiceProtocol) -> VerdictRow:
    return VerdictRow(
        allowed=verdict.allowed,
        class_=verdict.reason,
        reason=verdict.sentence,
        default_policy=policy,
        protocol=protocol.protocol,
        protocol_reason=protocol.reason,
        rule=str(verdict.intention) if verdict.intention else "",
        permission=verdict.permission,
        origin=_origin(verdict.intention),
    )


def _origin(intention: Intention | None) -> str:
    origin = intention.origin if intention else None
    if origin is None:
        return ""
    return str(origin) if origin.source is Source.FILE else origin.source.value.upper()
