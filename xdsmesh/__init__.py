"""xdsmesh: a service-mesh control plane for stock Envoy proxies."""

__version__ = "0.1.0"
