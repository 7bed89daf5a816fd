"""``/v1/xdsmesh/datacenters``: the datacenters of the mesh, the links to them, and what is wrong.

This path is our own.
"""

from litestar import get
from litestar.di import NamedDependency

from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.reply import Reply
from xdsmesh.federation.overview import Overview
from xdsmesh.federation.report import MeshStatus


@get("/v1/xdsmesh/datacenters", opt=doc(reply=MeshStatus))
async def read(overview: NamedDependency[Overview]) -> Reply[MeshStatus]:
    """All datacenters, this one first. A link that fails is probed for the reason, which takes seconds."""
    return Reply(await overview.report())
