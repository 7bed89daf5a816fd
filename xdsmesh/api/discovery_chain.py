"""``/v1/discovery-chain``: where the requests to a service may go, compiled as it would be for a proxy.

Source: https://developer.hashicorp.com/consul/api-docs/discovery-chain
"""

import re
from collections.abc import Iterator
from typing import Any, Final, Self

from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK
from msgspec import structs

from xdsmesh.api.about import About
from xdsmesh.api.access import READS
from xdsmesh.api.changes import Topic, entry_topic
from xdsmesh.api.narrow import name_in_path
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import BY_INDEX
from xdsmesh.api.queries import Queries, Read, Seen
from xdsmesh.api.reply import Sent
from xdsmesh.api.request import AnyRequest
from xdsmesh.catalog.view import CatalogView
from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.errors import PROBLEM_CODES
from xdsmesh.chain.render import render_chain
from xdsmesh.chain.types import ChainError, ChainRequest, Overrides
from xdsmesh.config import rules
from xdsmesh.config.entry import Definition, Entry
from xdsmesh.config.files import decode_definition
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Place, Problem, RefusedError

_UNSAID: Final = Duration()
_DATACENTER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PARAMETERS: Final = (
    Parameter("service", "The name of a service, in any case.", where="path"),
    *BY_INDEX,
    Parameter("compile-dc", "The datacenter of the caller that the chain is for; this one unless given."),
)
_Chain = dict[str, dict[str, Any]]


class OverridesBody(Definition, frozen=True):
    """What a caller wants otherwise, as the body of a POST says it."""

    override_protocol: str = ""
    override_connect_timeout: Duration = _UNSAID
    override_mesh_gateway: MeshGateway = MeshGateway()

    def normalize(self) -> Self:
        """The protocol in lower case."""
        return structs.replace(self, override_protocol=self.override_protocol.lower())

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the overrides."""
        yield from rules.protocol("OverrideProtocol", self.override_protocol)
        yield from self.override_mesh_gateway.problems("OverrideMeshGateway")
        if self.override_connect_timeout < _UNSAID:
            what = f"OverrideConnectTimeout can't be {self.override_connect_timeout}"
            yield rules.problem("OverrideConnectTimeout", what, "0 is no override", code=Code.OUT_OF_RANGE)

    @property
    def overrides(self) -> Overrides:
        """In the compiler's words."""
        return Overrides(
            self.override_protocol, self.override_mesh_gateway.mode, self.override_connect_timeout
        )


@get(["/v1/discovery-chain", "/v1/discovery-chain/{service:path}"], opt=doc(*_PARAMETERS, reply=_Chain))
async def read(
    request: AnyRequest,
    queries: NamedDependency[Queries],
    about: NamedDependency[About],
) -> Sent:
    """The chain of a service; ``?compile-dc`` names the datacenter of the caller that it is for."""
    chain = _chain_request(request, about, Overrides())
    return await queries.answer(request, _read(chain, queries.view))


@post(
    ["/v1/discovery-chain", "/v1/discovery-chain/{service:path}"],
    status_code=HTTP_200_OK,
    opt={**doc(*_PARAMETERS, body=OverridesBody, reply=_Chain), **READS},
)
async def read_overridden(
    request: AnyRequest,
    body: RawBody,
    queries: NamedDependency[Queries],
    about: NamedDependency[About],
) -> Sent:
    """The chain of a service as somebody gets it who wants a few things otherwise."""
    overrides = decode_definition(body, OverridesBody).overrides
    chain = _chain_request(request, about, overrides)
    return await queries.answer(request, _read(chain, queries.view), variant=overrides)


def _chain_request(request: AnyRequest, about: About, overrides: Overrides) -> ChainRequest:
    datacenter = request.query_params.get("compile-dc") or about.node.datacenter
    if not _DATACENTER.fullmatch(datacenter):
        raise ClientException(f"Invalid compile-dc: {datacenter!r} is not the name of a datacenter")
    return ChainRequest(name_in_path(request, "service"), datacenter, about.trust_domain, overrides)


def _read(chain: ChainRequest, view: CatalogView) -> Read:
    """How to compile a chain."""

    def read() -> Seen:
        asked: set[Topic] = set()

        def look(kind: str, name: str) -> Entry | None:
            asked.add(entry_topic(kind, name))
            stored = view.entries.get((kind, name))
            return stored.value if stored else None

        compiled = compile_chain(chain, look)
        if isinstance(compiled, ChainError):
            place = Place(path=f"{compiled.kind}/{compiled.name}" if compiled.kind else "")
            what = f"{compiled.code}: {compiled.message}"
            raise RefusedError(Problem(place, what, code=PROBLEM_CODES[compiled.code]))
        return Seen(render_chain(compiled), frozenset(asked))

    return read
