"""What holds of every verdict, whatever the intentions."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from xdsmesh.config.intentions import Caller, Intention, intentions_of
from xdsmesh.config.kinds.service_intentions import ServiceIntentions, SourceIntention
from xdsmesh.config.parts.jwt_requirement import JWTRequirement, RequiredProvider
from xdsmesh.config.parts.permission import HTTPPermission, Permission
from xdsmesh.explain.permissions import InboundRequest
from xdsmesh.explain.tokens import Tokens
from xdsmesh.explain.verdict import decide

Said = tuple[str, list[Permission]]
"""An action or permissions."""

ACTIONS = st.sampled_from(["allow", "deny"])
JWTS = st.sampled_from([None, JWTRequirement([RequiredProvider("okta")])])
CONDITIONS = st.sampled_from(
    [HTTPPermission(path_prefix="/"), HTTPPermission(path_prefix="/a"), HTTPPermission(methods=["GET"])]
)
PERMISSIONS = st.lists(st.builds(Permission, ACTIONS, CONDITIONS, JWTS), min_size=1, max_size=3)
SAID: st.SearchStrategy[Said] = st.one_of(
    st.tuples(ACTIONS, st.just([])), st.tuples(st.just(""), PERMISSIONS)
)


@st.composite
def entries(draw: st.DrawFn, destination: str) -> list[Intention]:
    """The intentions of one entry, about some of these callers."""
    said = draw(st.dictionaries(st.sampled_from(["web", "cron", "*"]), SAID, max_size=3))
    sources = [SourceIntention(name, "", *what).to(destination) for name, what in said.items()]
    return list(intentions_of(ServiceIntentions(name=destination, sources=sources, jwt=draw(JWTS))))


MESHES = st.builds(list.__add__, entries("db"), entries("*"))
TOKENS: st.SearchStrategy[Tokens] = st.sampled_from([{}, {"okta": {}}])
REQUESTS = st.builds(
    InboundRequest, st.sampled_from(["GET", "PUT"]), st.sampled_from(["/", "/a"]), tokens=TOKENS
)
WEB = Caller("web")


@given(mesh=MESHES, said=SAID, request=st.none() | REQUESTS, http=st.booleans(), by_default=st.booleans())
def test_an_intention_about_another_changes_no_verdict(
    mesh: list[Intention],
    said: Said,
    request: InboundRequest | None,
    *,
    http: bool,
    by_default: bool,
) -> None:
    def verdict(intentions: list[Intention]) -> object:
        return decide(intentions, WEB, "db", request, protocol_is_http=http, allow_by_default=by_default)

    before = verdict(mesh)
    for name, peer, destination in (
        ("other", "", "db"),
        ("web", "east", "db"),
        ("*", "east", "db"),
        ("web", "", "x"),
    ):
        another = Intention(destination, SourceIntention(name, peer, *said).to(destination))
        assert verdict([another, *mesh]) == verdict([*mesh, another]) == before


@given(mesh=MESHES, request=REQUESTS, by_default=st.booleans())
def test_that_an_entry_demands_a_token_never_allows_more(
    mesh: list[Intention], request: InboundRequest, *, by_default: bool
) -> None:
    def allowed(intentions: list[Intention], asked: InboundRequest) -> bool:
        return decide(
            intentions, WEB, "db", asked, protocol_is_http=True, allow_by_default=by_default
        ).allowed

    without = [replace(each, jwt=None) for each in mesh]
    assert allowed(mesh, request) <= allowed(without, request)


@given(mesh=MESHES, request=REQUESTS, http=st.booleans())
def test_what_a_connection_is_promised_every_request_has(
    mesh: list[Intention], request: InboundRequest, *, http: bool
) -> None:
    def allowed(asked: InboundRequest | None) -> bool:
        return decide(mesh, WEB, "db", asked, protocol_is_http=http, allow_by_default=False).allowed

    assert allowed(None) <= allowed(request)


@given(mesh=MESHES, request=st.none() | REQUESTS)
def test_who_is_allowed_where_all_is_denied_is_so_where_all_is_allowed(
    mesh: list[Intention], request: InboundRequest | None
) -> None:
    strict, lax = (
        decide(mesh, WEB, "db", request, protocol_is_http=True, allow_by_default=by_default).allowed
        for by_default in (False, True)
    )
    assert strict <= lax
