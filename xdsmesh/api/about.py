"""What the server tells about itself."""

from dataclasses import dataclass

from xdsmesh.model.catalog import Node
from xdsmesh.settings import IntentionPolicy

OFF = -1
"""The port of a listener that is off."""


CONSUL = "1.22.0"
"""The version of Consul whose API this is: clients look here for what they may ask."""


@dataclass(frozen=True, slots=True)
class About:
    """What the server is as a program; ports are the bound ones, or ``OFF``.

    ``trust_domain`` is that of the mesh at a moment, such as ``corp.consul``. ``envoy_versions`` are the
    versions of Envoy that it was built for, such as ``1.40.0``. ``default_intention_policy`` decides
    about calls of which no intention says anything.
    """

    version: str
    node: Node
    trust_domain: str
    xds_port: int = OFF
    xds_tls_port: int = OFF
    envoy_versions: tuple[str, ...] = ()
    default_intention_policy: IntentionPolicy = IntentionPolicy.ALLOW

    @property
    def api_version(self) -> str:
        """The version of the API, with ours behind it as https://semver.org has it for builds."""
        return f"{CONSUL}+xdsmesh.{self.version}"
