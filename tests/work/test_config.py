"""What reading a definition costs: so much for each thing in it, however many there are."""

import json
import sys
from collections import Counter

from xdsmesh.config.files import decode_service


def calls(upstreams: int) -> int:
    """How many functions it takes to read a service that calls so many others."""
    listed = [{"DestinationName": f"s{n}", "LocalBindPort": 1000 + n} for n in range(upstreams)]
    sidecar = {"SidecarService": {"Proxy": {"Upstreams": listed}}}
    body = json.dumps({"Name": "web", "Connect": sidecar}).encode()
    counted: Counter[str] = Counter()
    sys.setprofile(lambda _, event, __: counted.update([event]))
    try:
        decode_service(body)
    finally:
        sys.setprofile(None)
    return counted["call"]


def test_a_service_that_calls_many_costs_no_more_for_each() -> None:
    few, many = calls(100), calls(400)
    assert many < 5 * few
