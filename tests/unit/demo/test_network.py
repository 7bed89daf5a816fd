"""Every demo has addresses of its own."""

import socket
from dataclasses import asdict

from xdsmesh.demo.network import claimed_network, open_port


def test_two_demos_get_different_networks() -> None:
    with claimed_network() as one, claimed_network() as other:
        assert one.prefix != other.prefix


def test_a_port_that_is_taken_at_every_address_is_avoided() -> None:
    # One of its own: other demos on this machine may listen on those that a demo prefers.
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = open_port("127.77.7.254", taken.getsockname()[1])

        assert port != taken.getsockname()[1]
        with socket.create_server(("127.77.7.20", port)):
            pass


def test_no_port_needs_root() -> None:
    with claimed_network() as network:
        ports = [value for name, value in asdict(network).items() if name.endswith("_port")]

    assert all(port >= 1024 for port in ports)
    assert len(set(ports)) == len(ports) > 1
