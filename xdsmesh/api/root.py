"""``/``: what this server is, for those who open its address in a browser or ask whether it is there."""

from litestar import MediaType, Response, get


@get("/")
async def root() -> Response[str]:
    """Say where the API is."""
    return Response(
        "xdsmesh: its HTTP API is below /v1, and /v1/openapi.json describes it\n", media_type=MediaType.TEXT
    )
