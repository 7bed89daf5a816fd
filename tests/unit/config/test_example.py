"""The router, splitter and resolver of the talk's example, exactly as it shows them, in every syntax."""

import pytest

from xdsmesh.config.entry import Entry
from xdsmesh.config.files import parse_file
from xdsmesh.config.kinds.service_resolver import ServiceResolver, Subset
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Match, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split

ROUTER = """\
Kind = "service-router"
Name = "web"
Routes = [
  {
    Match {
      HTTP {
        PathPrefix = "/admin"
        PrefixRewrite = "/"
      }
    }
    Destination {
      Service = "admin"
    }
  },
]
"""

SPLITTER = """\
Kind = "service-splitter"
Name = "admin"
Splits = [
  {
    Weight = 10
    ServiceSubset = "v2"
  },
  {
    Weight = 90
    ServiceSubset = "v1"
  },
]
"""

RESOLVER = """\
Kind = "service-resolver"
Name = "admin"
DefaultSubset = "v1"
Subsets = {
  "v1" = {
    Filter = "Service.Meta.version == 1"
  },
  "v2" = {
    Filter = "Service.Meta.version == 2"
  },
}
"""

SNAKE_ROUTER = """\
kind = "service-router"
name = "web"
routes {
  match { http { path_prefix = "/admin" } }
  destination { service = "admin", prefix_rewrite = "/" }
}
"""

SNAKE_SPLITTER = """\
kind = "service-splitter"
name = "admin"
splits { weight = 10 service_subset = "v2" }
splits { weight = 90 service_subset = "v1" }
"""

SNAKE_RESOLVER = """\
kind = "service-resolver"
name = "admin"
default_subset = "v1"
subsets "v1" { filter = "Service.Meta.version == 1" }
subsets "v2" { filter = "Service.Meta.version == 2" }
"""

JSON_ROUTER = """\
{"Kind": "service-router", "Name": "web", "Routes": [
  {"Match": {"HTTP": {"PathPrefix": "/admin", "PrefixRewrite": "/"}}, "Destination": {"Service": "admin"}}
]}
"""

JSON_SPLITTER = """\
{"Kind": "service-splitter", "Name": "admin", "Splits": [
  {"Weight": 10, "ServiceSubset": "v2"}, {"Weight": 90, "ServiceSubset": "v1"}
]}
"""

JSON_RESOLVER = """\
{"Kind": "service-resolver", "Name": "admin", "DefaultSubset": "v1", "Subsets": {
  "v1": {"Filter": "Service.Meta.version == 1"}, "v2": {"Filter": "Service.Meta.version == 2"}
}}
"""

YAML = """\
Kind: service-router
Name: web
Routes:
  - Match:
      HTTP:
        PathPrefix: /admin
        PrefixRewrite: /
    Destination:
      Service: admin
---
Kind: service-splitter
Name: admin
Splits:
  - Weight: 10
    ServiceSubset: v2
  - Weight: 90
    ServiceSubset: v1
---
kind: service-resolver
name: admin
default_subset: v1
subsets:
  v1:
    filter: Service.Meta.version == 1
  v2:
    filter: Service.Meta.version == 2
"""

EXPECTED = (
    ServiceRouter(
        name="web",
        routes=[
            Route(
                match=Match(http=HTTPMatch(path_prefix="/admin")),
                destination=Destination(service="admin", prefix_rewrite="/"),
            )
        ],
    ),
    ServiceSplitter(
        name="admin",
        splits=[Split(weight=10, service_subset="v2"), Split(weight=90, service_subset="v1")],
    ),
    ServiceResolver(
        name="admin",
        default_subset="v1",
        subsets={
            "v1": Subset(filter="Service.Meta.version == 1"),
            "v2": Subset(filter="Service.Meta.version == 2"),
        },
    ),
)


def entries(*files: tuple[str, str]) -> tuple[Entry, ...]:
    parsed = [parse_file(name, text.encode()) for name, text in files]
    assert [file.problems for file in parsed] == [()] * len(files)
    return tuple(entry.value for file in parsed for entry in file.entries)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([("r.hcl", ROUTER), ("s.hcl", SPLITTER), ("d.hcl", RESOLVER)], id="HCL, verbatim"),
        pytest.param(
            [("r.hcl", SNAKE_ROUTER), ("s.hcl", SNAKE_SPLITTER), ("d.hcl", SNAKE_RESOLVER)],
            id="HCL, snake case",
        ),
        pytest.param(
            [("r.json", JSON_ROUTER), ("s.json", JSON_SPLITTER), ("d.json", JSON_RESOLVER)], id="JSON"
        ),
        pytest.param(
            [("r.hcl", JSON_ROUTER), ("s.hcl", JSON_SPLITTER), ("d.hcl", JSON_RESOLVER)], id="JSON as HCL"
        ),
        pytest.param(
            [("all.json", f"[{JSON_ROUTER}, {JSON_SPLITTER}, {JSON_RESOLVER}]")], id="a list in JSON"
        ),
        pytest.param([("all.yaml", YAML)], id="documents in YAML"),
        pytest.param(
            [("all.yml", JSON_ROUTER), ("s.yml", JSON_SPLITTER), ("d.yml", JSON_RESOLVER)], id="JSON as YAML"
        ),
    ],
)
def test_the_example_means_the_same_in_every_syntax(files: list[tuple[str, str]]) -> None:
    assert entries(*files) == EXPECTED


def test_the_example_names_its_services() -> None:
    assert [entry.references() for entry in EXPECTED] == [{"admin"}, frozenset(), frozenset()]
