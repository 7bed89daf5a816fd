"""Every demo has addresses of its own."""

import socket
from dataclasses import asdict

from xdsmesh.demo.network import claimed_network


def test_two_demos_get_different_networks() -> None:
    with claimed_network() as one, claimed_network() as other:
        assert one.prefix != other.prefix


def test_a_port_that_is_taken_at_every_address_is_avoided() -> None:
    with (
        claimed_network() as free,
        socket.create_server(("0.0.0.0", free.app_port)),
        claimed_network() as network,
    ):
        assert network.app_port != free.app_port
        with socket.create_server((network.host(20), network.app_port)):
            pass


def test_no_port_needs_root() -> None:
    with claimed_network() as network:
        ports = [value for name, value in asdict(network).items() if name.endswith("_port")]

    assert all(port >= 1024 for port in ports)
    assert len(set(ports)) == len(ports) > 1
