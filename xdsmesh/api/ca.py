"""``/v1/connect/ca`` and ``/v1/agent/connect/ca``: the roots of the mesh, and leaves for services.

Source: https://developer.hashicorp.com/consul/api-docs/connect/ca and .../agent/connect. Once there is a
token, the key of a service is given to that service and to operators, by their tokens, and to nobody else.
"""

from collections.abc import Mapping
from math import inf
from typing import Any, Final

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.status_codes import HTTP_403_FORBIDDEN, HTTP_409_CONFLICT

from xdsmesh.api.access import check_key_access
from xdsmesh.api.blocking import Blocking
from xdsmesh.api.ca_shape import configuration_body, configuration_of, leaf_body, roots_body
from xdsmesh.api.narrow import name_in_path
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.parameters import BY_INDEX
from xdsmesh.api.queries import Queries
from xdsmesh.api.reply import Answer, Reply, Sent, empty, index_headers
from xdsmesh.api.request import AnyRequest, author, flag, is_pretty
from xdsmesh.ca.authority import Authority
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.leaves import Leaves
from xdsmesh.config import rules
from xdsmesh.config.ca_configuration import CAConfigurationBody
from xdsmesh.config.files import decode_definition
from xdsmesh.model.errors import RefusedError
from xdsmesh.tokens.known import Tokens

_NO_HEADERS: Final[Mapping[str, str]] = {}
_PEM_CHAIN: Final = "application/pem-certificate-chain"
PEM: Final = Parameter("pem", "Answer with the certificates as PEM.", {"type": "boolean"})
LEAF_SERVICE: Final = Parameter("service", "The name of a service.", where="path")


@get("/v1/connect/ca/roots", opt=doc(PEM, *BY_INDEX, reply=dict[str, Any]))
async def roots(
    request: AnyRequest, leaves: NamedDependency[Leaves], queries: NamedDependency[Queries]
) -> Sent:
    """The certificates to trust; with ``?pem=true`` nothing but their text."""
    as_pem = flag(request, "pem")
    await _wait_for_roots(request, leaves.issuer, queries)
    authority = leaves.issuer.authority
    answer = Answer(authority.bundle.roots_pem.encode(), media_type=_PEM_CHAIN) if as_pem else None
    return _send_roots(request, authority, answer)


@get("/v1/agent/connect/ca/roots", opt=doc(*BY_INDEX, reply=dict[str, Any]))
async def agent_roots(
    request: AnyRequest, leaves: NamedDependency[Leaves], queries: NamedDependency[Queries]
) -> Sent:
    """The certificates to trust, as the agent shows them."""
    await _wait_for_roots(request, leaves.issuer, queries)
    return _send_roots(request, leaves.issuer.authority, headers={"X-Cache": "HIT"})


@get("/v1/connect/ca/configuration", opt=doc(reply=dict[str, Any]))
async def configuration(leaves: NamedDependency[Leaves]) -> Reply[dict[str, Any]]:
    """Who has the roots, and how certificates are made."""
    return Reply(configuration_body(leaves.issuer.configuration))


@put("/v1/connect/ca/configuration", opt=doc(body=CAConfigurationBody, errors=(HTTP_409_CONFLICT,)))
async def configure(request: AnyRequest, body: RawBody, leaves: NamedDependency[Leaves]) -> Response[bytes]:
    """Change how certificates are made from now on; another provider or kind of key starts a rotation."""
    issuer = leaves.issuer
    issuer.check_has_roots()
    wanted = decode_definition(body, CAConfigurationBody)
    await issuer.configure(configuration_of(wanted, issuer.configuration), author(request))
    return empty()


@get(
    ["/v1/agent/connect/ca/leaf", "/v1/agent/connect/ca/leaf/{service:path}"],
    opt=doc(LEAF_SERVICE, *BY_INDEX, reply=dict[str, Any], errors=(HTTP_403_FORBIDDEN,)),
)
async def leaf(
    request: AnyRequest,
    leaves: NamedDependency[Leaves],
    queries: NamedDependency[Queries],
    tokens: NamedDependency[Tokens],
) -> Sent:
    """The certificate and the key of a service: the same ones until they are to be renewed.

    A caller who has them waits for the next ones by their index.
    """
    name = name_in_path(request, "service")
    if problems := tuple(rules.name("Service", name)):
        raise RefusedError(*problems)
    check_key_access(request, tokens, name)
    index = Blocking.of(request).index
    issued, was_known = await leaves.get(name)
    if issued.revision <= index:
        await queries.hold(request, lambda: leaves.seconds_left(name, index))
        check_key_access(request, tokens, name)  # the token may have gone meanwhile
        issued, was_known = await leaves.get(name)
    headers = {**index_headers(request, issued.revision), "X-Cache": "HIT" if was_known else "MISS"}
    return Sent(Answer.of(leaf_body(name, issued), pretty=is_pretty(request)), request, headers)


async def _wait_for_roots(request: AnyRequest, issuer: Issuer, queries: Queries) -> None:
    """Hold whoever has the roots and the intermediate already until one of them changes."""
    index = Blocking.of(request).index
    await queries.hold(request, lambda: inf if issuer.authority.modified <= index else 0)


def _send_roots(
    request: AnyRequest,
    authority: Authority,
    answer: Answer | None = None,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> Sent:
    shown = answer or Answer.of(roots_body(authority), pretty=is_pretty(request))
    return Sent(shown, request, {**index_headers(request, authority.modified), **headers})
