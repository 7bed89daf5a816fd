"""What filters select. The truth tables follow Consul's documented and published behaviour."""

import pytest

from xdsmesh.config.filter import parse
from xdsmesh.model.catalog import Instance


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Service.Meta.version == 1", True),
        ("Service.Meta.version==1", True),
        ('Service.Meta.version == "1"', True),
        ("Service.Meta.version == `1`", True),
        ("Service.Meta.version == 1.0", False),
        ("Service.Meta.version != 2", True),
        ("Service.Meta.version!=1", False),
        ("Service.Meta contains env and Service.Meta.env == prod", True),
        ("Service.Meta is empty", False),
        ("Service.Meta is not empty", True),
        ("a in Service.Tags", True),
        ("c not in Service.Tags", True),
        ('Service.Tags contains "c"', False),
        ("Service.Tags not contains c", True),
        ("Service.Tags is empty", False),
        ("Service.Port == 8080", True),
        ('Service.Port == "0x1f90"', True),
        ('Service.Port == "017620"', True),
        ("Service.Port != 8080", False),
        ("ro in Service.Meta.env", True),
        ("Service.Meta.env contains ro", True),
        ('Service.Meta.env matches "^pr"', True),
        ('Service.Meta.env matches "r"', True),
        ('Service.Meta.env matches "^r"', False),
        ('Service.Meta.env not matches "^r"', True),
        ("not Service.Meta.env == prod or Service.Port == 8080", True),
        ("not (Service.Meta.env == prod)", False),
        ("not not Service.Meta.env == prod", True),
        ("not in Service.Tags", False),
        ("not not in Service.Tags and a in Service.Tags", True),
        ("not a in Service.Tags or not  not in Service.Meta", True),
        ("not in not in Service.Tags", False),
        ("Service.Port == 1 and Service.Port == 2 or Service.Port == 8080", True),
        ("Service.Port == 8080 or Service.Port == 1 and Service.Port == 2", True),
        ("(Service.Port == 8080 or Service.Port == 1) and Service.Port == 2", False),
        ("(  Service.Port == 8080\t)", True),
        (" \r\n Service.Port\n==\n8080 ", True),
        ('Service.Meta["odd-key"] == odd', True),
        ("Service.Meta[ `odd-key` ] == odd", True),
        ('Service["Meta"]["dotted.key"] == dotted', True),
        ('"odd-key" in Service.Meta', True),
        (
            'Node.Node == n1 and Node.Address == "10.0.0.1" and Node.Datacenter == dc1',
            True,
        ),
        ("Node.Meta.rack == r7", True),
        ('Service.ID == "web-1" and Service.Service == web and Service.Address == "10.0.0.2"', True),
        ('Service.Kind == "" and Service.Weights.Passing == 10 and Service.Weights.Warning == 1', True),
        ('Service.Proxy.DestinationServiceName == ""', True),
        ('Node.ID == "" and Node.PeerName == ""', True),
        ('Node.TaggedAddresses.lan == "10.0.0.1" and wan in Node.TaggedAddresses', True),
        ("Node.TaggedAddresses.lan_ipv6 == x", False),
        ("Service.TaggedAddresses is empty and Service.TaggedAddresses.lan.Port != 80", True),
        ("Service.TaggedAddresses.lan.Address == x or Service.TaggedAddresses.lan.Port == 80", False),
        ("Service.EnableTagOverride == false and Service.Connect.Native != true", True),
        ('Service.EnableTagOverride == "F"', True),
        ('Service.Proxy.Mode == "" and Service.Proxy.MeshGateway.Mode == ""', True),
        ("Service.Proxy.Expose.Checks == true or Service.Proxy.Expose.Paths is not empty", False),
        ("Service.Proxy.TransparentProxy.DialedDirectly == true", False),
        ("Service.Proxy.LocalServicePort == 0", True),
        ("Service.Proxy.Upstreams is empty", True),
        ("Service.Meta.in == 1 or Service.Meta.not == 1 or Service.Meta.contains == 1", False),
        ("Service.Meta.env == in", False),
        ("", True),
    ],
)
def test_truth(instance: Instance, text: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert parse(text).matches(instance) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Service.Meta.missing == 2", False),
        ('Service.Meta.missing == ""', False),
        ("Service.Meta.missing != 2", True),
        ("x in Service.Meta.missing", False),
        ("x not in Service.Meta.missing", True),
        ('Service.Meta.missing matches "x"', True),
        ('Service.Meta.missing not matches "x"', True),
        ("missing in Service.Meta", False),
        ("Service.Meta contains missing", False),
        ('"missing" not in Service.Meta', True),
        ("not Service.Meta.missing == x", True),
    ],
)
def test_a_key_that_is_missing(instance: Instance, text: str, expected: bool) -> None:  # noqa: FBT001 - a column
    assert parse(text).matches(instance) is expected


@pytest.mark.parametrize(
    ("text", "without_checks", "with_checks"),
    [
        ("Checks.Status == passing", False, True),
        ("Checks.Status == critical", False, True),
        ("Checks.Status != passing", False, True),
        ("Checks.Status == warning", False, False),
        ("not Checks.Status == critical", True, False),
        ("Checks is empty", True, False),
        ("Checks is not empty", False, True),
        ("Checks.CheckID == disk and Checks.Name == Disk and full in Checks.Notes", False, True),
        ("Checks.Output matches `^fi`", False, True),
        ("Checks.Node == n1 and Checks.ServiceID matches sidecar", False, True),
        ("a in Checks.ServiceTags", False, True),
        ("Service.Proxy.Upstreams.DestinationName == mq", False, True),
        ("Service.Proxy.Upstreams.LocalBindPort == 9191", False, True),
        ("Service.Proxy.Upstreams.DestinationName != db", False, True),
        ("not Service.Proxy.Upstreams.DestinationName == db", True, False),
        ("Service.Proxy.Upstreams.DestinationType == service", False, True),
        ("Service.Proxy.MeshGateway.Mode == local", False, True),
        ("Service.Proxy.Upstreams.MeshGateway.Mode == none", False, True),
        ('Service.Proxy.Upstreams.MeshGateway.Mode == ""', False, True),
        ('Checks.Type == "" and Checks.ExposedPort == 0', False, True),
        ('Service.Proxy.DestinationServiceID == "web-1" and Service.Kind == "connect-proxy"', False, True),
    ],
)
def test_a_list_holds_what_any_of_its_objects_does(
    instance: Instance, sidecar: Instance, text: str, *, without_checks: bool, with_checks: bool
) -> None:
    filter_ = parse(text)
    assert (filter_.matches(instance), filter_.matches(sidecar)) == (without_checks, with_checks)
