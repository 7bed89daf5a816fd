"""``/v1/openapi.json``: the document."""

from typing import Any

from litestar import get
from litestar.di import NamedDependency

from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.openapi.document import Document
from xdsmesh.api.reply import Reply


@get("/v1/openapi.json", opt=doc(reply=dict[str, Any]))
async def read(document: NamedDependency[Document]) -> Reply[dict[str, Any]]:
    """This document."""
    return Reply(document.content)
