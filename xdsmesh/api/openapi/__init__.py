"""``/v1/openapi.json``: the API itself, described for programs in OpenAPI 3.1."""
