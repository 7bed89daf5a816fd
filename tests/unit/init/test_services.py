"""What a person names for `xdsmesh init`, and all that can be wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from xdsmesh.init import Addresses, Service, compose_files, read_services, read_subnet, systemd_files
from xdsmesh.init.services import Upstream

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = (
    "write up to 40 of a-z, 0-9 and -, with a letter first and no - at the end, "
    "and then the port, as in web:8080"
)


def problems(
    *services: str, upstream: str = "", protocol: str = "", image: str = "", publish: str = ""
) -> tuple[str, ...]:
    given = ([each] if each else [] for each in (upstream, protocol, image, publish))
    return read_services(services, *given)[1]


def in_containers(
    services: Sequence[str], upstreams: Sequence[str] = (), published: Sequence[str] = ()
) -> tuple[str, ...]:
    """What is wrong with services that are well named, when they are to be in containers."""
    named, wrong = read_services(services, upstreams, published=published)
    assert not wrong
    return compose_files(named, Addresses())[1]


def test_the_services_are_those_that_are_named_with_whom_they_call() -> None:
    services, wrong = read_services(
        ["web:80", "api:9090"], ["web:api:9191"], ["api=grpc"], ["web=nginx:stable"], ["web:8000"]
    )
    assert not wrong
    assert services == (
        Service("web", 80, (Upstream("api", 9191),), "", "nginx:stable", 8000),
        Service("api", 9090, protocol="grpc"),
    )


def test_every_mistake_is_told_with_its_flag_and_what_to_do() -> None:
    _, wrong = read_services(
        ["Web:80", "api:99999", "api:1"],
        ["api:apu:9", "api:api:1"],
        ["api=udp"],
        ["api=a b", "other=a"],
        ["api:x", "apj:1", "8000:1"],
    )
    assert wrong == (
        f'--service Web:80: "Web" is no name for containers and units: {NAMES}',
        '--service api:99999: "99999" is no port: write a number from 1 to 65535, as in api:8080',
        "--service api:1: api is given twice: keep one of them",
        '--upstream api:apu:9: "apu" is no service named here: write api, or add --service apu:PORT',
        "--upstream api:api:1: api would call itself: name two services",
        '--protocol api=udp: "udp" is no protocol: write one of tcp, http, http2, grpc',
        '--image api=a b: "a b" is no image: write api=IMAGE',
        '--image other=a: "other" is no service named here: add --service other:PORT',
        '--publish api:x: "x" is no port: write a number from 1 to 65535, as in api:8000',
        '--publish apj:1: "apj" is no service named here: write api, or add --service apj:PORT',
        '--publish 8000:1: "8000" is no service named here: write the name of a --service',
    )


def test_what_is_missing_is_told_with_an_example() -> None:
    assert problems() == ("--service: no service is named: add --service web:8080 for each of yours",)
    (missing,) = problems("web")
    assert missing.endswith("the port is missing: write a number from 1 to 65535, as in web:8080")
    missing = "--upstream web:9191: this is not CALLER:SERVICE:PORT: write it as in web:api:9191"
    assert problems("web:1", upstream="web:9191") == (missing,)
    missing = "--protocol web: this is not NAME=PROTOCOL: write it as in db=tcp"
    assert problems("web:1", protocol="web") == (missing,)
    missing = "--image web=: this is not NAME=IMAGE: write it as in web=nginx:stable"
    assert problems("web:1", image="web=") == (missing,)
    missing = "--publish 8000: this is not NAME:PORT: write it as in web:8000"
    assert problems("web:1", publish="8000") == (missing,)


def test_a_subnet_is_a_private_one_with_room_for_all_networks() -> None:
    addresses, wrong = read_subnet("172.20.0.0/16")
    assert not wrong
    assert str(addresses.control_plane) == "172.20.0.2"
    for text in ("10.74.0.0/24", "10.74.0.1/16", "8.8.0.0/16", "127.0.0.0/16", "fd00::/16", "x"):
        (problem,) = read_subnet(text)[1]
        assert problem.startswith(f"--subnet {text}: this is no private ADDRESS/16")


def test_what_is_given_twice_is_told() -> None:
    _, wrong = read_services(
        ["web:1", "api:2"],
        ["web:api:3", "web:api:4"],
        ["web=tcp", "web=http"],
        ["web=a", "web=b"],
        ["web:1", "web:2"],
    )
    assert [each.rpartition(": ")[0] for each in wrong] == [
        "--upstream web:api:4: web has api as an upstream already",
        "--protocol web=http: web has a protocol already",
        "--image web=b: web has an image already",
        "--publish web:2: web is published already",
    ]


def test_an_image_can_bring_nothing_else_into_the_compose_file() -> None:
    for image in ("a\n    privileged: true", 'a"', "${HOME}", "a b", "*envoy", "[a]", "a:"):
        assert len(problems("web:80", image=f"web={image}")) == 1


def test_on_one_machine_no_two_can_have_a_port() -> None:
    services, _ = read_services(["web:8080", "api:8080", "db:8500"], ["web:api:9191", "api:db:9191"])
    _, wrong = systemd_files(services, "xdsmesh")
    assert wrong == (
        "port 8080 of 127.0.0.1: web has it, and api wants it: give api another one",
        "port 8500 of 127.0.0.1: the control plane has it, and db wants it: give db another one",
        (
            "port 9191 of 127.0.0.1: web's way to api has it, and api's way to db wants it: "
            "give api's way to db another one"
        ),
    )


def test_on_one_machine_sidecars_leave_the_ports_that_are_asked_for() -> None:
    files, wrong = systemd_files(read_services(["web:21000", "api:2"], ["web:api:21002"])[0], "xdsmesh")
    assert not wrong
    assert "port = 21001\n" in files["mesh/service-web.hcl"]
    assert "port = 21003\n" in files["mesh/service-api.hcl"]


def test_on_one_machine_a_sidecar_that_is_not_root_is_given_no_port_of_roots() -> None:
    _, (wrong,) = systemd_files(read_services(["web:1", "api:2"], ["web:api:80"])[0], "xdsmesh")
    assert wrong.startswith("--upstream web:api:80: a sidecar is not root, and may not listen at 80")


def test_in_containers_each_service_has_its_ports_for_itself_but_not_those_of_the_machine() -> None:
    given = ["web:8080", "api:8080", "db:8500"]
    assert not in_containers(given, ["web:api:21000", "api:db:21000"])
    (wrong,) = in_containers(given, published=["web:1", "api:1"])
    assert wrong == "port 1 of 127.0.0.1: web has it, and api wants it: give api another one"
    (wrong,) = in_containers(given, ["web:api:5", "web:db:5"])
    assert wrong.startswith(
        "port 5 of the sidecar of web: web's way to api has it, and web's way to db wants"
    )


def test_containers_of_ours_keep_their_names() -> None:
    wrong = in_containers(["web:1", "web-envoy:1", "tokens:1"])
    assert [each.partition(": ")[0] for each in wrong] == ["--service web-envoy", "--service tokens"]


@pytest.mark.parametrize("name", ["on", "true", "null", "x-web"])
def test_a_name_that_is_none_in_a_compose_file_is_refused_there_and_only_there(name: str) -> None:
    (wrong,) = in_containers([f"{name}:1"])
    assert wrong == f"--service {name}: this means something else in a compose file: choose another name"
    assert not systemd_files(read_services([f"{name}:1"])[0], "xdsmesh")[1]
