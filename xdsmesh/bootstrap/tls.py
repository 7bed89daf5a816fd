"""TLS to the control plane: which roots are trusted, and under which name the server must prove itself.

Fields: https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/tls.proto
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

_TLS: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
_SECRET: Final = "control-plane-ca"  # noqa: S105 - its name


@dataclass(frozen=True, slots=True)
class ServerTrust:
    """The name that must stand in the server's certificate, and the roots: PEM, or a file that has it.

    The name matters as much as the roots: these have certified every service of the mesh as well.
    """

    server_name: str
    roots: str | Path

    @classmethod
    def of(cls, datacenter: str, roots: str | Path) -> Self:
        """Trust the servers of a datacenter."""
        return cls(f"server.{datacenter}.consul", roots)

    def transport_socket(self, secret_file: str = "") -> dict[str, Any]:
        """What an Envoy's cluster of the control plane has.

        Envoy reads the roots when it starts. With ``secret_file``, the path of a file with `secret`, it reads
        them again whenever another file is moved over theirs.
        """
        return {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"{_TLS}.UpstreamTlsContext",
                "sni": self.server_name,
                "common_tls_context": {
                    "alpn_protocols": ["h2"],
                    "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                    **self._validation(secret_file),
                },
            },
        }

    def secret(self) -> dict[str, Any]:
        """The roots as a file of secrets has them."""
        context = {"trusted_ca": self._roots()}
        secret = {"@type": f"{_TLS}.Secret", "name": _SECRET, "validation_context": context}
        return {"resources": [secret]}

    def _validation(self, secret_file: str) -> dict[str, Any]:
        names = {
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": self.server_name}}]
        }
        if not secret_file:
            return {"validation_context": {"trusted_ca": self._roots(), **names}}
        source = {"resource_api_version": "V3", "path_config_source": {"path": secret_file}}
        return {
            "combined_validation_context": {
                "default_validation_context": names,
                "validation_context_sds_secret_config": {"name": _SECRET, "sds_config": source},
            }
        }

    def _roots(self) -> dict[str, str]:
        if isinstance(self.roots, Path):
            return {"filename": str(self.roots.absolute())}
        return {"inline_string": self.roots}
