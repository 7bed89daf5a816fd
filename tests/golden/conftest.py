"""Golden cases: config files as people write them, beside the Envoy resources that one proxy gets from them.

A case is a folder ``<topic>/<case>`` with input files, ``proxy.txt`` that names the proxy, and the outputs.
Where other datacenters matter, ``datacenters.yaml`` has what they told us: by their names, the addresses of
their gateways and, of their services, those of instances by subset. A minus before an address: it is ill.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import any_pb2
from google.protobuf.json_format import MessageToJson

from xdsmesh.config.files import parse_file
from xdsmesh.config.service import expand
from xdsmesh.index.tables import FEDERATION_ADDRESS
from xdsmesh.index.views import Index
from xdsmesh.model.catalog import Instance, Node, ServiceAddress
from xdsmesh.model.checks import Health
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.model.federation import (
    RemoteGateway,
    RemoteGateways,
    RemoteInstance,
    RemoteService,
    RemoteSubset,
)
from xdsmesh.model.resource import ProxyView, Resources
from xdsmesh.model.trust import TrustBundle

HERE = Path(__file__).parent
PROXY = "proxy.txt"
INPUT_ENDINGS = {".hcl", ".json", ".yaml", ".yml"}
NOT_OURS = {"chains", "__pycache__"}
"""Golden files of another sort, and no files of ours at all."""
DATACENTERS = "datacenters.yaml"
FEDERATION = Fact(FEDERATION_ADDRESS, ServiceAddress("127.0.0.1", 8503))
OUTPUTS = ("clusters.yaml", "endpoints.yaml", "listeners.yaml", "routes.yaml")
TRUST_DOMAIN = "11111111-2222-3333-4444-555555555555.consul"
NODE = Node("node-1", "127.0.0.1", "dc1")
MAPS = {"jsonFormat", "policies", "providers", "typedPerFilterConfig"}
FIRST_SIDECAR_PORT = 21000


@dataclass(frozen=True)
class Case:
    """A folder of inputs, with the outputs that are expected of them."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.relative_to(HERE).as_posix()

    @property
    def proxy(self) -> str:
        return (self.folder / PROXY).read_text().strip()

    @property
    def inputs(self) -> list[Path]:
        return sorted(
            path
            for path in self.folder.iterdir()
            if path.suffix in INPUT_ENDINGS and path.name not in (*OUTPUTS, DATACENTERS)
        )

    @property
    def is_gateway(self) -> bool:
        """Whether the proxy stands between datacenters, and not before a service."""
        return self.proxy.startswith("gateway")

    @property
    def datacenters(self) -> dict[str, Any]:
        """What other datacenters told us, by their names."""
        path = self.folder / DATACENTERS
        return yaml.safe_load(path.read_text()) if path.exists() else {}

    def golden(self) -> dict[str, str]:
        """The texts of the outputs that are in the folder."""
        paths = (self.folder / name for name in OUTPUTS)
        return {path.name: path.read_text() for path in paths if path.exists()}

    def update(self, outputs: Mapping[str, str]) -> None:
        """Write the outputs; those that are no longer made go away."""
        for name in OUTPUTS:
            if name in outputs:
                (self.folder / name).write_text(outputs[name])
            else:
                (self.folder / name).unlink(missing_ok=True)


CASES = [Case(path.parent) for path in sorted(HERE.glob(f"*/*/{PROXY}"))]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def view(case: Case) -> ProxyView:
    """What the proxy of the case is given."""
    return _view(case)


@pytest.fixture
def decoded(view: ProxyView) -> dict[str, list[dict[str, Any]]]:
    """The same by the names of the outputs, in protobuf's JSON form, sorted by name."""
    kinds = (view.clusters, view.endpoints, view.listeners, view.routes)
    names = (name.removesuffix(".yaml") for name in OUTPUTS)
    return {name: _decoded(resources) for name, resources in zip(names, kinds, strict=True)}


@pytest.fixture
def outputs(decoded: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """The golden files as they should be: those that would be empty are not there."""
    return {
        f"{name}.yaml": yaml.safe_dump(resources, sort_keys=False, width=200)
        for name, resources in decoded.items()
        if resources
    }


@pytest.fixture(scope="session")
def lost_files() -> list[str]:
    """Files that look like parts of a case, but that no test reads."""
    read = {
        path
        for case in CASES
        for path in (
            *case.inputs,
            case.folder / PROXY,
            case.folder / DATACENTERS,
            *(case.folder / o for o in OUTPUTS),
        )
    }
    return [
        path.relative_to(HERE).as_posix()
        for path in sorted(HERE.glob("*/**/*"))
        if path.is_file() and path not in read and path.relative_to(HERE).parts[0] not in NOT_OURS
    ]


def _decoded(resources: Resources) -> list[dict[str, Any]]:
    messages = (any_pb2.Any.FromString(resources[name].any) for name in sorted(resources))
    objects = (_with_maps_sorted(json.loads(MessageToJson(message))) for message in messages)
    return [{key: value for key, value in each.items() if key != "@type"} for each in objects]


def _with_maps_sorted(value: Any) -> Any:
    """JSON of protobuf in which maps, that have no order of their own, have one."""
    if isinstance(value, list):
        return [_with_maps_sorted(each) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _with_maps_sorted(each) for key, each in value.items()}
    return {key: dict(sorted(each.items())) if key in MAPS else each for key, each in inner.items()}


@cache
def _view(case: Case) -> ProxyView:
    index = Index()
    trust = Fact(("roots",), TrustBundle(TRUST_DOMAIN, "ROOTS\n"))
    index.apply(Batch(1, (trust, *_facts(case.inputs), *_elsewhere(case.datacenters))))
    view = index.view(case.proxy)
    assert view is not None, f"{case.name} has no proxy {case.proxy}"
    return view


def _facts(inputs: Iterable[Path]) -> Iterator[Fact]:
    ports = count(FIRST_SIDECAR_PORT)
    for path in inputs:
        parsed = parse_file(path.name, path.read_bytes())
        assert not parsed.problems, [str(problem) for problem in parsed.problems]
        for entry in parsed.entries:
            yield Fact(("entry", entry.value.KIND, entry.value.name), entry.value)
        for service in parsed.services:
            for instance in expand(service.value, NODE, lambda _: next(ports)):
                yield Fact(("instance", instance.id), _probed(instance))


def _elsewhere(datacenters: Mapping[str, Any]) -> Iterator[Fact]:
    """What is known of other datacenters; once there are some, this one's control plane listens for them."""
    if datacenters:
        yield FEDERATION
    for name, told in datacenters.items():
        places = map(_place, told.get("gateways", ()))
        gateways = tuple(RemoteGateway(f"gateway-{number}", *each) for number, each in enumerate(places))
        yield Fact(("remote-gateways", name), RemoteGateways(gateways))
        for service, subsets in told.get("services", {}).items():
            found = (
                RemoteSubset(
                    subset,
                    tuple(RemoteInstance(host, port, 1, well) for host, port, well in map(_place, told)),
                )
                for subset, told in sorted(subsets.items())
            )
            yield Fact(("remote-service", name, service), RemoteService(tuple(found)))


def _place(text: str) -> tuple[str, int, bool]:
    host, _, port = text.removeprefix("-").rpartition(":")
    return host, int(port), not text.startswith("-")


def _probed(instance: Instance) -> Instance:
    """An instance after its sidecar was found listening: default checks pass, others are as given."""
    checks = (
        replace(check, status=Health.PASSING) if check.name.startswith("Connect Sidecar ") else check
        for check in instance.checks
    )
    return replace(instance, checks=tuple(checks))
