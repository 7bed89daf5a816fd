"""Certificates that a gateway fetches from a secret discovery service of somebody else."""

from xdsmesh.config.entry import Shape


class SDS(Shape, frozen=True):
    """Which certificate, and from whom."""

    cluster_name: str = ""
    """The cluster of the gateway's bootstrap that serves the certificate."""
    cert_resource: str = ""
    """The certificate's name there."""
