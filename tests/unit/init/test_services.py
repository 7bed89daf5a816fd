"""What a person names for `xdsmesh init`, and all that can be wrong with it."""

from __future__ import annotations

from xdsmesh.init import Service, compose_files, read_services, systemd_files
from xdsmesh.init.services import Upstream

NAMES = "write up to 40 of a-z, 0-9 and -, with a letter first and no - at the end"


def problems(*services: str, upstream: str = "", image: str = "", publish: str = "") -> tuple[str, ...]:
    given = ([each] if each else [] for each in (upstream, image, publish))
    return read_services(services, *given)[1]


def test_the_services_are_those_that_are_named_with_whom_they_call() -> None:
    services, wrong = read_services(
        ["web:80", "api:9090"], ["web:api:9191"], ["web=nginx:stable"], ["web:8000"]
    )
    assert not wrong
    assert services == (
        Service("web", 80, (Upstream("api", 9191),), "nginx:stable", 8000),
        Service("api", 9090),
    )


def test_every_mistake_is_told_with_its_flag_and_what_to_do() -> None:
    _, wrong = read_services(
        ["Web:80", "api:99999", "api:1"], ["api:apu:9", "api:api:1"], ["api="], ["api:x", "apj:1"]
    )
    assert wrong == (
        f'--service Web:80: "Web" is no name for containers and units: {NAMES}',
        '--service api:99999: "99999" is no port: write a number from 1 to 65535, as in api:8080',
        "--service api:1: api is given twice: keep one of them",
        '--upstream api:apu:9: "apu" is no service named here: write api, or add --service apu:PORT',
        "--upstream api:api:1: api would call itself: name two services",
        '--image api=: "" is no image: write api=IMAGE',
        '--publish api:x: "x" is no port: write a number from 1 to 65535, as in api:8080',
        '--publish apj:1: "apj" is no service named here: write api, or add --service apj:PORT',
    )


def test_what_is_missing_is_told_with_an_example() -> None:
    assert problems() == ("--service: no service is named: add --service web:8080 for each of yours",)
    (missing,) = problems("web")
    assert missing.endswith("the port is missing: write a number from 1 to 65535, as in web:8080")
    (missing,) = problems("web:1", "api:2", upstream="web:api")
    assert missing.endswith("the port is missing: write a number from 1 to 65535, as in web:api:9191")


def test_what_is_given_twice_is_told() -> None:
    _, wrong = read_services(
        ["web:1", "api:2"], ["web:api:3", "web:api:4"], ["web=a", "web=b"], ["web:1", "web:2"]
    )
    assert [each.rpartition(": ")[0] for each in wrong] == [
        "--upstream web:api:4: web has api as an upstream already",
        "--image web=b: web has an image already",
        "--publish web:2: web is published already",
    ]


def test_an_image_can_bring_nothing_else_into_the_compose_file() -> None:
    for image in ("a\n    privileged: true", 'a"', "${HOME}", "a b"):
        assert len(problems("web:80", image=f"web={image}")) == 1


def test_on_one_machine_no_two_can_have_a_port() -> None:
    services, _ = read_services(["web:8080", "api:8080", "db:8500"], ["web:api:21001"])
    _, wrong = systemd_files(services, "xdsmesh")
    assert [each.removesuffix(" both want it: give one of them another port") for each in wrong] == [
        "port 21001 of 127.0.0.1: web's way to api and the sidecar of api",
        "port 8080 of 127.0.0.1: web and api",
        "port 8500 of 127.0.0.1: the control plane and db",
    ]


def test_in_containers_each_service_has_its_ports_for_itself_but_not_those_of_the_machine() -> None:
    given = ["web:8080", "api:8080", "db:8500"]
    assert not compose_files(read_services(given, ["web:api:21000", "api:db:21000"])[0])[1]
    (wrong,) = compose_files(read_services(given, published=["web:1", "api:1"])[0])[1]
    assert wrong == "port 1 of 127.0.0.1: web and api both want it: give one of them another port"
    (wrong,) = compose_files(read_services(given, ["web:api:5", "web:db:5"])[0])[1]
    assert wrong.startswith("port 5 of the sidecar of web: web's way to api and web's way to db both want it")


def test_containers_of_ours_keep_their_names() -> None:
    _, wrong = compose_files(read_services(["web:1", "web-envoy:1", "tokens:1"])[0])
    assert [each.partition(": ")[0] for each in wrong] == ["--service web-envoy", "--service tokens"]
