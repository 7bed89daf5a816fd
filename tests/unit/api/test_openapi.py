import copy
from typing import Any

import msgspec
import pytest
from litestar import get
from litestar.handlers import HTTPRouteHandler
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from xdsmesh import __version__
from xdsmesh.api.app import ROUTES
from xdsmesh.api.openapi.declare import Parameter, doc
from xdsmesh.api.openapi.document import Document
from xdsmesh.api.openapi.parameters import BY_HASH, BY_INDEX
from xdsmesh.config import codec
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds import KINDS
from xdsmesh.config.kinds.service_resolver import Redirect, ServiceResolver
from xdsmesh.model.duration import Duration

DOCUMENT = Document(ROUTES).content
SCHEMAS = DOCUMENT["components"]["schemas"]


def errors(schema: str, value: object) -> list[str]:
    """Why a value does not fit one of the document's schemas."""
    root = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    return [error.message for error in OAS31Validator(root).iter_errors(value)]


def operation(handler: HTTPRouteHandler) -> Any:
    """The only operation of a document of one route."""
    (item,) = Document([handler]).content["paths"].values()
    return item["get"]


def test_the_document_is_valid_openapi_of_this_version() -> None:
    validate(copy.deepcopy(DOCUMENT))
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["info"]["version"] == __version__


@pytest.mark.parametrize(
    "handler", ROUTES, ids=lambda handler: f"{handler.fn.__module__}.{handler.fn.__name__}"
)
def test_every_route_is_documented(handler: HTTPRouteHandler) -> None:
    operations = [
        operation
        for item in Document([handler]).content["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(operations) >= 1
    for each in operations:
        assert each["summary"].endswith(".")
        assert "200" in each["responses"]


def test_a_route_without_a_declaration_or_a_docstring_is_refused_by_its_name() -> None:
    @get("/v1/here")
    async def undeclared() -> None:
        """Declared nowhere."""

    @get("/v1/here", opt=doc())
    async def unsaid() -> None: ...

    for handler, name in ((undeclared, "undeclared"), (unsaid, "unsaid")):
        with pytest.raises(ValueError, match=rf"{name} is not documented: add opt=doc\(...\)"):
            _ = Document([handler]).content


def test_the_parameters_of_a_path_must_all_be_declared_and_no_others() -> None:
    @get("/v1/here/{name:path}", opt=doc(Parameter("id", "Its id.", where="path")))
    async def read() -> None:
        """Read it."""

    with pytest.raises(ValueError, match=r"read declares .*\['id'\].* not \['name'\]"):
        _ = Document([read]).content


def test_a_path_that_only_lacks_the_rest_of_another_one_is_left_out() -> None:
    paths = DOCUMENT["paths"].keys()
    assert {"/v1/health/service/{name}", "/v1/config/{kind}"} <= paths
    assert "/v1/health/service" not in paths
    assert DOCUMENT["paths"]["/v1/config/{kind}"].keys() == {"parameters", "get"}


def test_a_reply_may_come_under_several_statuses_beside_the_errors() -> None:
    @get("/v1/here", opt=doc(reply=list[str], statuses=(200, 503), errors=(404,)))
    async def read() -> None:
        """Read it."""

    responses = operation(read)["responses"]
    assert responses.keys() == {"200", "503", "400", "404", "default"}
    for status in ("200", "503"):
        (schema,) = responses[status]["content"].values()
        assert schema == {"schema": {"type": "array", "items": {"type": "string"}}}


def test_what_waits_is_told_by_its_parameters_and_headers() -> None:
    @get("/v1/index", opt=doc(*BY_INDEX, reply=str))
    async def by_index() -> None:
        """Read it."""

    @get("/v1/hash", opt=doc(*BY_HASH, reply=str))
    async def by_hash() -> None:
        """Read it."""

    for handler, parameter, header in (
        (by_index, "index", "X-Consul-Index"),
        (by_hash, "hash", "X-Consul-ContentHash"),
    ):
        shown = operation(handler)
        assert {each["name"] for each in shown["parameters"]} == {parameter, "wait"}
        assert header in shown["responses"]["200"]["headers"]


def test_the_body_of_a_config_entry_is_one_of_all_kinds() -> None:
    assert SCHEMAS["Entry"]["discriminator"]["mapping"].keys() == KINDS.keys()
    resolver = {"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "2s"}
    assert errors("Entry", resolver) == []
    assert errors("Entry", resolver | {"CreateIndex": 3, "ModifyIndex": 4}) == []
    assert errors("Entry", resolver | {"Kind": "service-splitter"})
    assert errors("Entry", {"Name": "web"})
    assert errors("ServiceResolver", resolver | {"Redirect": {"Services": "api"}})


def test_what_is_encoded_fits_its_schema() -> None:
    entry = ServiceResolver(
        name="web", redirect=Redirect(service="api"), request_timeout=Duration.of(milliseconds=1500)
    )
    shown = {"Kind": "service-resolver", **codec.encode(entry)}
    assert msgspec.json.decode(msgspec.json.encode(shown)) == shown
    assert errors("ServiceResolver", shown) == []


def test_types_of_the_same_name_are_told_apart_by_their_modules() -> None:
    class ServiceResolver(msgspec.Struct):
        note: str

    @get("/v1/here", opt=doc(body=Entry, reply=ServiceResolver))
    async def read() -> None:
        """Read it."""

    document = Document([read]).content
    validate(copy.deepcopy(document))
    schemas = document["components"]["schemas"]
    assert "ServiceResolver" not in schemas
    assert schemas["service_resolver.ServiceResolver"]["properties"]["Kind"] == {"const": "service-resolver"}
    assert {"$ref": "#/components/schemas/service_resolver.ServiceResolver"} in schemas["Entry"]["oneOf"]


def test_keys_that_are_somebody_elses_may_stand_beside_the_fields() -> None:
    config = {"protocol": "http", "envoy_tracing_json": "{}"}
    assert errors("ProxyDefaults", {"Kind": "proxy-defaults", "Name": "global", "Config": config}) == []
    assert "others" not in SCHEMAS["ProxyConfig"]["properties"]


@pytest.mark.parametrize(
    "text", ["0", "10s", "-250ms", "1m30s", "+1.5h", ".5s", "3µs", "10", "", "1d", "s", "1s "]
)
def test_a_duration_is_documented_as_it_is_parsed(text: str) -> None:
    try:
        Duration.parse(text)
    except ValueError:
        assert errors("Duration", text)
    else:
        assert errors("Duration", text) == []
    assert errors("Duration", 1_500_000_000) == []


def test_defaults_are_documented_as_people_write_them() -> None:
    assert SCHEMAS["ServiceResolver"]["properties"]["ConnectTimeout"]["default"] == "0s"
