"""xdsmesh: a service-mesh control plane for stock Envoy proxies."""

from importlib.metadata import version

__version__ = version("xdsmesh")
