import pytest

from xdsmesh.cli.answers import AgentService
from xdsmesh.cli.envoy import find_sidecar
from xdsmesh.cli.errors import CommandError


def service(service_id: str, stands_before: str = "") -> AgentService:
    name = service_id.partition("-")[0]
    proxy = {"DestinationServiceID": stands_before, "DestinationServiceName": name} if stands_before else None
    return AgentService(
        id=service_id, service=name, address="", port=0, tags=[], meta={}, weights={}, proxy=proxy
    )


def catalog(*services: AgentService) -> dict[str, AgentService]:
    return {each.id: each for each in services}


WEB = catalog(service("web-1"), service("web-1-sidecar-proxy", "web-1"), service("db-1"))


def test_the_sidecar_is_found_by_the_instance_that_it_stands_before() -> None:
    sidecar = find_sidecar(WEB, "WEB-1")
    assert (sidecar.id, sidecar.destination) == ("web-1-sidecar-proxy", "web")


@pytest.mark.parametrize(
    ("services", "wanted", "said"),
    [
        (WEB, "api-1", "no service with the id 'api-1' is registered; there are sidecars for web-1"),
        ({}, "api-1", "xdsmesh services register FILE"),
        (WEB, "", "no service with the id ''"),
        (WEB, "db-1", "service 'db-1' has no sidecar.*sidecar_service"),
        (WEB, "web-1-sidecar-proxy", "is itself a sidecar: use --sidecar-for web-1"),
        (
            {**WEB, **catalog(service("web-edge", "web-1"))},
            "web-1",
            "several sidecars.*web-1-sidecar-proxy, web-edge",
        ),
    ],
)
def test_without_one_sidecar_the_error_says_what_there_is_and_what_to_do(
    services: dict[str, AgentService], wanted: str, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        find_sidecar(services, wanted)
