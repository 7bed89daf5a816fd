"""Requests at random, right and wrong ones, made from the OpenAPI document; the same ones in every run.

Whatever is asked, the server answers in time, as documented, and never with a fault of its own.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import BaseSchema, Case, GenerationMode

from xdsmesh.api.app import ROUTES
from xdsmesh.api.openapi.document import Document

PATHS: Final = Document(ROUTES).content["paths"]
OPERATIONS: Final = [
    pytest.param((path, method), id=f"{method} {path}")
    for path, item in PATHS.items()
    for method in sorted(item.keys() - {"parameters"})
]
EXAMPLES: Final = 15
CONFIG: Final = schemathesis.Config()
SECONDS: Final = 10
"""Far more than any of these requests takes, since those that wait are told to wait for a moment."""

LIKELY: Final = {
    ("name", "service", "node"): ["web", "api", "global", "mesh", "default", "nobody"],
    ("kind",): ["connect-proxy", "api-gateway"],
    ("id",): ["web-1", "api", "nobody"],
    ("filter",): ["Service.Tags contains v1", "ServiceMeta.version == 1", "Port != 80", "ID matches `w`"],
    ("protocol",): ["http", "tcp", "grpc"],
    ("address",): ["127.0.0.9", "::1"],
    ("status",): ["passing", "critical"],
    ("action",): ["allow", "deny"],
    ("mode",): ["", "local", "remote"],
    ("prefix", "path"): ["/", "/admin"],
    ("connections",): ["exact_balance"],
}
"""Texts for what is called like this, or ends so. With others, little would be found, or fit together."""
NEEDED: Final = frozenset({"Name", "DestinationName", "LocalBindPort", "Path"})
"""Keys that hardly any object can do without."""
SERVICES: Final = [
    {"ID": "web-1", "Name": "web", "Port": 80, "Tags": ["v1"], "Connect": {"SidecarService": {}}},
    {"ID": "api", "Name": "api", "Port": 81, "Meta": {"version": "1"}, "Check": {"Status": "passing"}},
]
ENTRIES: Final = [
    {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}},
    {"Kind": "service-resolver", "Name": "web", "Subsets": {"v1": {"Filter": "Service.Tags contains v1"}}},
    {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 100, "ServiceSubset": "v1"}]},
]


@pytest.fixture(scope="module")
def documented(shared: Any) -> BaseSchema:
    """The API of a server that has something to show, as it is documented."""
    for service in SERVICES:
        shared.http.put("/v1/agent/service/register", json=service).raise_for_status()
    shared.http.put("/v1/xdsmesh/config", json=ENTRIES).raise_for_status()
    return schemathesis.openapi.from_dict(shared.http.get("/v1/openapi.json").json(), config=CONFIG)


@pytest.fixture(scope="module")
def asked(documented: BaseSchema) -> BaseSchema:
    """The API as we use it."""
    return schemathesis.openapi.from_dict(at_home(documented.raw_schema), config=CONFIG)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize("route", OPERATIONS)
def test_no_request_makes_the_server_fail(
    shared: Any, documented: BaseSchema, asked: BaseSchema, session: requests.Session, route: tuple[str, str]
) -> None:
    path, method = route
    operation, url = documented[path][method], str(shared.http.base_url)

    def ask(case: Case[Any]) -> None:
        case.query = {**case.query, "wait": "10ms"}
        answer = case.call(url, session, timeout=SECONDS)
        is_documented = str(answer.status_code) in PATHS[path][method]["responses"]
        is_elsewhere = answer.text.startswith("No path to datacenter")
        assert answer.status_code < 500 or is_documented or is_elsewhere, (case, answer.text)
        operation.validate_response(answer)

    try_out(ask, asked[path][method].as_strategy(GenerationMode.POSITIVE))
    with contextlib.suppress(Unsatisfiable):  # nothing can be wrong with what takes nothing
        try_out(ask, asked[path][method].as_strategy(GenerationMode.NEGATIVE))
    assert shared.http.get("/v1/status/leader").status_code == 200
    assert "request failed" not in shared.output()
    assert "Traceback" not in shared.output()


def try_out(ask: Callable[[Case[Any]], None], cases: SearchStrategy[Case[Any]]) -> None:
    """Ask for some cases, of which hypothesis shows the smallest that fails."""
    bounded = settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    bounded(given(cases)(ask))()


def at_home(document: dict[str, Any]) -> dict[str, Any]:
    """A document for a server where things are called as they are here; it allows less than before.

    What is wrong by it then includes all other texts.
    """
    document = copy.deepcopy(document)
    for item in document["paths"].values():
        item.pop("parameters", None)  # what they refuse is refused before anything is done
        for operation in item.values():
            for parameter in operation["parameters"]:
                parameter["schema"] = likely(parameter["name"], parameter["schema"])
    for schema in document["components"]["schemas"].values():
        properties = schema.get("properties", {})
        schema.setdefault("required", []).extend(sorted(NEEDED & properties.keys()))
        for name, inner in properties.items():
            properties[name] = likely(name, inner)
    return document


def likely(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema for texts that make sense there."""
    if name == "Meta":
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {"version": {"enum": ["1", "2"]}},
        }
    if schema.get("type") == "string" and "enum" not in schema:
        for endings, texts in LIKELY.items():
            if name.lower().endswith(endings):
                return {"enum": texts}
    return schema
