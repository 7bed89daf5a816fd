"""``mesh``: settings of the mesh as a whole; a single entry, named ``mesh``."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import rules
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.parts.tls import VERSIONS, TLSParameters, curve_problems
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

NAME: Final = "mesh"

ESCAPED_SLASHES: Final = (
    "",
    "IMPLEMENTATION_SPECIFIC_DEFAULT",
    "KEEP_UNCHANGED",
    "REJECT_REQUEST",
    "UNESCAPE_AND_REDIRECT",
    "UNESCAPE_AND_FORWARD",
)
UNDERSCORES: Final = ("", "ALLOW", "REJECT_REQUEST", "DROP_HEADER")


_OLDEST: Final = "TLSv1_2"
_NEWEST: Final = "TLSv1_3"


class MeshTransparentProxy(Shape, frozen=True):
    """Transparent proxies."""

    mesh_destinations_only: bool = False
    """Connections to addresses outside the mesh are dropped."""


class MeshTLSParameters(TLSParameters, frozen=True):
    """The TLS of one direction between sidecars: TLS 1.2 and 1.3 if nothing is said."""

    ecdh_curves: list[str] = field(default_factory=list, name="ECDHCurves")
    """The curves of the key exchange, the best first."""

    @property
    def versions(self) -> tuple[str, str]:
        """The oldest and the newest version that are spoken, by the words of ``VERSIONS``."""
        newest = self.tls_max_version if self.tls_max_version in VERSIONS else _NEWEST
        oldest = self.tls_min_version if self.tls_min_version in VERSIONS else min(_OLDEST, newest)
        return oldest, newest

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the parameters."""
        yield from super().problems(path)
        yield from curve_problems(f"{path}.ECDHCurves", self.ecdh_curves, self.tls_min_version)


class MeshTLS(Shape, frozen=True):
    """The TLS between sidecars, by direction."""

    incoming: MeshTLSParameters | None = None
    """Connections that a sidecar takes in."""
    outgoing: MeshTLSParameters | None = None
    """Connections that a sidecar makes."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with either direction."""
        if self.incoming:
            yield from self.incoming.problems(f"{path}.Incoming")
        if self.outgoing:
            yield from self.outgoing.problems(f"{path}.Outgoing")

    def warnings(self, path: str) -> Iterator[str]:
        """Whether the two directions have no version in common."""
        incoming, outgoing = self.incoming or MeshTLSParameters(), self.outgoing or MeshTLSParameters()
        newest = min(incoming.versions[1], outgoing.versions[1], key=VERSIONS.index)
        oldest = max(incoming.versions[0], outgoing.versions[0], key=VERSIONS.index)
        if VERSIONS.index(newest) < VERSIONS.index(oldest):
            yield f"{path}: no sidecar can call another: one stops at {newest}, the other begins at {oldest}"


class RequestNormalization(Shape, frozen=True):
    """How requests are brought into one form before they are judged.

    The words are Envoy's:
    https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto
    """

    insecure_disable_path_normalization: bool = False
    """Paths such as `/a/../b` stay as they are. Intentions on paths can then be evaded."""
    merge_slashes: bool = False
    """Several slashes in a row become one."""
    path_with_escaped_slashes_action: str = ""
    """What becomes of `%2F` and `%5C` in paths; empty is `IMPLEMENTATION_SPECIFIC_DEFAULT`."""
    headers_with_underscores_action: str = ""
    """What becomes of headers with an underscore in their name; empty is `ALLOW`."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the actions."""
        at = f"{path}.PathWithEscapedSlashesAction"
        yield from rules.one_of(at, self.path_with_escaped_slashes_action, ESCAPED_SLASHES)
        at = f"{path}.HeadersWithUnderscoresAction"
        yield from rules.one_of(at, self.headers_with_underscores_action, UNDERSCORES)

    def warnings(self, path: str) -> Iterator[str]:
        """The spellings of a path that intentions on paths can be evaded by."""
        if self.insecure_disable_path_normalization:
            yield _evades(f"{path}.InsecureDisablePathNormalization", "/x/../admin")
        if not self.merge_slashes:
            yield _evades(f"{path} without MergeSlashes", "//admin")
        if self.path_with_escaped_slashes_action in ESCAPED_SLASHES[:3]:
            yield _evades(f"{path} without a PathWithEscapedSlashesAction", "/%2Fadmin")


def _evades(what: str, path: str) -> str:
    return f"{what}: a request for {path} evades intentions on the path /admin"


class IncomingHTTP(Shape, frozen=True):
    """HTTP requests that a sidecar takes in."""

    request_normalization: RequestNormalization | None = None
    """How they are brought into one form."""


class MeshHTTP(Shape, frozen=True):
    """HTTP between sidecars."""

    sanitize_x_forwarded_client_cert: bool = False
    """Applications are not told who called: the header `x-forwarded-client-cert` is dropped."""
    incoming: IncomingHTTP | None = None
    """Requests that a sidecar takes in."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings."""
        if self.incoming and self.incoming.request_normalization:
            yield from self.incoming.request_normalization.problems(f"{path}.Incoming.RequestNormalization")


class MeshPeering(Shape, frozen=True):
    """Connections to other meshes."""

    peer_through_mesh_gateways: bool = False
    """Peers talk to each other through their gateways."""


class Mesh(Entry, frozen=True, kw_only=True):
    """Settings of the mesh as a whole. The name is always `mesh`, and may be left out."""

    KIND: ClassVar[str] = "mesh"
    RANK: ClassVar[int] = 0

    transparent_proxy: MeshTransparentProxy = MeshTransparentProxy()
    """Transparent proxies."""
    allow_enabling_permissive_mutual_tls: bool = field(default=False, name="AllowEnablingPermissiveMutualTLS")
    """Services may begin to take in connections without TLS."""
    validate_clusters: bool = False
    """Envoy refuses routes to clusters that it does not know."""
    tls: MeshTLS | None = field(default=None, name="TLS")
    """The TLS between sidecars."""
    http: MeshHTTP | None = field(default=None, name="HTTP")
    """HTTP between sidecars."""
    peering: MeshPeering | None = None
    """Connections to other meshes."""

    def normalize(self) -> Self:
        """The entry under its only name."""
        return structs.replace(self, name=self.name or NAME)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        if self.tls:
            yield from self.tls.problems("TLS")
        if self.http:
            yield from self.http.problems("HTTP")

    def name_problems(self) -> Iterator[Problem]:
        """Whether the entry is named as if there could be several."""
        if self.name != NAME:
            what = f'there is one mesh entry, named "{NAME}", not {quoted(self.name)}'
            yield rules.problem("Name", what, "remove Name", code=Code.NAME)

    def warnings(self) -> Iterator[str]:
        """What is not acted on yet, and what makes the mesh less safe or cuts it off."""
        given = {
            "TransparentProxy": self.transparent_proxy != MeshTransparentProxy(),
            "Peering": self.peering,
        }
        for label in (label for label, value in given.items() if value):
            yield f"{label} has no effect yet"
        if self.tls:
            yield from self.tls.warnings("TLS")
        if self.http and self.http.incoming and self.http.incoming.request_normalization:
            block = self.http.incoming.request_normalization
            yield from block.warnings("HTTP.Incoming.RequestNormalization")
