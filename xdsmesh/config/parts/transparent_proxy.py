"""How a proxy takes in connections that were not addressed to it."""

from xdsmesh.config.entry import Port, Shape


class TransparentProxy(Shape, frozen=True):
    """Port 0 is 15001 when it is used. ``dialed_directly``: callers may use an instance's own address."""

    outbound_listener_port: Port = 0
    """The port that the application's connections are led to."""
    dialed_directly: bool = False
    """Callers may use an instance's own address."""
