"""Checks of services, and those that are registered by themselves."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.config.files import decode_check
from xdsmesh.config.service import ServiceDefinition
from xdsmesh.model.catalog import Instance
from xdsmesh.model.checks import Check, CheckType, Health, Probe
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import RefusedError

Service = Callable[..., ServiceDefinition]
Problems = Callable[..., list[str]]
Instances = Callable[..., tuple[Instance, ...]]

NO_HOST = "is not a host and a port (write it as in localhost:80 or [::1]:80)"
NO_COMMANDS = (
    "is refused: this server runs no commands; it knows TTL, HTTP, TCP, UDP, GRPC, H2PING and aliases "
    "(remove it)"
)
NOT_PROBED = "Interval is for checks that probe something: HTTP, TCP, UDP, GRPC and H2PING (remove it)"
NO_KIND = (
    "a check needs TTL, HTTP, TCP, UDP, GRPC, H2PING, AliasService or AliasNode, or else a Status, "
    "which it has until somebody changes it (add one of them)"
)


def seconds(number: int) -> Duration:
    return Duration.of(seconds=number)


def alone(**fields: Any) -> Check:
    return decode_check(json.dumps(fields).encode()).check()


@pytest.mark.parametrize(
    ("fields", "kind", "probe"),
    [
        ({"TTL": "30s"}, "ttl", Probe(ttl=seconds(30))),
        ({"ttl": 30_000_000_000}, "ttl", Probe(ttl=seconds(30))),
        (
            {"HTTP": "http://localhost:80/health", "Interval": "10s"},
            "http",
            Probe("http://localhost:80/health", seconds(10), seconds(10), method="GET"),
        ),
        (
            {
                "http": "https://[::1]/",
                "interval": "1m",
                "timeout": "250ms",
                "method": "PUT",
                "header": {"X-A": ["1", "2"], "X-B": "3"},
                "body": "hello",
                "disable_redirects": True,
                "tls_server_name": "web",
                "tls_skip_verify": True,
                "success_before_passing": 2,
                "failures_before_critical": 3,
                "output_max_size": 100,
            },
            "http",
            Probe(
                "https://[::1]/",
                seconds(60),
                Duration.of(milliseconds=250),
                method="PUT",
                header={"X-A": ("1", "2"), "X-B": ("3",)},
                body="hello",
                disable_redirects=True,
                tls_server_name="web",
                tls_skip_verify=True,
                success_before_passing=2,
                failures_before_warning=3,
                failures_before_critical=3,
                output_max_size=100,
            ),
        ),
        ({"TCP": "localhost:80", "Interval": "5s"}, "tcp", Probe("localhost:80", seconds(5), seconds(10))),
        (
            {"tcp": "[::1]:80", "tcp_use_tls": True, "interval": "5s"},
            "tcp",
            Probe("[::1]:80", seconds(5), seconds(10), use_tls=True),
        ),
        ({"UDP": "10.0.0.1:53", "Interval": "5s"}, "udp", Probe("10.0.0.1:53", seconds(5), seconds(10))),
        (
            {"grpc": "localhost:80/my.Service", "grpc_use_tls": True, "interval": "5s"},
            "grpc",
            Probe("localhost:80/my.Service", seconds(5), seconds(10), use_tls=True),
        ),
        ({"GRPC": "localhost:80", "Interval": "5s"}, "grpc", Probe("localhost:80", seconds(5), seconds(10))),
        (
            {"h2ping": "localhost:80", "interval": "5s"},
            "h2ping",
            Probe("localhost:80", seconds(5), seconds(10), use_tls=True),
        ),
        (
            {"H2PING": "localhost:80", "H2PingUseTLS": False, "Interval": "5s"},
            "h2ping",
            Probe("localhost:80", seconds(5), seconds(10)),
        ),
        ({"AliasService": "db-1"}, "alias", Probe("db-1")),
        ({"alias_node": "n2"}, "alias", Probe(alias_node="n2")),
        ({"AliasService": "db-1", "AliasNode": "n2"}, "alias", Probe("db-1", alias_node="n2")),
    ],
)
def test_a_check_is_of_the_kind_of_its_target(
    instances: Instances, fields: dict[str, Any], kind: str, probe: Probe
) -> None:
    (instance,) = instances(ID="web-1", Name="web", Check=fields)

    wanted = Check(
        "service:web-1", "Service 'web' check", service_id="web-1", type=CheckType(kind), probe=probe
    )
    assert instance.checks == (wanted,)
    assert alone(ID="c1", Name="c", ServiceID="web-1", **fields) == Check(
        "c1", "c", service_id="web-1", type=CheckType(kind), probe=probe
    )


@pytest.mark.parametrize(
    ("fields", "interval"),
    [("10ms", seconds(1)), ("1s", seconds(1)), (1, seconds(1)), ("90s", seconds(90))],
)
def test_nothing_is_probed_more_often_than_each_second(fields: str | int, interval: Duration) -> None:
    probe = alone(Name="c", TCP="localhost:80", Interval=fields).probe

    assert probe is not None
    assert probe.interval == interval


@pytest.mark.parametrize(
    ("given", "after"), [(None, Duration()), ("0s", Duration()), ("1s", seconds(60)), ("5m", seconds(300))]
)
def test_a_critical_service_has_a_minute_at_least(given: str | None, after: Duration) -> None:
    assert alone(Name="c", TTL="1s", DeregisterCriticalServiceAfter=given).deregister_after == after


@pytest.mark.parametrize(("given", "size"), [(None, 4096), (0, 4096), (1, 1), (10_000_000, 4096)])
def test_output_is_kept_up_to_a_limit(given: int | None, size: int) -> None:
    probe = alone(Name="c", TTL="1s", OutputMaxSize=given).probe

    assert probe is not None
    assert probe.output_max_size == size


def test_checks_without_id_are_numbered(instances: Instances) -> None:
    ttl = {"TTL": "10s"}
    (one,) = instances(Name="web", Check=ttl)
    (several,) = instances(ID="web-1", Name="web", Check=ttl, Checks=[{"ID": "mine", **ttl}, ttl])

    assert [check.id for check in one.checks] == ["service:web"]
    assert [check.id for check in several.checks] == ["service:web-1:1", "mine", "service:web-1:3"]


def test_a_check_is_critical_until_somebody_says_otherwise(instances: Instances) -> None:
    (unsaid,) = instances(Name="web", Checks=[{"Name": "a", "TTL": "10s"}])
    (passing,) = instances(Name="web", Checks=[{"Name": "a", "TTL": "10s", "Status": "passing"}])

    assert (unsaid.health, passing.health) == (Health.CRITICAL, Health.PASSING)


def test_a_check_of_no_kind_has_the_status_that_it_is_given(instances: Instances) -> None:
    (instance,) = instances(Name="web", Check={"Name": "a", "Status": "warning", "Notes": "by hand"})

    assert instance.checks == (Check("service:web", "a", Health.WARNING, "by hand", service_id="web"),)


def test_a_check_by_itself_is_of_the_node_unless_it_names_a_service() -> None:
    of_node = alone(Name="disk", TTL="10s", Token="s3cret", WriteRequest={})
    of_service = alone(name="disk", checkid="d1", serviceid="web-1", ttl="10s", status="passing")

    assert (of_node.id, of_node.service_id, of_node.status) == ("disk", "", "critical")
    assert (of_service.id, of_service.service_id, of_service.status) == ("d1", "web-1", "passing")


def test_what_a_check_sends_is_not_logged(service: Service) -> None:
    check = {"HTTP": "http://localhost/", "Interval": "1s", "Header": {"A": ["s3cret"]}, "Body": "s3cret"}

    assert "s3cret" not in repr(service(Name="web", Check=check))


def test_fields_of_commands_may_be_there_and_empty(instances: Instances) -> None:
    commands: dict[str, Any] = {
        "Script": "",
        "Args": None,
        "ScriptArgs": [],
        "Shell": "",
        "DockerContainerID": "",
    }
    (instance,) = instances(Name="web", Check={"TTL": "10s", "OSService": "", **commands})

    assert [check.type for check in instance.checks] == ["ttl"]


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (
            {"Status": "fine", "TTL": "1s"},
            '.Status: XM0303 "fine" is not the status of a check (use one of passing, warning, critical)',
        ),
        ({"Name": "a"}, f": XM0301 {NO_KIND}"),
        ({"CheckID": "a\nb", "TTL": "1s"}, ".CheckID: XM0313 CheckID holds characters that can't be printed"),
        ({"TTL": "1s", "TCP": "localhost:80"}, ": XM0304 TTL and TCP exclude each other (keep one of them)"),
        (
            {"HTTP": "http://localhost/", "AliasNode": "n2", "Interval": "1s"},
            ": XM0304 HTTP and AliasNode exclude each other (keep one of them)",
        ),
        (
            {"TCP": "localhost:80"},
            '.Interval: XM0301 a check that probes something needs an Interval (add Interval = "10s")',
        ),
        (
            {"TCP": "localhost:80", "Interval": "0s"},
            '.Interval: XM0301 a check that probes something needs an Interval (add Interval = "10s")',
        ),
        (
            {"TCP": "localhost:80", "Interval": "-1s"},
            ".Interval: XM0307 Interval may not be negative, as -1s is",
        ),
        (
            {"TTL": "10s", "Interval": "10s"},
            f".Interval: XM0304 {NOT_PROBED}",
        ),
        (
            {"AliasService": "db", "Interval": "10s"},
            f".Interval: XM0304 {NOT_PROBED}",
        ),
        ({"TTL": "soon"}, '.TTL: XM0207 TTL must be a duration such as 10s, 1m30s or 250ms, not "soon"'),
        ({"TTL": "-1s"}, ".TTL: XM0307 TTL may not be negative, as -1s is"),
        (
            {"TTL": "1s", "Timeout": "-1s"},
            ".Timeout: XM0307 Timeout may not be negative, as -1s is",
        ),
        (
            {"HTTP": "ftp://localhost/", "Interval": "1s"},
            (
                '.HTTP: XM0321 HTTP "ftp://localhost/" is not an absolute URI of HTTP '
                "(write it whole, as in https://www.example.com/keys)"
            ),
        ),
        (
            {"HTTP": "http://localhost/", "Interval": "1s", "Method": "GET /"},
            '.Method: XM0303 Method "GET /" is not an HTTP method (use one such as GET)',
        ),
        (
            {"HTTP": "http://localhost/", "Interval": "1s", "Header": {":path": ["/"]}},
            '.Header[":path"]: XM0312 ":path" is not the name of a header',
        ),
        (
            {"HTTP": "http://localhost/", "Interval": "1s", "Header": {"a": ["b\r\nc: d"]}},
            '.Header["a"]: XM0313 Header["a"] holds a control character, such as the end of a line',
        ),
        ({"TCP": "localhost", "Interval": "1s"}, f'.TCP: XM0314 TCP "localhost" {NO_HOST}'),
        ({"TCP": ":80", "Interval": "1s"}, f'.TCP: XM0314 TCP ":80" {NO_HOST}'),
        ({"TCP": "::1:80", "Interval": "1s"}, f'.TCP: XM0314 TCP "::1:80" {NO_HOST}'),
        ({"TCP": "[localhost]:80", "Interval": "1s"}, f'.TCP: XM0314 TCP "[localhost]:80" {NO_HOST}'),
        ({"UDP": "localhost:0", "Interval": "1s"}, f'.UDP: XM0314 UDP "localhost:0" {NO_HOST}'),
        (
            {"H2PING": "localhost:65536", "Interval": "1s"},
            f'.H2PING: XM0314 H2PING "localhost:65536" {NO_HOST}',
        ),
        ({"GRPC": "a b:80/x", "Interval": "1s"}, f'.GRPC: XM0314 GRPC "a b:80" {NO_HOST}'),
        ({"GRPC": "/x", "Interval": "1s"}, f'.GRPC: XM0314 GRPC "/" {NO_HOST}'),
        (
            {"TTL": "1s", "FailuresBeforeWarning": 3, "FailuresBeforeCritical": 2},
            (
                ".FailuresBeforeWarning: XM0307 FailuresBeforeWarning may not exceed "
                "FailuresBeforeCritical, as 3 exceeds 2"
            ),
        ),
        (
            {"TTL": "1s", "SuccessBeforePassing": -1},
            ".SuccessBeforePassing: XM0307 SuccessBeforePassing must be between 0 and 4294967295, not -1",
        ),
        ({"TTL": "1s", "Intervall": 1}, ".Intervall: XM0203 unknown key Intervall (did you mean Interval?)"),
        ({"Args": ["true"], "Interval": "1s"}, f".Args: XM0210 Args {NO_COMMANDS}"),
        ({"script_args": ["true"]}, f".script_args: XM0210 script_args {NO_COMMANDS}"),
        ({"Script": "true"}, f".Script: XM0210 Script {NO_COMMANDS}"),
        ({"OSService": "sshd", "Interval": "1s"}, f".OSService: XM0210 OSService {NO_COMMANDS}"),
    ],
)
def test_a_check_that_is_wrong_is_refused(problems: Problems, check: dict[str, Any], problem: str) -> None:
    assert problems(Name="web", Check=check) == [f"Check{problem}"]


def test_docker_is_refused_with_all_that_belongs_to_it(problems: Problems) -> None:
    check = {"DockerContainerID": "c", "Shell": "/bin/sh", "Args": ["true"], "Interval": "1s"}

    assert problems(Name="web", Check=check) == [
        f"Check.{key}: XM0210 {key} {NO_COMMANDS}" for key in ("DockerContainerID", "Shell", "Args")
    ]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"Checks": [{"ID": "a"}, {"CheckID": "a"}]}, "Checks[1]"),
        ({"Checks": [{"ID": "service:web:2"}, {}]}, "Checks[1]"),
        (
            {"Check": {"ID": "a"}, "Connect": {"SidecarService": {"Check": {"ID": "a"}}}},
            "Connect.SidecarService.Check",
        ),
    ],
)
def test_no_two_checks_have_one_id(problems: Problems, fields: dict[str, Any], place: str) -> None:
    def with_ttl(value: Any) -> Any:
        if isinstance(value, list):
            return [{**each, "TTL": "1s"} for each in value]
        if "SidecarService" in value:
            return {"SidecarService": {"Check": with_ttl(value["SidecarService"]["Check"])}}
        return {**value, "TTL": "1s"}

    (problem,) = problems(Name="web", **{key: with_ttl(value) for key, value in fields.items()})
    assert problem.startswith(f"{place}: XM0306 the check ")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"TTL": "1s"}, 'Name: XM0301 Name is required (add Name = "...")'),
        ({"Name": "a"}, f"XM0301 {NO_KIND}"),
        (
            {"Name": "a", "TTL": "1s", "ServiceID": "a\nb"},
            "ServiceID: XM0313 ServiceID holds characters that can't be printed",
        ),
        (
            {"Name": "a", "TTL": "1s", "Service": "web"},
            "Service: XM0203 unknown key Service (did you mean ServiceID?)",
        ),
        ({"Name": "a", "Args": ["true"]}, f"Args: XM0210 Args {NO_COMMANDS}"),
    ],
)
def test_a_check_by_itself_that_is_wrong_is_refused(body: dict[str, Any], problem: str) -> None:
    with pytest.raises(RefusedError) as refused:
        alone(**body)
    assert [str(each) for each in refused.value.problems] == [problem]
