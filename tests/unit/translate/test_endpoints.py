from google.protobuf.json_format import MessageToDict

from xdsmesh.ir.types import Endpoint, LoadAssignment
from xdsmesh.translate.endpoints import make_load_assignment


def test_endpoints_have_an_address_a_weight_and_a_state() -> None:
    endpoints = (Endpoint("127.0.0.2", 21000, 7), Endpoint("127.0.0.3", 21001, healthy=False))
    assert MessageToDict(make_load_assignment(LoadAssignment("admin", endpoints))) == {
        "clusterName": "admin",
        "endpoints": [
            {
                "lbEndpoints": [
                    {
                        "endpoint": {
                            "address": {"socketAddress": {"address": "127.0.0.2", "portValue": 21000}}
                        },
                        "healthStatus": "HEALTHY",
                        "loadBalancingWeight": 7,
                    },
                    {
                        "endpoint": {
                            "address": {"socketAddress": {"address": "127.0.0.3", "portValue": 21001}}
                        },
                        "healthStatus": "UNHEALTHY",
                        "loadBalancingWeight": 1,
                    },
                ]
            }
        ],
    }


def test_no_endpoints_are_an_answer_too() -> None:
    assert MessageToDict(make_load_assignment(LoadAssignment("admin", ()))) == {
        "clusterName": "admin",
        "endpoints": [{}],
    }


def test_one_healthy_endpoint_may_be_enough_to_take_all_of_the_traffic() -> None:
    assignment = make_load_assignment(LoadAssignment("admin", (), to_the_last=True))
    assert MessageToDict(assignment)["policy"] == {"overprovisioningFactor": 100_000}
