"""``/v1/agent``: what concerns the server itself as a program."""

from litestar import Response, get, put
from litestar.di import NamedDependency

from xdsmesh.api.about import About
from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.reply import Reply, empty


@get("/v1/agent/version", opt=doc(reply=dict[str, str]))
async def version(about: NamedDependency[About]) -> Reply[dict[str, str]]:
    """The version of the server."""
    return Reply({"SHA": "", "BuildDate": "", "HumanVersion": about.version, "FIPS": ""})


@put("/v1/agent/reload", opt=doc())
async def reload() -> Response[bytes]:
    """Accepted, and does nothing: files are followed as they change."""
    return empty()
